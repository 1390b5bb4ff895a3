import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";

import type { Json } from "../../../../core/json.ts";
import {
  contentAt,
  contentsAt,
  fileAt,
  filesAt,
  readKeySource,
  spelledSource,
} from "../../../../core/trust/requirements/key-source.ts";
import { limits } from "../../../../core/limits.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { rejection } from "../../../support/rejection.ts";
import { Workspace } from "../../../support/workspace.ts";

const placed = (value: Json) => ({ value, at: "here" });
const bytes = (text: string) => Buffer.from(text);

describe("a key source", () => {
  test("is absent where no member is", () => {
    for (const read of [fileAt, filesAt, contentAt, contentsAt]) {
      expect(read(undefined)).toBeUndefined();
    }
  });

  test("is a file, or absent where the path is empty", () => {
    expect(fileAt(placed("/k"))).toEqual({ kind: "files", paths: ["/k"] });
    expect(fileAt(placed(""))).toBeUndefined();
  });

  test("is several files", () => {
    expect(filesAt(placed(["/k", "/l"]))).toEqual({ kind: "files", paths: ["/k", "/l"] });
  });

  test("is content, which may be empty", () => {
    expect(contentAt(placed("YQ=="))).toEqual({ kind: "contents", contents: [bytes("a")] });
    expect(contentAt(placed(""))).toEqual({ kind: "contents", contents: [bytes("")] });
  });

  test("is several contents", () => {
    expect(contentsAt(placed(["YQ==", "Yg=="]))).toEqual({
      kind: "contents",
      contents: [bytes("a"), bytes("b")],
    });
  });

  test.each<[string, () => unknown]>([
    ["a path that is none", () => fileAt(placed(1))],
    ["a null among the paths", () => filesAt(placed(["/k", null]))],
    ["a path where a list should be", () => filesAt(placed("/k"))],
    ["data that is not base64", () => contentAt(placed("!"))],
    ["data that is not base64, in a list", () => contentsAt(placed(["YQ==", "!"]))],
  ])("G5: is not read from %s", (_, read) => {
    expect(failureOf(read)).toMatchObject({ code: "config" });
  });
});

test("spelledSource says where keys come from", () => {
  expect(spelledSource({ kind: "files", paths: ["/a", "/b"] })).toBe("/a, /b");
  expect(spelledSource({ kind: "contents", contents: [bytes("x")] })).toBe("in the policy");
  expect(spelledSource({ kind: "contents", contents: [bytes("x"), bytes("y")] })).toBe(
    "2 in the policy",
  );
});

describe("readKeySource", () => {
  test("returns what is in each file, in order", async () => {
    using workspace = new Workspace();
    const paths = ["b", "a"].map((name) => workspace.at(name));
    for (const path of paths) writeFileSync(path, path);
    expect(await readKeySource({ kind: "files", paths })).toEqual(paths.map(bytes));
  });

  test("returns what stands in the policy", async () => {
    const contents = [bytes("a"), bytes("b")];
    expect(await readKeySource({ kind: "contents", contents })).toBe(contents);
  });

  test("G4: fails on a file that is not there, or is none", async () => {
    using workspace = new Workspace();
    const missing = workspace.at("missing");
    expect(await rejection(readKeySource({ kind: "files", paths: [missing] }))).toMatchObject({
      code: "config",
      message: `open ${missing}: no such file or directory`,
    });
    expect(
      await rejection(readKeySource({ kind: "files", paths: [workspace.path] })),
    ).toMatchObject({ code: "config", message: `read ${workspace.path}: is a directory` });
  });

  test("P1: fails on a file beyond the limit", async () => {
    using workspace = new Workspace();
    const paths = [workspace.at("large")];
    writeFileSync(workspace.at("large"), new Uint8Array(limits.keyFileBytes + 1));
    expect(await rejection(readKeySource({ kind: "files", paths }))).toMatchObject({
      code: "config",
      message: expect.stringContaining(`exceeded maximum allowed size`),
    });
  });
});
