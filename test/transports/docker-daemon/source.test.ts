import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import { dockerDaemon } from "../../../transports/docker-daemon/reference.ts";
import { descriptorOf } from "../../support/carry.ts";
import { rejection } from "../../support/rejection.ts";
import { hexOf, sampleImage } from "../../support/sample-images.ts";
import { startScriptedEngine } from "../../support/scripted-engine.ts";
import { tarOf } from "../../support/tar-bytes.ts";
import { someManifest } from "../../support/some-manifest.ts";

const image = sampleImage({ seed: "daemon", layers: ["none", "gzip"] });

/** The image as engines pack it: its table of contents last. */
function packed(tags: readonly string[] | null = ["a/b:1"]): Uint8Array {
  const file = (path: string, body: Uint8Array) => ({ path, body });
  const item = {
    Config: `${hexOf(image.config.digest)}.json`,
    RepoTags: tags,
    Layers: image.layers.map(({ digest }) => `blobs/sha256/${hexOf(digest)}`),
  };
  return tarOf([
    ...image.layers.map(({ digest, bytes }) => file(`blobs/sha256/${hexOf(digest)}`, bytes)),
    file(`${hexOf(image.config.digest)}.json`, image.config.bytes),
    file("manifest.json", new TextEncoder().encode(JSON.stringify([item]))),
  ]);
}

function engineWith(archive: Uint8Array) {
  return startScriptedEngine({
    answer: (request) =>
      request.url.includes("/images/get") ? new Response(Buffer.from(archive)) : undefined,
  });
}

describe("docker-daemon: as a source", () => {
  test.each([
    ["a/b:1", ["a/b:1"]],
    [`sha256:${hexOf(image.config.digest)}`, null],
    ["a/b:1", ["c/d:2", "a/b:1"]],
  ])("reads %s, which the engine calls %p", async (text, tags) => {
    await using engine = engineWith(packed(tags));
    {
      const reference = dockerDaemon.parseReference(text);
      await using source = await reference.openSource(engine.context());
      expect(engine.lines.at(-1)).toBe(`GET /v1.41/images/get?names=${encodeURIComponent(text)}`);
      const manifest = JSON.parse(new TextDecoder().decode((await source.readManifest()).bytes));
      expect(manifest.config.digest).toBe(image.config.digest);
      expect(manifest.layers.map((layer: { digest: string }) => layer.digest)).toEqual(
        image.diffIds,
      );
      for (const [index, diffId] of image.diffIds.entries()) {
        const descriptor = { mediaType: "", digest: parseDigest(diffId) };
        const bytes = await collect(await source.openBlob(descriptor), 1e6);
        expect(bytes.length).toBe(manifest.layers[index].size);
        expect(`sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`).toBe(diffId);
      }
      const config = await collect(await source.openBlob(descriptorOf(image.config)), 1e6);
      expect(Buffer.compare(config, image.config.bytes)).toBe(0);
      expect(await source.readSignatures(someManifest)).toEqual([]);
    }
    expect(readdirSync(engine.workspace.path)).toEqual(["engine.sock"]);
  });

  test.each([
    ["nothing", Buffer.alloc(0), "manifest.json"],
    ["half an archive", packed().subarray(0, 5000), "^corrupt "],
    [
      "an archive that the engine could not finish",
      Buffer.concat([
        packed().subarray(0, 5000),
        Buffer.from('{"errorDetail":{"message":"disk"}}'),
      ]),
      'loading image from docker engine: docker engine reported: "disk"',
    ],
  ])("O1: fails on %s, and leaves nothing", async (_, archive, message) => {
    await using engine = engineWith(archive);
    const opening = dockerDaemon.parseReference("a/b:1").openSource(engine.context());
    const failure = await rejection(opening);
    expect(`${failure.code} ${failure.message}`).toMatch(new RegExp(message));
    expect(readdirSync(engine.workspace.path)).toEqual(["engine.sock"]);
  });

  test("an image that the engine does not have is told in its words", async () => {
    await using engine = startScriptedEngine();
    const opening = dockerDaemon.parseReference("a/b:1").openSource(engine.context());
    expect(await rejection(opening)).toMatchObject({
      code: "refused",
      message:
        "loading image from docker engine: Error response from daemon: reference does not exist",
    });
  });
});
