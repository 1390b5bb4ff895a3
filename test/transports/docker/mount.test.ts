import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { mountBlob } from "../../../transports/docker/mount.ts";
import { UploadSession } from "../../../transports/docker/upload-session.ts";
import { clientOf } from "../../support/registry-client.ts";
import { type RegistryOptions, startRegistry } from "../../support/registry-server.ts";

const layer = new TextEncoder().encode("a layer");
const digest = digestOf(layer);
const log = { debug() {}, info() {}, warn() {} };

async function mount(options: RegistryOptions = {}) {
  await using registry = startRegistry(options);
  registry.repository("c/d").addBlob(layer);
  await using client = await clientOf(registry.host);
  const { signal } = new AbortController();
  return await mountBlob({ client, digest, from: "c/d", signal, log });
}

describe("mountBlob", () => {
  test("gives true where the registry mounts", async () => {
    expect(await mount()).toBe(true);
  });

  test("gives the upload that the registry began instead", async () => {
    const session = await mount({ mounts: false });
    expect(session).toBeInstanceOf(UploadSession);
    expect((session as UploadSession).address.pathname).toBe("/v2/a/b/blobs/uploads/upload-1");
  });

  test.each([400, 401, 403, 404, 405])("gives false for the answer %d", async (status) => {
    const intercept: RegistryOptions["intercept"] = (seen, usual) =>
      seen.method === "POST" ? new Response(null, { status }) : usual();
    expect(await mount({ intercept })).toBe(false);
  });
});
