import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readAllLocated, readLocated } from "../../../core/config/located-file.ts";
import type { Locations } from "../../../core/config/locations.ts";
import { rejection } from "../../support/rejection.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-located-"));
  for (const directory of ["etc/r.conf.d", "etc/r.rootless.conf.d/1000", "user/r.conf.d"]) {
    mkdirSync(join(root, directory), { recursive: true });
  }
  const files = {
    "etc/r.conf": "main",
    "etc/r.conf.d/10.conf": "ten of all",
    "etc/r.conf.d/20.conf": "twenty of all",
    "etc/r.conf.d/ignored.txt": "",
    "etc/r.conf.d/30.conf~": "",
    "etc/r.rootless.conf.d/1000/15.conf": "fifteen of one",
    "user/r.conf.d/20.conf": "twenty of mine",
    override: "override",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  symlinkSync(join(root, "override"), join(root, "etc/r.conf.d/90.conf"));
  mkdirSync(join(root, "etc/r.conf.d/95.conf"));
});
afterAll(() => rmSync(root, { recursive: true }));

const at = (...names: readonly string[]) => join(root, ...names);

async function texts(locations: Partial<Locations>): Promise<string[]> {
  const read: string[] = [];
  const main = { kind: "default", paths: [at("none"), at("etc/r.conf")] } as const;
  for await (const { bytes } of readAllLocated({ main, dropIns: [], ...locations }, "reading")) {
    read.push(new TextDecoder().decode(bytes));
  }
  return read;
}

describe("readLocated", () => {
  test("takes the first that exists, and nothing where none does", async () => {
    const paths = [at("none"), at("etc/r.conf"), at("override")];
    expect((await readLocated({ kind: "default", paths }))?.path).toBe(at("etc/r.conf"));
    expect(await readLocated({ kind: "default", paths: [at("none")] })).toBeUndefined();
  });

  test("does not go on to the next when one cannot be read", async () => {
    const paths = [at("etc"), at("etc/r.conf")];
    expect(await rejection(readLocated({ kind: "default", paths }))).toMatchObject({
      code: "config",
    });
  });
});

describe("readAllLocated", () => {
  test("reads what adds to the main file by the names of the files, each name once", async () => {
    const dropIns = [
      at("user/r.conf.d"),
      at("etc/r.conf.d"),
      at("etc/r.rootless.conf.d"),
      at("etc/r.rootless.conf.d/1000"),
      at("none/r.conf.d"),
    ];
    expect(await texts({ dropIns, override: at("override") })).toEqual([
      "main",
      "ten of all",
      "fifteen of one",
      "twenty of mine",
      "override",
    ]);
  });

  test("says which file cannot be read", async () => {
    expect(await rejection(texts({ override: at("none") }))).toMatchObject({
      code: "config",
      message: `reading "${at("none")}": open ${at("none")}: no such file or directory`,
    });
  });

  test("does without a main file", async () => {
    const main = { kind: "default", paths: [] } as const;
    expect(await texts({ main, dropIns: [at("user/r.conf.d")] })).toEqual(["twenty of mine"]);
  });
});
