// Reading directories, made by others and not always well.

import { describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { limits } from "../../../core/limits.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { dir } from "../../../transports/dir/reference.ts";
import { sampleImage, writeDirectory } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";
import { someManifest } from "../../support/some-manifest.ts";

const sample = sampleImage({ ballastBytes: 100 });

describe("the source of dir", () => {
  test("reads a directory without a version file", async () => {
    using workspace = filled();
    rmSync(workspace.at("image", "version"));
    await using source = await open(workspace);
    const manifest = await source.readManifest();
    expect(manifest.mediaType).toBe(sample.manifest.mediaType);
    expect(Buffer.compare(manifest.bytes, sample.manifest.bytes)).toBe(0);
  });

  test("says which manifest it did not find", async () => {
    using workspace = filled();
    rmSync(workspace.at("image", "manifest.json"));
    await using source = await open(workspace);
    expect(await rejection(source.readManifest())).toMatchObject({
      code: "io",
      message: `open ${workspace.at("image")}/manifest.json: no such file or directory`,
    });
  });

  test("knows no type of a manifest that looks like none", async () => {
    using workspace = filled();
    writeFileSync(workspace.at("image", "manifest.json"), "nonsense");
    await using source = await open(workspace);
    expect((await source.readManifest()).mediaType).toBe("");
  });

  test.each([
    ["Directory Transport Version: 9.9\n", "unsupported"],
    ["something else", "corrupt"],
  ])("refuses the version file %j", async (text, code) => {
    using workspace = filled();
    writeFileSync(workspace.at("image", "version"), text);
    expect(await rejection(open(workspace))).toMatchObject({ code });
  });

  test("P1: does not read a manifest beyond its limit", async () => {
    using workspace = filled();
    writeFileSync(workspace.at("image", "manifest.json"), new Uint8Array(limits.manifestBytes + 1));
    await using source = await open(workspace);
    expect(await rejection(source.readManifest())).toMatchObject({ code: "corrupt" });
  });

  test("reads signatures up to the first number that is missing", async () => {
    using workspace = filled();
    for (const number of [1, 2, 4]) {
      writeFileSync(workspace.at("image", `signature-${number}`), `s${number}`);
    }
    await using source = await open(workspace);
    const read = (await source.readSignatures(someManifest)).map((each) =>
      Buffer.from(each).toString(),
    );
    expect(read).toEqual(["s1", "s2"]);
  });

  test("P1: has enough of signatures at some point", async () => {
    using workspace = filled();
    for (let number = 1; number <= limits.signatures + 1; number++) {
      writeFileSync(workspace.at("image", `signature-${number}`), "s");
    }
    await using source = await open(workspace);
    expect(await rejection(source.readSignatures(someManifest))).toMatchObject({ code: "corrupt" });
  });

  test("a directory in place of a blob is a failure", async () => {
    using workspace = filled();
    mkdirSync(workspace.at("image", "signature-1"));
    await using source = await open(workspace);
    expect(await rejection(source.readSignatures(someManifest))).toMatchObject({ code: "io" });
  });
});

function filled(): Workspace {
  const workspace = new Workspace();
  writeDirectory(workspace.at("image"), sample);
  return workspace;
}

function open(workspace: Workspace): Promise<ImageSource> {
  return dir.parseReference(workspace.at("image")).openSource(transportContext());
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
