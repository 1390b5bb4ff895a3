// writeBlobFile: a blob in the file named for its digest, or no file.

import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { Failure } from "../../../core/failure.ts";
import { openFile } from "../../../transports/shared/file-stream.ts";
import { flock } from "../../../transports/shared/libc/flock.ts";
import { NewFile } from "../../../transports/shared/new-file.ts";
import { partPath } from "../../../transports/shared/temporary.ts";
import type { Stage } from "../../../core/blob/stream.ts";
import { type Digest, digestHex } from "../../../core/content/digest.ts";
import type { OutgoingBlob } from "../../../core/image/destination.ts";
import {
  type BlobPlace,
  heldStartIn,
  writeBlobFile,
} from "../../../transports/shared/blob-file.ts";
import { admitted, descriptorOf } from "../../support/carry.ts";
import { testWith } from "../../support/needs.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { rejection } from "../../support/rejection.ts";
import { SmallDisk } from "../../support/small-disk.ts";
import { Workspace } from "../../support/workspace.ts";

const sample = sampleImage({ format: "oci", layers: ["none"], ballastBytes: 50_000 });
const [layer = sample.config] = sample.layers;
const wanted = descriptorOf(layer);

describe("writeBlobFile", () => {
  test("publishes the blob under its digest", async () => {
    using workspace = new Workspace();
    const stored = await writeBlobFile(await outgoing(), placeIn(workspace));
    expect(stored).toEqual({ digest: wanted.digest, size: layer.bytes.length, by: "sending" });
    expect(readdirSync(workspace.path)).toEqual([digestHex(wanted.digest)]);
    const written = readFileSync(workspace.at(digestHex(wanted.digest)));
    expect(Buffer.compare(written, layer.bytes)).toBe(0);
  });

  test("F4: has nothing under the digest while the blob is on its way", async () => {
    using workspace = new Workspace();
    const seen: boolean[] = [];
    const looking: Stage = async function* (bytes) {
      for await (const chunk of bytes) {
        seen.push(readdirSync(workspace.path).includes(digestHex(wanted.digest)));
        yield chunk;
      }
    };
    await writeBlobFile((await outgoing()).through(looking, wanted), placeIn(workspace));
    expect(new Set(seen)).toEqual(new Set([false]));
  });

  test.each([1, 10, 50])("F5: leaves nothing if the source fails at chunk %d", async (at) => {
    using workspace = new Workspace();
    const failing: Stage = async function* (bytes) {
      let count = 0;
      for await (const chunk of bytes) {
        if (++count === at) throw new Error("the source broke off");
        yield chunk;
      }
    };
    const blob = (await outgoing()).through(failing, wanted);
    const failure = await writeBlobFile(blob, placeIn(workspace)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: "the source broke off" });
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  test("C2: refuses a stream that ends early without saying so", async () => {
    using workspace = new Workspace();
    const cutting: Stage = async function* (bytes) {
      for await (const chunk of bytes) {
        yield chunk;
        return;
      }
    };
    const blob = (await outgoing()).through(cutting, wanted);
    const failure = await writeBlobFile(blob, placeIn(workspace)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "corrupt",
      message: `Size mismatch when copying ${wanted.digest}, expected ${wanted.size}, got 1000`,
    });
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  testWith("root", "mount")("F9: says what was needed on a full disk", async () => {
    using disk = new SmallDisk(16 * 1024);
    const failure = await writeBlobFile(await outgoing(), placeIn(disk)).catch((e: unknown) => e);
    expect(failure).toMatchObject({
      code: "io",
      message: expect.stringMatching(
        new RegExp(
          `${digestHex(wanted.digest)}: no space left on device .* of ${wanted.size} bytes`,
        ),
      ),
    });
    expect(readdirSync(disk.path)).toEqual([]);
  });
});

async function outgoing(): Promise<OutgoingBlob> {
  const { image } = await admitted(sample, { chunkBytes: 1000 });
  return image.blob(wanted);
}

function placeIn({ path }: { readonly path: string }): BlobPlace {
  return { workshop: path, pathOf: (digest: Digest) => `${path}/${digestHex(digest)}` };
}

describe("a blob that is kept in parts", () => {
  const half: Stage = async function* (bytes) {
    let passed = 0;
    for await (const chunk of bytes) {
      yield chunk;
      passed += chunk.length;
      if (passed >= 20_000) throw new Failure("unavailable", "the connection broke");
    }
  };

  function keeping(workspace: Workspace): BlobPlace {
    return { ...placeIn(workspace), keepsParts: true };
  }

  test("leaves what there was of it, which the next one finds, and then removes", async () => {
    using workspace = new Workspace();
    const broken = (await outgoing()).through(half, wanted);
    await expect(writeBlobFile(broken, keeping(workspace))).rejects.toThrow();
    const held = heldStartIn([workspace.path, workspace.at("nowhere")], wanted);
    const size = held?.size ?? 0;
    expect(size).toBeGreaterThanOrEqual(20_000);
    const start = await collect(held?.open() ?? streamOf(), size);
    expect(Buffer.compare(start, layer.bytes.subarray(0, size))).toBe(0);
    await writeBlobFile(await outgoing(), keeping(workspace));
    expect(readdirSync(workspace.path)).toEqual([digestHex(wanted.digest)]);
    expect(heldStartIn([workspace.path], wanted)).toBeUndefined();
  });

  test.each(["corrupt", "io"] as const)("leaves nothing of what is %s", async (code) => {
    using workspace = new Workspace();
    const wrong: Stage = async function* (bytes) {
      yield* bytes;
      throw new Failure(code, "no");
    };
    const broken = (await outgoing()).through(wrong, wanted);
    await expect(writeBlobFile(broken, keeping(workspace))).rejects.toThrow();
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  test("is not removed while another run is writing it", async () => {
    using workspace = new Workspace();
    await using other = NewFile.create(
      workspace.path,
      workspace.path,
      1,
      partPath(workspace.path, wanted.digest),
    );
    other.keep();
    await writeBlobFile(await outgoing(), keeping(workspace));
    expect(readdirSync(workspace.path).length).toBe(2);
  });

  test("cannot be kept by whoever lost it before it was locked", async () => {
    using workspace = new Workspace();
    const path = partPath(workspace.path, wanted.digest);
    {
      await using gone = NewFile.create(workspace.path, undefined, undefined, path);
      rmSync(path);
      expect(gone.keep()).toBe(false);
    }
    await using file = NewFile.create(workspace.path, undefined, undefined, path);
    await using other = await openFile(path);
    expect(flock(other.fd, "exclusive")).toBe("done");
    expect(file.keep()).toBe(false);
    flock(other.fd, "release");
    expect(file.keep()).toBe(true);
  });

  test("is as good as wrong when another run has finished with it", async () => {
    using workspace = new Workspace();
    const path = partPath(workspace.path, wanted.digest);
    writeFileSync(path, "some");
    const held = heldStartIn([workspace.path], wanted);
    rmSync(path);
    const read = Array.fromAsync(held?.open() ?? []);
    expect(await rejection(read)).toMatchObject({ code: "corrupt" });
  });

  test("is not taken for one if it is no file, or too long", async () => {
    using workspace = new Workspace();
    mkdirSync(partPath(workspace.path, wanted.digest));
    writeFileSync(partPath(workspace.path, wanted.digest), layer.bytes);
    expect(heldStartIn([workspace.path], wanted)).toBeUndefined();
  });
});
