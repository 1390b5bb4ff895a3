import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { parseDigest } from "../../../core/content/digest.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import type { TransportContext } from "../../../core/image/transport.ts";
import { dockerDaemon } from "../../../transports/docker-daemon/reference.ts";
import { Archive } from "../../../transports/shared/archive.ts";
import { admitted, descriptorOf } from "../../support/carry.ts";
import { rejection } from "../../support/rejection.ts";
import { hexOf, type SampleImage, sampleImage } from "../../support/sample-images.ts";
import { type ScriptedEngine, startScriptedEngine } from "../../support/scripted-engine.ts";

const image = sampleImage({ seed: "daemon", layers: ["gzip", "none", "gzip"] });

function open(engine: ScriptedEngine, wish: Partial<TransportContext> = {}) {
  return dockerDaemon.parseReference("a/b:1").openDestination(engine.context(wish));
}

async function put(destination: ImageDestination, sample: SampleImage): Promise<void> {
  const { image: carried } = await admitted(sample);
  for (const layer of sample.layers) {
    await destination.putBlob(carried.blob(descriptorOf(layer)), "layer");
  }
  await destination.putBlob(carried.blob(descriptorOf(sample.config)), "config");
  await destination.putManifest(carried.publish());
}

/** Returns the archive that the engine was sent. */
async function loaded(engine: ScriptedEngine): Promise<Archive> {
  const path = join(engine.workspace.path, "loaded.tar");
  await Bun.write(path, engine.loaded[0] ?? "");
  return Archive.open(path, engine.context());
}

describe("docker-daemon: as a destination", () => {
  test("sends one archive: layers as they come, and under the name in full", async () => {
    await using engine = startScriptedEngine();
    {
      await using destination = await open(engine);
      await put(destination, image);
      expect(engine.loaded).toEqual([]);
      await destination.commit();
    }
    expect(engine.loaded.length).toBe(1);
    await using archive = await loaded(engine);
    for (const layer of image.layers) {
      const bytes = await archive.read(`${hexOf(layer.digest)}.tar`, 1e6);
      expect(Buffer.compare(bytes ?? Buffer.alloc(0), layer.bytes)).toBe(0);
    }
    const items = JSON.parse(new TextDecoder().decode(await archive.read("manifest.json", 1e6)));
    expect(items).toEqual([
      {
        Config: `${hexOf(image.config.digest)}.json`,
        RepoTags: ["docker.io/a/b:1"],
        Layers: image.layers.map(({ digest }) => `${hexOf(digest)}.tar`),
      },
    ]);
  });

  test("an image that is not committed is not sent to its end", async () => {
    await using engine = startScriptedEngine();
    {
      await using destination = await open(engine);
      await put(destination, image);
    }
    for (let tries = 0; engine.broken === 0 && tries < 200; tries++) await Bun.sleep(5);
    expect([engine.loaded.length, engine.broken]).toEqual([0, 1]);
  });

  test("C2: after wrong bytes nothing follows, and they stay the reason", async () => {
    await using engine = startScriptedEngine();
    const { image: carried, memory } = await admitted(image);
    const [first, second] = image.layers;
    if (first === undefined || second === undefined) throw new Error("the sample has no layers");
    memory.blobs.set(parseDigest(first.digest), first.bytes.subarray(1));
    await using destination = await open(engine);
    const blob = carried.blob(descriptorOf(first));
    expect(await rejection(destination.putBlob(blob, "layer"))).toMatchObject({ code: "corrupt" });
    memory.blobs.set(parseDigest(first.digest), first.bytes);
    expect(await rejection(destination.putBlob(blob, "layer"))).toMatchObject({ code: "corrupt" });
    const other = carried.blob(descriptorOf(second));
    expect(await rejection(destination.putBlob(other, "layer"))).toMatchObject({ code: "corrupt" });
  });

  test("a layer that was sent is not sent again, another is not there", async () => {
    await using engine = startScriptedEngine();
    const { image: carried } = await admitted(image);
    const [first, second] = image.layers.map(descriptorOf);
    if (first === undefined || second === undefined) throw new Error("the sample has no layers");
    await using destination = await open(engine);
    await destination.putBlob(carried.blob(first), "layer");
    expect(await destination.reuseBlob(first, "layer")).toMatchObject({ by: "presence" });
    expect(await destination.reuseBlob({ ...first, size: 1 }, "layer")).toBeUndefined();
    expect(await destination.reuseBlob(second, "layer")).toBeUndefined();
  });

  test("a manifest of another kind is not taken", async () => {
    await using engine = startScriptedEngine();
    const { image: carried } = await admitted(sampleImage({ format: "oci" }));
    await using destination = await open(engine);
    const failure = await rejection(destination.putManifest(carried.publish()));
    expect(failure.code).toBe("unsupported");
  });

  test.each([
    [
      "windows",
      'Image operating system mismatch: image uses OS "windows", the engine runs "linux"',
    ],
    ["linux", undefined],
  ])("says so if an image for %s is not for this engine", async (os, note) => {
    await using engine = startScriptedEngine();
    const notes: string[] = [];
    const log = { debug() {}, info: (message: string) => notes.push(message), warn() {} };
    await using destination = await open(engine, { log });
    await put(destination, sampleImage({ platform: { os, architecture: "amd64" } }));
    expect(notes).toEqual(note === undefined ? [] : [note]);
  });

  test("O1: what the engine says at the end is a failure of the commit", async () => {
    const error = { errorDetail: { message: "no space" }, error: "no space" };
    await using engine = startScriptedEngine({
      answer: async (request) => {
        if (!request.url.includes("/load")) return undefined;
        await request.bytes().catch(() => undefined);
        return Response.json(error);
      },
    });
    await using destination = await open(engine);
    await put(destination, image);
    expect(await rejection(destination.commit())).toMatchObject({
      message: 'docker engine reported: "no space"',
    });
  });

  test("an engine that is not there is told before anything is read", async () => {
    const connection = async () => ({
      host: "unix:///nowhere/d.sock",
      plainTcp: false,
      tls: { verify: true, authorities: [] },
    });
    await using engine = startScriptedEngine();
    const context = {
      ...engine.context(),
      settings: { ...engine.context().settings, dockerDaemon: { connection } },
    };
    const opening = dockerDaemon.parseReference("a/b:1").openDestination(context);
    expect((await rejection(opening)).message).toStartWith(
      "starting a load operation in docker engine: Cannot connect to the Docker daemon at unix:///nowhere/d.sock.",
    );
  });
});
