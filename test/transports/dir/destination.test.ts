// Writing directories: the earlier image stays until the new one is there, whatever happens.

import { describe, expect, test } from "bun:test";
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { limits } from "../../../core/limits.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import { dir } from "../../../transports/dir/reference.ts";
import { temporaryPath } from "../../../transports/shared/temporary.ts";
import { admitted, descriptorOf, putSample } from "../../support/carry.ts";
import { writeUntilKilled } from "../../support/killing.ts";
import { testWith } from "../../support/needs.ts";
import {
  hexOf,
  type Sample,
  sampleImage,
  sampleList,
  writeDirectory,
} from "../../support/sample-images.ts";
import { SmallDisk } from "../../support/small-disk.ts";
import { transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";
import { someManifest } from "../../support/some-manifest.ts";

const sample = sampleImage({ seed: "new", ballastBytes: 1000 });
const earlier = sampleImage({ seed: "earlier", ballastBytes: 1000 });

describe("the destination of dir", () => {
  test("writes what the original would have written", async () => {
    using workspace = new Workspace();
    const list = sampleList({ ballastBytes: 1000 });
    await keep(workspace.at("image"), list);
    writeDirectory(workspace.at("expected"), list);
    expect(treeOf(workspace.at("image"))).toEqual(treeOf(workspace.at("expected")));
    expect(statSync(workspace.at("image")).mode & 0o777).toBe(0o755);
    for (const name of readdirSync(workspace.at("image"))) {
      expect(statSync(workspace.at("image", name)).mode & 0o777).toBe(0o644);
    }
  });

  test("replaces all of an earlier image", async () => {
    using workspace = new Workspace();
    writeDirectory(workspace.at("image"), earlier);
    writeFileSync(workspace.at("image", "signature-1"), "of the earlier image");
    writeDirectory(workspace.at("expected"), sample);
    await keep(workspace.at("image"), sample);
    expect(treeOf(workspace.at("image"))).toEqual(treeOf(workspace.at("expected")));
  });

  test.each(["a file that is no image's", "a version from the future", "a version that is none"])(
    "refuses a directory with %s",
    async (what) => {
      using workspace = new Workspace();
      mkdirSync(workspace.at("image"));
      writeFileSync(workspace.at("image", "precious"), "x");
      const version = what.endsWith("future") ? "Directory Transport Version: 9.0\n" : "x";
      if (!what.startsWith("a file")) writeFileSync(workspace.at("image", "version"), version);
      const before = treeOf(workspace.path);
      expect(await rejection(open(workspace.at("image")))).toMatchObject({
        message: what.endsWith("future")
          ? `unsupported directory transport version "9.0" at ${workspace.at("image")}`
          : "not a containers image directory, don't want to overwrite important data",
      });
      expect(treeOf(workspace.path)).toEqual(before);
    },
  );

  test("refuses a file", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("image"), "");
    expect(await rejection(open(workspace.at("image")))).toMatchObject({
      code: "io",
      message: `open ${workspace.at("image")}: not a directory`,
    });
  });

  test("F5: a failed copy leaves no directory where there was none", async () => {
    using workspace = new Workspace();
    {
      await using destination = await open(workspace.at("image"));
      await putSample(destination, sample);
    }
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  test("F5: a failed copy leaves an empty directory empty", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("image"));
    {
      await using destination = await open(workspace.at("image"));
      await putSample(destination, sample);
    }
    expect(treeOf(workspace.path)).toEqual({ image: "directory" });
  });

  test("F5: a blob that both images have stays if the copy fails", async () => {
    using workspace = new Workspace();
    writeDirectory(workspace.at("image"), sample);
    const before = treeOf(workspace.path);
    {
      await using destination = await open(workspace.at("image"));
      await putSample(destination, sample);
    }
    expect(treeOf(workspace.path)).toEqual(before);
  });

  test("F5: an image that cannot be moved into place leaves the earlier one", async () => {
    using workspace = new Workspace();
    writeDirectory(workspace.at("image"), earlier);
    const [layer = sample.config] = sample.layers;
    // A directory has the name of a blob: nothing can replace it.
    mkdirSync(workspace.at("image", hexOf(layer.digest)));
    const before = treeOf(workspace.path);
    expect(await rejection(keep(workspace.at("image"), sample))).toMatchObject({ code: "io" });
    expect(treeOf(workspace.path)).toEqual(before);
  });

  test("does not keep a blob of the earlier image whose content is wrong", async () => {
    using workspace = new Workspace();
    writeDirectory(workspace.at("image"), sample);
    const [layer = sample.config] = sample.layers;
    const damaged = Buffer.from(layer.bytes);
    damaged[0] = 0;
    writeFileSync(workspace.at("image", hexOf(layer.digest)), damaged);
    await using destination = await open(workspace.at("image"));
    expect(await destination.reuseBlob(descriptorOf(layer), "layer")).toBeUndefined();
    expect(await destination.reuseBlob(descriptorOf(sample.config), "config")).toBeDefined();
  });

  test("F10: follows no link that was planted at the name of a blob", async () => {
    using workspace = new Workspace();
    writeDirectory(workspace.at("image"), earlier);
    const [layer = sample.config] = sample.layers;
    writeFileSync(workspace.at("precious"), layer.bytes);
    const names = [hexOf(layer.digest), "signature-1"];
    for (const name of names) symlinkSync("../precious", workspace.at("image", name));
    await using destination = await open(workspace.at("image"));
    const { digest, mediaType } = descriptorOf(layer);
    expect(await destination.reuseBlob({ digest, mediaType }, "layer")).toBeUndefined();
    writeFileSync(workspace.at("precious"), "precious");
    await putSample(destination, sample);
    await destination.putSignatures([new Uint8Array([1])], someManifest);
    await destination.commit();
    expect(readFileSync(workspace.at("precious"), "utf8")).toBe("precious");
    expect(statSync(workspace.at("image", hexOf(layer.digest))).size).toBe(layer.bytes.length);
  });

  test("F11: old leftovers go with the next commit, fresh ones stay", async () => {
    using workspace = new Workspace();
    writeDirectory(workspace.at("image"), earlier);
    const [old, fresh] = [workspace.at("image"), workspace.at("image")].map(temporaryPath);
    for (const path of [old, fresh]) mkdirSync(path ?? "");
    const longAgo = statSync(workspace.path).mtimeMs / 1000 - 2 * (limits.leftoverMs / 1000);
    utimesSync(old ?? "", longAgo, longAgo);
    await keep(workspace.at("image"), sample);
    const names = readdirSync(workspace.at("image")).map((name) => workspace.at("image", name));
    expect(names).toContain(fresh ?? "");
    expect(names).not.toContain(old ?? "");
  });

  test("F11: a directory with nothing but leftovers counts as empty", async () => {
    using workspace = new Workspace();
    mkdirSync(temporaryPath(workspace.at("image")), { recursive: true });
    await keep(workspace.at("image"), sample);
    expect(readdirSync(workspace.at("image"))).toContain("manifest.json");
  });

  test("the last of two copies to one directory wins, whole", async () => {
    using workspace = new Workspace();
    await using first = await open(workspace.at("image"));
    await using second = await open(workspace.at("image"));
    await Promise.all([putSample(first, earlier), putSample(second, sample)]);
    await first.commit();
    await second.commit();
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    writeDirectory(workspace.at("expected"), sample);
    expect(treeOf(workspace.at("image"))).toEqual(treeOf(workspace.at("expected")));
  });

  test("a kept blob that somebody took away meanwhile fails the commit", async () => {
    using workspace = new Workspace();
    writeDirectory(workspace.at("image"), sample);
    await using destination = await open(workspace.at("image"));
    const { image } = await admitted(sample);
    const [layer = sample.config] = sample.layers;
    await destination.reuseBlob(descriptorOf(layer), "layer");
    await keep(workspace.at("image"), earlier);
    await destination.putManifest(image.publish());
    expect(await rejection(destination.commit())).toMatchObject({
      code: "io",
      message: expect.stringMatching(/was changed by somebody else while the image was written$/),
    });
    expect(readFileSync(workspace.at("image", "manifest.json"), "utf8")).toBe(
      Buffer.from(earlier.manifest.bytes).toString(),
    );
  });

  test("names files by the algorithm where it is not SHA-256", async () => {
    using workspace = new Workspace();
    const { image } = await admitted(sample);
    const instance = parseDigest(
      `sha512:${Bun.CryptoHasher.hash("sha512", image.manifest.bytes, "hex")}`,
    );
    await using destination = await open(workspace.at("image"));
    await destination.putManifest(image.publish(), instance);
    await destination.putManifest(image.publish());
    await destination.commit();
    expect(readdirSync(workspace.at("image"))).toContain(`sha512-${hexOf(instance)}.manifest.json`);
    expect(readFileSync(workspace.at("image", "version"), "utf8")).toEndWith(" 1.2\n");
  });

  testWith("root", "mount")(
    "F9: a full disk leaves the earlier image and nothing else",
    async () => {
      using disk = new SmallDisk(4 * 1024 * 1024);
      writeDirectory(disk.at("image"), earlier);
      const before = treeOf(disk.path);
      const large = sampleImage({ ballastBytes: 3_000_000 });
      expect(await rejection(keep(disk.at("image"), large))).toMatchObject({
        code: "io",
        message: expect.stringMatching(/^write .*: no space left on device/),
      });
      expect(treeOf(disk.path)).toEqual(before);
    },
  );

  test("F4: a killed copy leaves the earlier image readable", async () => {
    using workspace = new Workspace();
    writeDirectory(workspace.at("image"), earlier);
    const completed = await writeUntilKilled(`dir:${workspace.at("image")}`);
    const source = await dir.parseReference(workspace.at("image")).openSource(transportContext());
    const { bytes } = await source.readManifest();
    expect(completed).toBeGreaterThan(0);
    expect(JSON.parse(Buffer.from(bytes).toString()).layers).toHaveLength(3);
    for (const name of readdirSync(workspace.at("image"))) {
      if (!/^[0-9a-f]{64}$/.test(name)) continue;
      const content = readFileSync(workspace.at("image", name));
      expect(Bun.CryptoHasher.hash("sha256", content, "hex")).toBe(name);
    }
  });
});

function open(path: string): Promise<ImageDestination> {
  return dir.parseReference(path).openDestination(transportContext());
}

async function keep(path: string, sample: Sample): Promise<void> {
  await using destination = await open(path);
  await putSample(destination, sample);
  await destination.commit();
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
