import { describe, expect, test } from "bun:test";

import { pullLimitIn } from "../../../transports/docker/pull-limit.ts";

describe("pullLimitIn", () => {
  test.each<[Record<string, string>, string | undefined]>([
    [{}, undefined],
    [{ "ratelimit-limit": "100;w=21600" }, undefined],
    [
      { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600" },
      "76 of 100 pulls are left, counted over 6 h",
    ],
    [{ "ratelimit-remaining": "0;w=90" }, "0 pulls are left, counted over 90 s"],
    [
      { "ratelimit-limit": "10", "ratelimit-remaining": "3", "ratelimit-reset": "120" },
      "3 of 10 pulls are left, anew in 2 min",
    ],
    [{ "ratelimit-remaining": "3", "ratelimit-reset": "1795000000" }, "3 pulls are left"],
    // O1: text from outside is not shown.
    [{ "ratelimit-remaining": "many;w=1" }, undefined],
    [{ "ratelimit-remaining": "-1" }, undefined],
    [{ "ratelimit-remaining": "1", "ratelimit-limit": "<b>" }, "1 pulls are left"],
  ])("understands %j", (headers, text) => {
    expect(pullLimitIn(new Headers(headers))).toBe(text as string);
  });

  test("O2: says nothing of who is counted", () => {
    const headers = { "ratelimit-remaining": "1", "docker-ratelimit-source": "203.0.113.7" };
    expect(pullLimitIn(new Headers(headers))).toBe("1 pulls are left");
  });
});
