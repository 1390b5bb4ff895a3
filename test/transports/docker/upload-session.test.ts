import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { UploadSession } from "../../../transports/docker/upload-session.ts";
import { clientOf } from "../../support/registry-client.ts";
import { type RegistryServer, startRegistry } from "../../support/registry-server.ts";

const digest = digestOf(new Uint8Array());
const { signal } = new AbortController();

/** A session in a registry, and what the registry answers about it when it is asked. */
async function begun(registry: RegistryServer, log: (line: string) => void = () => {}) {
  const client = await clientOf(registry.host);
  const session = await UploadSession.begin(client, {
    signal,
    log: { debug: log, info: log, warn: log },
  });
  return { session, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

function registryThatTells(headers: Record<string, string>, status = 204): RegistryServer {
  return startRegistry({
    intercept: (seen, usual) =>
      seen.method === "GET" && seen.target.includes("upload-1")
        ? new Response(null, { status, headers })
        : usual(),
  });
}

describe("UploadSession", () => {
  test.each([
    ["0-99", 100],
    ["0-1", 2],
    ["0-0", 0],
    ["5-99", 0],
    ["bytes=0-99", 0],
    ["0-9999999999999999999", 0],
  ])("takes the range %p for %d bytes", async (range, held) => {
    await using registry = registryThatTells({ Range: range });
    await using begin = await begun(registry);
    expect(await begin.session.ask(signal)).toBe(held);
    expect(begin.session.held).toBe(held);
  });

  test("goes where the registry moves it", async () => {
    const location = "/v2/a/b/blobs/uploads/elsewhere?x=1";
    await using registry = registryThatTells({ Range: "0-99", Location: location });
    await using begin = await begun(registry);
    expect(begin.session.address.pathname).toEndWith("upload-1");
    await begin.session.ask(signal);
    expect(begin.session.address.href).toBe(registry.origin + location);
    expect(begin.session.addressFor(digest).search).toBe(
      `?x=1&digest=${encodeURIComponent(digest)}`,
    );
  });

  test("holds nothing where the registry has forgotten it", async () => {
    await using registry = registryThatTells({ Range: "0-99" }, 404);
    await using begin = await begun(registry);
    expect(await begin.session.ask(signal)).toBe(0);
  });

  test("is abandoned without a word where the registry does not listen", async () => {
    const lines: string[] = [];
    const registry = startRegistry();
    await using begin = await begun(registry, (line) => lines.push(line));
    await registry[Symbol.asyncDispose]();
    await begin.session.abandon();
    expect(lines).toEqual([expect.stringMatching(/^Canceling an upload failed: /)]);
  });
});
