import { describe, expect, test } from "bun:test";

import type { Json } from "../../../../core/json.ts";
import {
  contentAt,
  contentsAt,
  fileAt,
  filesAt,
} from "../../../../core/trust/requirements/key-source.ts";
import { failureOf } from "../../../support/failure-of.ts";

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
