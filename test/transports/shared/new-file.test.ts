// NewFile: complete under its name, or not there at all.

import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { NewFile, replaceFile, syncDirectory } from "../../../transports/shared/new-file.ts";
import { isTemporaryName } from "../../../transports/shared/temporary.ts";
import { failureOf } from "../../support/failure-of.ts";
import { testWith } from "../../support/needs.ts";
import { SmallDisk } from "../../support/small-disk.ts";
import { Workspace } from "../../support/workspace.ts";

describe("NewFile", () => {
  test("F4: is hidden, unguessable and its owner's alone until it is published", async () => {
    using workspace = new Workspace();
    await using file = NewFile.create(workspace.path);
    await file.write(new Uint8Array([1, 2, 3]));
    const [hidden = ""] = readdirSync(workspace.path);
    expect(isTemporaryName(hidden)).toBe(true);
    expect(statSync(workspace.at(hidden)).mode & 0o777).toBe(0o600);
    await file.complete();
    file.publish(workspace.at("name"));
    expect(readdirSync(workspace.path)).toEqual(["name"]);
    expect(statSync(workspace.at("name")).mode & 0o777).toBe(0o644);
    expect([...readFileSync(workspace.at("name"))]).toEqual([1, 2, 3]);
  });

  test("F4: vanishes when it is disposed of unpublished, and leaves what had the name", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("name"), "old");
    {
      await using file = NewFile.create(workspace.path);
      await file.write(new Uint8Array(10));
      await file.complete();
    }
    expect(readdirSync(workspace.path)).toEqual(["name"]);
    expect(readFileSync(workspace.at("name"), "utf8")).toBe("old");
  });

  test("F10: replaces a link that stands at its name, and leaves alone what that leads to", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("precious"), "precious");
    symlinkSync("precious", workspace.at("name"));
    await replaceFile(workspace.at("name"), new Uint8Array([65]));
    expect(lstatSync(workspace.at("name")).isFile()).toBe(true);
    expect(readFileSync(workspace.at("precious"), "utf8")).toBe("precious");
  });

  test("writes so much that the disk is told to begin, and loses nothing", async () => {
    using workspace = new Workspace();
    const chunkBytes = 8 * 1024 * 1024;
    await using file = NewFile.create(workspace.path);
    for (let index = 0; index < 9; index++) {
      await file.write(new Uint8Array(8 * 1024 * 1024).fill(index));
      await Bun.sleep(0);
    }
    expect(file.size).toBe(9 * chunkBytes);
    await file.complete();
    file.publish(workspace.at("name"));
    const written = readFileSync(workspace.at("name"));
    expect(written.length).toBe(9 * chunkBytes);
    expect(Array.from({ length: 9 }, (_, index) => written[index * chunkBytes])).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });

  test.each([true, false])("gives the memory of its pieces back if told so: %p", async (told) => {
    using workspace = new Workspace();
    await using file = NewFile.create(workspace.path);
    if (told) file.takeMemory();
    const pieces = [1, 2, 3].map((value) => new Uint8Array(300_000).fill(value));
    const part = new Uint8Array(2_000_000).subarray(1_000_000);
    for (const piece of [...pieces, part]) await file.write(piece);
    await file.complete();
    file.publish(workspace.at("name"));
    expect(pieces.map(({ length }) => length)).toEqual(pieces.map(() => (told ? 0 : 300_000)));
    // What is only a part of its memory may be one of many.
    expect(part.length).toBe(1_000_000);
    const written = readFileSync(workspace.at("name"));
    expect(written.length).toBe(1_900_000);
    expect([0, 300_000, 600_000, 900_000].map((at) => written[at])).toEqual([1, 2, 3, 0]);
  });

  test("replaceFile keeps the mode of the file that it replaces", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("name"), "old");
    chmodSync(workspace.at("name"), 0o640);
    await replaceFile(workspace.at("name"), new Uint8Array([65]), statSync(workspace.at("name")));
    expect(statSync(workspace.at("name")).mode & 0o777).toBe(0o640);
  });

  testWith("root", "mount")("F9: names the path on a full disk, and leaves nothing", async () => {
    using disk = new SmallDisk(1024 * 1024);
    const work = async (): Promise<void> => {
      await using file = NewFile.create(disk.path, disk.at("name"));
      for (;;) await file.write(new Uint8Array(64 * 1024));
    };
    expect(await work().catch((error: unknown) => error)).toMatchObject({
      code: "io",
      message: expect.stringMatching(
        /^write .*\/name: no space left on device \(after [0-9]+ bytes\)$/,
      ),
      hint: "free some space there, or write somewhere else",
    });
    expect(readdirSync(disk.path)).toEqual([]);
  });

  testWith("root", "mount")("F9: takes no part of a piece for all of it", async () => {
    using disk = new SmallDisk(1024 * 1024);
    await using file = NewFile.create(disk.path);
    await file.write(new Uint8Array(3 * 1024 * 1024));
    expect(file.complete()).rejects.toThrow("no space left on device");
  });

  test.each([
    ["a directory that is not there", "no", /^open .*: no such file or directory$/],
    ["a file taken for a directory", "file", /^open .*: not a directory$/],
  ])("F9: fails with io in %s", (_, name, message) => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), "");
    const failure = failureOf(() => NewFile.create(workspace.at(name)));
    expect(failure).toMatchObject({ code: "io", message: expect.stringMatching(message) });
  });

  test("fails with io if its name is taken by a directory", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("name"));
    const failure = await replaceFile(workspace.at("name"), new Uint8Array()).catch((e) => e);
    expect(failure).toMatchObject({ code: "io" });
    expect(readdirSync(workspace.path)).toEqual(["name"]);
  });
});

test("syncDirectory fails with io where there is no directory", async () => {
  using workspace = new Workspace();
  await syncDirectory(workspace.path);
  const failure = await syncDirectory(workspace.at("no")).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "io" });
});
