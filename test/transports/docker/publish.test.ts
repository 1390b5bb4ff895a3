import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { publishManifest } from "../../../transports/docker/publish.ts";
import { outgoingManifest } from "../../support/outgoing.ts";
import { clientOf } from "../../support/registry-client.ts";
import { startRegistry } from "../../support/registry-server.ts";

const manifest = encoded({ schemaVersion: 2, mediaType: manifestTypes.oci, layers: [] });
const digest = digestOf(manifest);
const wanted = { digest: digestOf(new TextEncoder().encode("a layer")) };

function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

async function publish(host: string, bytes: Uint8Array = manifest): Promise<void> {
  await using client = await clientOf(host);
  await publishManifest({
    client,
    name: parseDockerName(`${host}/a/b`),
    manifest: await outgoingManifest({ bytes, mediaType: "" }),
    reference: "1",
    signal: new AbortController().signal,
  });
}

describe("publishManifest", () => {
  test("sends the bytes as they are", async () => {
    await using registry = startRegistry();
    const odd = new TextEncoder().encode(
      `{ "schemaVersion":2,\n "mediaType": "${manifestTypes.schema2}",  "layers": [ ] }\n`,
    );
    await publish(registry.host, odd);
    expect(registry.repository("a/b").manifest("1")).toEqual({
      bytes: odd,
      mediaType: manifestTypes.schema2,
    });
  });

  test("fails with unsupported where manifests of that type are not taken", async () => {
    await using registry = startRegistry({ manifestTypes: [manifestTypes.schema2] });
    await expect(publish(registry.host)).rejects.toMatchObject({
      code: "unsupported",
      message: `uploading manifest 1 to ${registry.host}/a/b: manifest invalid`,
    });
  });

  test.each([
    ["TAG_INVALID", "anything", "unsupported"],
    ["UNSUPPORTED", "Invalid JSON syntax", "unsupported"],
    ["UNSUPPORTED", "not today", "refused"],
    ["DENIED", "not you", "unauthorized"],
  ])("takes the answer %s (%s) for %s", async (code, message, meaning) => {
    await using registry = startRegistry({
      intercept: (seen, usual) =>
        seen.method === "PUT"
          ? Response.json({ errors: [{ code, message }] }, { status: 400 })
          : usual(),
    });
    await expect(publish(registry.host)).rejects.toMatchObject({
      code: meaning,
    });
  });

  test("row 36: names the blobs that the registry misses", async () => {
    const bytes = encoded({
      schemaVersion: 2,
      mediaType: manifestTypes.oci,
      config: { digest: digestOf(new Uint8Array(1)) },
      layers: [wanted],
    });
    await using registry = startRegistry();
    await expect(publish(registry.host, bytes)).rejects.toMatchObject({
      code: "refused",
      missingBlobs: [digestOf(new Uint8Array(1)), wanted.digest],
    });
  });

  test.each([500, 503, 429])(
    "rows 34, 35: tries again where the answer is %d once",
    async (status) => {
      let failed = false;
      await using registry = startRegistry({
        intercept: (seen, usual) => {
          if (seen.method !== "PUT" || failed) return usual();
          failed = true;
          return new Response(null, { status });
        },
      });
      await publish(registry.host);
      expect(registry.repository("a/b").tags.get("1")).toBe(digest);
    },
  );

  test("row 37: refuses a registry that then knows it by another digest, and names the tag", async () => {
    await using registry = startRegistry({
      intercept: async (seen, usual) => {
        const response = await usual();
        if (seen.method === "PUT") response.headers.set("docker-content-digest", wanted.digest);
        return response;
      },
    });
    await expect(publish(registry.host)).rejects.toMatchObject({
      code: "corrupt",
      message: `uploading manifest 1 to ${registry.host}/a/b: ${registry.host} keeps it as ${wanted.digest}, but what was sent has digest ${digest}`,
    });
  });
});
