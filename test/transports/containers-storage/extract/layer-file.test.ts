import { expect, test } from "bun:test";
import { openSync, readFileSync } from "node:fs";
import { LayerFile } from "../../../../transports/containers-storage/extract/layer-file.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { Workspace } from "../../../support/workspace.ts";

test("LayerFile writes what comes, and finishes when it is told to", () => {
  using workspace = new Workspace();
  let finished = 0;
  {
    const descriptor = openSync(workspace.at("x"), "wx");
    using file = new LayerFile(descriptor, "/shown", () => (finished += 1));
    file.write(Buffer.from("ab"));
    file.write(Buffer.from("c"));
    expect(finished).toBe(0);
    file.complete();
  }
  expect([readFileSync(workspace.at("x"), "utf8"), finished]).toEqual(["abc", 1]);
});

test("LayerFile names what it could not write", () => {
  const file = new LayerFile(openSync("/dev/full", "w"), "/shown", () => undefined);
  expect(failureOf(() => file.write(Buffer.from("ab")))).toMatchObject({
    code: "io",
    message: "write /shown: no space left on device",
  });
  file[Symbol.dispose]();
});
