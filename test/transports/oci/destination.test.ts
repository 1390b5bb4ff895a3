// Writing layouts: several at a time, and nothing left of what failed.

import { describe, expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { ImageDestination } from "../../../core/image/destination.ts";
import { isTemporaryName } from "../../../transports/shared/temporary.ts";
import { oci } from "../../../transports/oci/reference.ts";
import { admitted, descriptorOf, putSample } from "../../support/carry.ts";
import { writeUntilKilled } from "../../support/killing.ts";
import { testWith } from "../../support/needs.ts";
import {
  blobsOf,
  hexOf,
  type Sample,
  sampleImage,
  sampleList,
  writeLayout,
} from "../../support/sample-images.ts";
import { SmallDisk } from "../../support/small-disk.ts";
import { type ContextWish, transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

const sample = sampleImage({ seed: "new", format: "oci", ballastBytes: 1000 });
const earlier = sampleImage({ seed: "earlier", format: "oci", ballastBytes: 1000 });
const [layer = sample.config] = sample.layers;

describe("the destination of oci", () => {
  test("writes what the original would have written", async () => {
    using workspace = new Workspace();
    const list = sampleList({ ballastBytes: 1000 });
    await keep(`${workspace.at("layout")}:a`, list);
    writeLayout(workspace.at("expected"), { a: list });
    expectSameLayout(workspace.at("layout"), workspace.at("expected"));
    const modes = readdirSync(workspace.at("layout"), { recursive: true, encoding: "utf8" }).map(
      (name) => lstatSync(workspace.at("layout", name)),
    );
    for (const { mode } of modes) expect([0o100644, 0o40755]).toContain(mode);
  });

  test("keeps the other images of the layout", async () => {
    using workspace = new Workspace();
    writeLayout(workspace.at("layout"), { earlier });
    await keep(`${workspace.at("layout")}:new`, sample);
    writeLayout(workspace.at("expected"), { earlier, new: sample });
    expectSameLayout(workspace.at("layout"), workspace.at("expected"));
  });

  test("refuses a position as its name", async () => {
    using workspace = new Workspace();
    expect(await rejection(open(`${workspace.at("layout")}:@1`))).toMatchObject({
      code: "usage",
      message: "Destination reference must not contain a manifest index @1",
    });
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  test("keeps a manifest of another type as it is, where it may not be converted", async () => {
    using workspace = new Workspace();
    const image = sampleImage({ format: "docker", ballastBytes: 10 });
    {
      await using destination = await open(`${workspace.at("layout")}:a`);
      await putSample(destination, image);
      await destination.commit();
    }
    const index = JSON.parse(readFileSync(workspace.at("layout/index.json"), "utf8"));
    expect(index.manifests[0]).toMatchObject({
      mediaType: image.manifest.mediaType,
      digest: image.manifest.digest,
    });
  });

  test("finds an index that cannot be read before anything is moved", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("layout"));
    writeFileSync(workspace.at("layout", "index.json"), "broken");
    const before = treeOf(workspace.path);
    expect(await rejection(open(`${workspace.at("layout")}:a`))).toMatchObject({ code: "corrupt" });
    expect(treeOf(workspace.path)).toEqual(before);
  });

  test.each([
    ["nothing", (_: Workspace) => {}],
    ["an empty directory", (workspace: Workspace) => mkdirSync(workspace.at("layout"))],
    [
      "a directory with something else",
      (workspace: Workspace) => {
        mkdirSync(workspace.at("layout"));
        writeFileSync(workspace.at("layout", "precious"), "x");
      },
    ],
    [
      "blobs of others",
      (workspace: Workspace) => mkdirSync(workspace.at("layout", "blobs"), { recursive: true }),
    ],
  ])("F5: a failed copy leaves %s as it was", async (what, make) => {
    using workspace = new Workspace();
    make(workspace);
    const before = treeOf(workspace.path);
    {
      await using destination = await open(`${workspace.at("layout")}:a`);
      await putSample(destination, sample);
    }
    const after = treeOf(workspace.path);
    // Blobs may stay in a layout that was there before, but no index that names them.
    if (what !== "blobs of others") expect(after).toEqual(before);
    expect(Object.keys(after).some((name) => name.endsWith("index.json"))).toBe(false);
  });

  test("F5: a failed copy leaves the index of an existing layout, and no unfinished file", async () => {
    using workspace = new Workspace();
    writeLayout(workspace.at("layout"), { a: earlier });
    const before = readFileSync(workspace.at("layout", "index.json"), "utf8");
    {
      await using destination = await open(`${workspace.at("layout")}:a`);
      await putSample(destination, sample);
    }
    expect(readFileSync(workspace.at("layout", "index.json"), "utf8")).toBe(before);
    expectNothingUnfinished(workspace.at("layout"));
  });

  test("F5: a failed copy takes no blob from a copy that goes on", async () => {
    using workspace = new Workspace();
    const text = workspace.at("layout");
    const failing = await open(`${text}:a`);
    await using going = await open(`${text}:b`);
    await putSample(failing, sample);
    for (const blob of blobsOf(sample)) {
      expect(await going.reuseBlob(descriptorOf(blob), "layer")).toBeDefined();
    }
    await failing[Symbol.asyncDispose]();
    const { image } = await admitted(sample);
    await going.putManifest(image.publish());
    await going.commit();
    writeLayout(workspace.at("expected"), { b: sample });
    expectSameLayout(text, workspace.at("expected"));
  });

  test("F5: whoever began a layout takes nothing away when others have come", async () => {
    using workspace = new Workspace();
    const text = workspace.at("layout");
    {
      await using beginner = await open(`${text}:a`);
      await putSample(beginner, sample);
      await keep(`${text}:b`, sample);
    }
    writeLayout(workspace.at("expected"), { b: sample });
    expectSameLayout(text, workspace.at("expected"));
  });

  test("fails the commit if somebody removed a blob meanwhile", async () => {
    using workspace = new Workspace();
    writeLayout(workspace.at("layout"), { a: sample });
    const before = readFileSync(workspace.at("layout", "index.json"), "utf8");
    await using destination = await open(`${workspace.at("layout")}:b`);
    await destination.reuseBlob(descriptorOf(layer), "layer");
    rmSync(workspace.at("layout", "blobs", "sha256", hexOf(layer.digest)));
    const { image } = await admitted(sample);
    await destination.putManifest(image.publish());
    expect(await rejection(destination.commit())).toMatchObject({
      code: "io",
      message: expect.stringMatching(/was removed by somebody else while the image was written$/),
    });
    expect(readFileSync(workspace.at("layout", "index.json"), "utf8")).toBe(before);
  });

  test("F10: follows no link that was planted at the name of a blob", async () => {
    using workspace = new Workspace();
    writeLayout(workspace.at("layout"), { a: earlier });
    writeFileSync(workspace.at("precious"), layer.bytes);
    const planted = workspace.at("layout", "blobs", "sha256", hexOf(layer.digest));
    symlinkSync(workspace.at("precious"), planted);
    await using destination = await open(`${workspace.at("layout")}:b`);
    const { digest, mediaType } = descriptorOf(layer);
    expect(await destination.reuseBlob({ digest, mediaType }, "layer")).toBeUndefined();
    writeFileSync(workspace.at("precious"), "precious");
    await putSample(destination, sample);
    expect(lstatSync(planted).isFile()).toBe(true);
    expect(readFileSync(workspace.at("precious"), "utf8")).toBe("precious");
  });

  test("keeps blobs in the directory that layouts share", async () => {
    using workspace = new Workspace();
    const settings = { oci: { sharedBlobDirectory: workspace.at("shared", "deep") } };
    await keep(`${workspace.at("layout")}:a`, sample, { settings });
    expect(readdirSync(workspace.at("layout")).toSorted()).toEqual([
      "blobs",
      "index.json",
      "oci-layout",
    ]);
    expect(readdirSync(workspace.at("layout", "blobs"))).toEqual([]);
    expect(statSync(workspace.at("shared/deep/sha256", hexOf(layer.digest))).size).toBe(
      layer.bytes.length,
    );
  });

  test("wants layers compressed unless told otherwise", async () => {
    using workspace = new Workspace();
    await using usual = await open(`${workspace.at("layout")}:a`);
    expect(usual.traits).toMatchObject({ layers: "compress", concurrent: true, holdsLists: true });
    const settings = { oci: { acceptsUncompressedLayers: true } };
    await using told = await open(`${workspace.at("layout")}:a`, { settings });
    expect(told.traits.layers).toBe("preserve");
  });

  test("F7: eight processes, five images each: all of them are there", async () => {
    using workspace = new Workspace();
    const program = join(import.meta.dir, "../../support/write-rounds.ts");
    const writers = Array.from({ length: 8 }, (_, number) =>
      Bun.spawn([process.execPath, program, `oci:${workspace.at("layout")}:w${number}-`, "5"], {
        stdout: "inherit",
        stderr: "inherit",
      }),
    );
    expect(await Promise.all(writers.map(({ exited }) => exited))).toEqual(Array(8).fill(0));
    const names: readonly string[] = indexOf(workspace.at("layout")).manifests.map(
      (entry: { readonly annotations: Readonly<Record<string, string>> }) =>
        entry.annotations["org.opencontainers.image.ref.name"],
    );
    const expected = Array.from(
      { length: 40 },
      (_, at) => `w${Math.floor(at / 5)}-${(at % 5) + 1}`,
    );
    expect(names.toSorted()).toEqual(expected.toSorted());
    expectNothingUnfinished(workspace.at("layout"));
  }, 60_000);

  test("F4: killed copies leave no wrong blob, and every named image whole", async () => {
    using workspace = new Workspace();
    await writeUntilKilled(`oci:${workspace.at("layout")}`);
    const blobs = workspace.at("layout", "blobs", "sha256");
    for (const name of readdirSync(blobs)) {
      expect(Bun.CryptoHasher.hash("sha256", readFileSync(join(blobs, name)), "hex")).toBe(name);
    }
    for (const { digest } of indexOf(workspace.at("layout")).manifests) {
      const manifest = JSON.parse(readFileSync(join(blobs, hexOf(digest)), "utf8"));
      for (const each of [manifest.config, ...manifest.layers]) {
        expect(statSync(join(blobs, hexOf(each.digest))).size).toBe(each.size);
      }
    }
    await keep(`${workspace.at("layout")}:after`, sample);
  }, 60_000);

  testWith("root", "mount")("F9: a full disk leaves the layout as it was", async () => {
    using disk = new SmallDisk(4 * 1024 * 1024);
    writeLayout(disk.at("layout"), { a: earlier });
    const before = readFileSync(disk.at("layout", "index.json"), "utf8");
    const large = sampleImage({ format: "oci", ballastBytes: 3_000_000 });
    const failure = await rejection(keep(`${disk.at("layout")}:b`, large));
    expect(failure).toMatchObject({
      code: "io",
      message: expect.stringMatching(
        /^write .*blobs\/sha256\/[0-9a-f]{64}: no space left on device/,
      ),
    });
    expect(readFileSync(disk.at("layout", "index.json"), "utf8")).toBe(before);
    expectNothingUnfinished(disk.at("layout"));
  });
});

function open(text: string, wish?: ContextWish): Promise<ImageDestination> {
  return oci.parseReference(text).openDestination(transportContext(wish));
}

async function keep(text: string, sample: Sample, wish?: ContextWish): Promise<void> {
  await using destination = await open(text, wish);
  await putSample(destination, sample);
  await destination.commit();
}

function indexOf(layout: string) {
  return JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
}

/** The same files, but that the members of the index may stand in another order. */
function expectSameLayout(actual: string, expected: string): void {
  const { "index.json": _a, ...actualTree } = treeOf(actual);
  const { "index.json": _b, ...expectedTree } = treeOf(expected);
  expect(actualTree).toEqual(expectedTree);
  expect(indexOf(actual)).toEqual(indexOf(expected));
}

function expectNothingUnfinished(path: string): void {
  const names = readdirSync(path, { recursive: true, encoding: "utf8" });
  expect(names.filter((name) => name.split("/").some(isTemporaryName))).toEqual([]);
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
