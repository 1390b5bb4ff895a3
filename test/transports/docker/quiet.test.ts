import { describe, expect, test } from "bun:test";

import { docker } from "../../../transports/docker/reference.ts";
import { Quiet } from "../../../transports/docker/quiet.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { startRegistry } from "../../support/registry-server.ts";

function answer(status: number, headers: Record<string, string> = {}) {
  return { status, headers: new Headers(headers) };
}

describe("Quiet", () => {
  test.each([
    [answer(429, { "retry-after": "7" }), 7000],
    [answer(503, { "retry-after": "7" }), 7000],
    [answer(200, { "retry-after": "7" }), 0],
    [answer(429), 0],
    [answer(429, { "retry-after": "3600" }), 0],
    [answer(200, { "ratelimit-remaining": "0;w=60", "ratelimit-reset": "5" }), 5000],
    [answer(200, { "ratelimit-remaining": "1", "ratelimit-reset": "5" }), 0],
    [answer(200, { "ratelimit-remaining": "0", "ratelimit-reset": "1700000000" }), 0],
  ])("after %j it is %d ms", (seen, expected) => {
    const quiet = new Quiet();
    quiet.note(seen, 1000);
    expect(quiet.remainingMs(1000)).toBe(expected);
    expect(quiet.remainingMs(1000 + 60_000)).toBe(0);
  });
});

test("what one client was told, another one keeps to", async () => {
  let told = false;
  await using registry = startRegistry({
    intercept: (seen, usual) => {
      if (told || seen.target === "/v2/") return usual();
      told = true;
      return new Response(null, { status: 429, headers: { "retry-after": "9" } });
    },
  });
  const paused: number[] = [];
  const context = dockerContext({ shared: [], paused: (ms) => paused.push(ms) });
  const glance = (tag: string) =>
    docker.parseReference(`//${registry.host}/a:${tag}`).glance?.(context, "source");
  await glance("1");
  expect(paused).toEqual([9000]);
  await glance("2");
  expect(paused.length).toBe(2);
  expect(paused[1]).toBeWithin(8000, 9001);
});
