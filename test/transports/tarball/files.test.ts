// The archives that a name stands for.

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { parseFiles } from "../../../transports/tarball/files.ts";
import { failureOf } from "../../support/failure-of.ts";
import { Workspace } from "../../support/workspace.ts";

describe("parseFiles", () => {
  test("parts the names at colons", () => {
    using workspace = new Workspace();
    const files = [workspace.at("a"), workspace.at("b")];
    for (const file of files) writeFileSync(file, "");
    expect(parseFiles(files.join(":"))).toEqual(files);
    expect(parseFiles(`-:${workspace.at("a")}`)).toEqual(["-", workspace.at("a")]);
  });

  test.each([
    ["/no/such.tar", 'error opening "/no/such.tar": open /no/such.tar: no such file or directory'],
    ["", 'error opening "": open : no such file or directory'],
    ["-:", 'error opening "": open : no such file or directory'],
  ])("refuses %j", (text, message) => {
    expect(failureOf(() => parseFiles(text))).toMatchObject({ code: "io", message });
  });

  test("takes standard input once", () => {
    expect(failureOf(() => parseFiles("-:-"))).toMatchObject({
      code: "usage",
      message: "Standard input can be read only once",
    });
  });
});
