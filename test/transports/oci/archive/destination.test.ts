// Writing archives of layouts: whole or not at all, and nothing in them twice.

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { digestOf, parseDigest } from "../../../../core/content/digest.ts";
import type { ImageDestination } from "../../../../core/image/destination.ts";
import { Archive } from "../../../../transports/shared/archive.ts";
import { ociArchive } from "../../../../transports/oci/archive/reference.ts";
import { descriptorOf, putSample } from "../../../support/carry.ts";
import { writeUntilKilled } from "../../../support/killing.ts";
import { blobPath, layoutEntries } from "../../../support/layout-tar.ts";
import { testWith } from "../../../support/needs.ts";
import { openEndedBlob, outgoingBlob } from "../../../support/outgoing.ts";
import { rejection } from "../../../support/rejection.ts";
import {
  blobsOf,
  manifestsOf,
  type Sample,
  sampleImage,
  sampleList,
} from "../../../support/sample-images.ts";
import { SmallDisk } from "../../../support/small-disk.ts";
import { type TarEntry, tarOf } from "../../../support/tar-bytes.ts";
import { transportContext } from "../../../support/transport-context.ts";
import { treeOf } from "../../../support/trees.ts";
import { Workspace } from "../../../support/workspace.ts";

const image = sampleImage({ seed: "image", format: "oci", ballastBytes: 1000 });
const other = sampleImage({ seed: "other", format: "oci", ballastBytes: 1000 });
const list = sampleList({ ballastBytes: 1000 });
const [layer = image.config] = image.layers;

describe("the destination of oci-archive", () => {
  test("writes a layout: what it is first, its index last, and every blob once", async () => {
    using workspace = new Workspace();
    await keep(`${workspace.at("a.tar")}:x`, list);
    const names = await namesIn(workspace.at("a.tar"));
    expect(names.slice(0, 3)).toEqual(["oci-layout", "blobs/", "blobs/sha256/"]);
    expect(names.at(-1)).toBe("index.json");
    expect(names.slice(3, -1).toSorted()).toEqual([...pathsOf(list)]);
    expect(statSync(workspace.at("a.tar")).mode & 0o777).toBe(0o644);
  });

  test("writes the same archive for the same image", async () => {
    using workspace = new Workspace();
    for (const name of ["a.tar", "b.tar"]) await keep(`${workspace.at(name)}:x`, image);
    expect(readFileSync(workspace.at("a.tar"))).toEqual(readFileSync(workspace.at("b.tar")));
  });

  test("takes the place of the archive that is there, as the original does", async () => {
    using workspace = new Workspace();
    await keep(`${workspace.at("a.tar")}:old`, other);
    await keep(`${workspace.at("a.tar")}:new`, image);
    expect(await blobsIn(workspace.at("a.tar"))).toEqual(pathsOf(image));
    expect(await imagesIn(workspace.at("a.tar"))).toEqual([["new", image.manifest.digest]]);
  });

  test("takes the place of anything else, too, and follows links to it", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("a.tar"), "no archive");
    symlinkSync("a.tar", workspace.at("link"));
    await keep(`${workspace.at("link")}:x`, image);
    expect(await blobsIn(workspace.at("a.tar"))).toEqual(pathsOf(image));
    expect(treeOf(workspace.path)["link"]).toBe("-> a.tar");
  });

  test("writes a blob once, under whatever name it came", async () => {
    using workspace = new Workspace();
    {
      await using destination = await open(`${workspace.at("a.tar")}:x`);
      await putSample(destination, image);
      const again = [await outgoingBlob(layer.bytes), await openEndedBlob(layer.bytes)];
      for (const blob of again) {
        expect(await destination.putBlob(blob, "layer")).toEqual({
          digest: parseDigest(layer.digest),
          size: layer.bytes.length,
          by: "presence",
        });
      }
      await destination.commit();
    }
    expect(await blobsIn(workspace.at("a.tar"))).toEqual(pathsOf(image));
  });

  test("C2: does not take over a blob of the old archive that is not what it is called", async () => {
    using workspace = new Workspace();
    const entries = layoutEntries({ x: image }).map((entry) =>
      entry.path === blobPath(layer.digest)
        ? { ...entry, body: new Uint8Array(layer.bytes.length) }
        : entry,
    );
    writeFileSync(workspace.at("a.tar"), tarOf(entries));
    await using destination = await open(`${workspace.at("a.tar")}:x`);
    expect(await destination.reuseBlob(descriptorOf(layer), "layer")).toBeUndefined();
    await putSample(destination, image);
    await destination.commit();
    expect(await blobsIn(workspace.at("a.tar"))).toEqual(pathsOf(image));
  });

  test("F6: another image does not show before it is committed", async () => {
    using workspace = new Workspace();
    await keep(`${workspace.at("a.tar")}:x`, other);
    const before = treeOf(workspace.path);
    {
      await using destination = await open(`${workspace.at("a.tar")}:x`);
      await putSample(destination, image);
      expect(treeOf(workspace.path)["a.tar"]).toBe(before["a.tar"] ?? "");
    }
    expect(treeOf(workspace.path)).toEqual(before);
  });

  test("refuses directories", async () => {
    using workspace = new Workspace();
    expect(await rejection(open(workspace.path))).toMatchObject({
      code: "io",
      message: `open ${workspace.path}: is a directory`,
    });
  });

  test("a reader of a pipe who leaves early is a failure", async () => {
    using workspace = new Workspace();
    Bun.spawnSync(["mkfifo", workspace.at("pipe")]);
    const reader = Bun.spawn(["head", "-c", "600", workspace.at("pipe")], { stdout: "ignore" });
    const big = sampleImage({ seed: "big", format: "oci", ballastBytes: 300_000 });
    const failure = await rejection(keep(workspace.at("pipe"), big));
    expect(failure.code).toBe("io");
    await reader.exited;
  });
});

describe("the destination of oci-archive, if it is to add", () => {
  test("keeps the other images, and everything once", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    await keep(`${path}:x`, image);
    await add(`${path}:y`, list);
    await add(`${path}:z`, image);
    expect(await imagesIn(path)).toEqual([
      ["x", image.manifest.digest],
      ["y", list.manifest.digest],
      ["z", image.manifest.digest],
    ]);
    expect(await blobsIn(path)).toEqual(pathsOf(image, list));
    expect(Object.keys(treeOf(workspace.path))).toEqual(["a.tar"]);
  });

  test("replaces the image of the same name, and drops what only that needed", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    await keep(`${path}:x`, image);
    await add(`${path}:y`, list);
    await add(`${path}:x`, other);
    expect(await imagesIn(path)).toEqual([
      ["y", list.manifest.digest],
      ["x", other.manifest.digest],
    ]);
    expect(await blobsIn(path)).toEqual(pathsOf(list, other));
  });

  test("begins an archive where there is none, or an empty file", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("empty.tar"), "");
    for (const name of ["new.tar", "empty.tar"]) {
      await add(`${workspace.at(name)}:x`, image);
      expect(await blobsIn(workspace.at(name))).toEqual(pathsOf(image));
    }
  });

  test("keeps what it does not know, and says what that does not know", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    const extra: readonly TarEntry[] = [
      { path: "manifest.json", body: Buffer.from("[]"), mtime: 7 },
      {
        path: new Uint8Array([0x61, 0xff]),
        body: Buffer.from("odd"),
        uid: 5,
        pax: { comment: "c" },
      },
      { path: "../outside", body: Buffer.from("no") },
    ];
    writeFileSync(path, tarOf([...layoutEntries({ x: image }), ...extra]));
    const warnings: string[] = [];
    const log = { ...transportContext().log, warn: (message: string) => warnings.push(message) };
    await add(`${path}:y`, other, log);
    await using archive = await Archive.open(path, transportContext());
    const odd = archive.entries.find(({ uid }) => uid === 5);
    expect(odd?.nameBytes).toEqual(new Uint8Array([0x61, 0xff]));
    expect(odd?.records.size).toBe(1);
    expect(archive.entries.filter(({ name }) => name.includes("outside"))).toEqual([]);
    expect(warnings).toEqual([`manifest.json in ${path} does not list the new image`]);
  });

  test("adds to a compressed archive, which is not compressed then", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    writeFileSync(path, Bun.gzipSync(Buffer.from(tarOf(layoutEntries({ x: image })))));
    await add(`${path}:y`, other);
    expect(await blobsIn(path)).toEqual(pathsOf(image, other));
  });

  test("refuses what is no archive of a layout, and pipes", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    writeFileSync(path, "x".repeat(600));
    const before = treeOf(workspace.path);
    expect((await rejection(add(`${path}:x`, image))).message).toStartWith(
      `reading archive ${path}`,
    );
    expect(treeOf(workspace.path)).toEqual(before);
    for (const stream of ["-", "/dev/null"]) {
      expect(await rejection(add(`${stream}:x`, image))).toMatchObject({
        code: "usage",
        message: "Images can be added to an archive in a file only",
      });
    }
  });

  test("F7: does not lose what another program adds at the same time", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    await keep(`${path}:x`, image);
    await using slow = await open(`${path}:slow`, true);
    await putSample(slow, list);
    await add(`${path}:quick`, other);
    expect(await rejection(slow.commit())).toMatchObject({
      code: "io",
      message: `${path} was changed by somebody else while the image was written`,
      hint: "try again",
    });
    expect((await imagesIn(path)).map(([name]) => name)).toEqual(["x", "quick"]);
  });
});

test("F4: whoever is killed leaves a whole archive, or none", async () => {
  using workspace = new Workspace();
  const path = workspace.at("a.tar");
  const completed = await writeUntilKilled(`oci-archive:${path}:x`);
  expect(completed).toBe(3);
  expect(await imagesIn(path)).toHaveLength(1);
  await using archive = await Archive.open(path, transportContext());
  for (const { name } of archive.entries.filter(({ kind }) => kind === "file")) {
    const content = await archive.read(name, 10_000_000);
    if (content === undefined) throw new Error(`${name} is not there`);
    if (name.startsWith("blobs/")) expect(blobPath(digestOf(content))).toBe(name);
  }
}, 30_000);

testWith("root", "mount")("F9: a full disk leaves the old archive", async () => {
  using disk = new SmallDisk(2_000_000);
  await keep(`${disk.at("a.tar")}:x`, image);
  const before = treeOf(disk.path);
  const big = sampleImage({ seed: "big", format: "oci", ballastBytes: 1_500_000 });
  const failure = await rejection(keep(`${disk.at("a.tar")}:x`, big));
  expect(failure).toMatchObject({ code: "io" });
  expect(failure.message).toContain(`${disk.at("a.tar")}: no space left on device`);
  expect(treeOf(disk.path)).toEqual(before);
  await keep(`${disk.at("a.tar")}:y`, other);
  expect(existsSync(disk.at("a.tar"))).toBe(true);
});

function open(
  text: string,
  appends = false,
  log = transportContext().log,
): Promise<ImageDestination> {
  const context = transportContext({ log, settings: { oci: { appends } } });
  return ociArchive.parseReference(text).openDestination(context);
}

async function keep(text: string, sample: Sample): Promise<void> {
  await using destination = await open(text);
  await putSample(destination, sample);
  await destination.commit();
}

async function add(text: string, sample: Sample, log = transportContext().log): Promise<void> {
  await using destination = await open(text, true, log);
  await putSample(destination, sample);
  await destination.commit();
}

async function namesIn(path: string): Promise<readonly string[]> {
  await using archive = await Archive.open(path, transportContext());
  return archive.entries.map(({ name }) => name);
}

async function blobsIn(path: string): Promise<readonly string[]> {
  const names = await namesIn(path);
  return names.filter((name) => /^blobs\/\w+\/\w/.test(name)).toSorted();
}

async function imagesIn(path: string): Promise<readonly (readonly [string, string])[]> {
  await using archive = await Archive.open(path, transportContext());
  const bytes = (await archive.read("index.json", 1_000_000)) ?? new Uint8Array();
  const index: {
    readonly manifests: readonly {
      readonly digest: string;
      readonly annotations?: Readonly<Record<string, string>>;
    }[];
  } = JSON.parse(new TextDecoder().decode(bytes));
  return index.manifests.map(({ digest, annotations = {} }) => [
    annotations["org.opencontainers.image.ref.name"] ?? "",
    digest,
  ]);
}

function pathsOf(...samples: readonly Sample[]): readonly string[] {
  const all = samples.flatMap((each) => [...blobsOf(each), ...manifestsOf(each)]);
  return [...new Set(all.map(({ digest }) => blobPath(digest)))].toSorted();
}
