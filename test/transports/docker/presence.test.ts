import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { findBlob } from "../../../transports/docker/presence.ts";
import { clientOf } from "../../support/registry-client.ts";
import { startRegistry } from "../../support/registry-server.ts";

const layer = new TextEncoder().encode("a layer");
const digest = digestOf(layer);
const { signal } = new AbortController();

describe("findBlob", () => {
  test("gives the size of what is there, and nothing for what is not", async () => {
    await using registry = startRegistry();
    await using client = await clientOf(registry.host);
    expect(await findBlob(client, digest, signal)).toBeUndefined();
    registry.repository("a/b").addBlob(layer);
    expect(await findBlob(client, digest, signal)).toEqual({ size: layer.length });
    expect(registry.lines.slice(1)).toEqual(Array(2).fill(`HEAD /v2/a/b/blobs/${digest}`));
  });

  test("fails where the registry says neither", async () => {
    await using registry = startRegistry({
      intercept: (seen, usual) =>
        seen.method === "HEAD" ? new Response(null, { status: 401 }) : usual(),
    });
    await using client = await clientOf(registry.host);
    await expect(findBlob(client, digest, signal)).rejects.toMatchObject({
      code: "unauthorized",
      message: `checking whether a blob ${digest} exists in ${registry.host}/a/b: authentication required`,
    });
  });
});
