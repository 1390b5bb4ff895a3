import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";

import { GrowingFile } from "../../../core/blob/growing-file.ts";
import { failureOf } from "../../support/engine.ts";
import { Workspace } from "../../support/workspace.ts";

const bytes = new TextEncoder().encode("a file that grows");

describe("GrowingFile", () => {
  test("gives back what was added, from anywhere, while it grows", async () => {
    using workspace = new Workspace();
    await using file = await GrowingFile.create(workspace.path);
    expect((await file.read(0, 10)).length).toBe(0);
    await file.append(bytes.subarray(0, 5));
    expect(await file.read(2, 100)).toEqual(Buffer.from(bytes.subarray(2, 5)));
    await file.append(bytes.subarray(5));
    expect(file.size).toBe(bytes.length);
    expect(await file.read(0, 4)).toEqual(Buffer.from(bytes.subarray(0, 4)));
    expect(await file.read(3, 100)).toEqual(Buffer.from(bytes.subarray(3)));
    expect((await file.read(bytes.length, 10)).length).toBe(0);
  });

  test("has no name that could be left behind", async () => {
    using workspace = new Workspace();
    await using file = await GrowingFile.create(workspace.path);
    await file.append(bytes);
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  test("is closed once, however often it is disposed of", async () => {
    using workspace = new Workspace();
    const file = await GrowingFile.create(workspace.path);
    await file[Symbol.asyncDispose]();
    await file[Symbol.asyncDispose]();
    expect((await failureOf(file.append(bytes))).code).toBe("io");
    expect(file.size).toBe(0);
  });

  test("fails where there is no such directory", async () => {
    using workspace = new Workspace();
    expect((await failureOf(GrowingFile.create(workspace.at("none")))).code).toBe("io");
  });
});
