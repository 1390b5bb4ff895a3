// Registries configuration: what several files say together.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readRegistriesConf } from "../../../core/config/registries-conf.ts";
import { rejection } from "../../support/rejection.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-registries-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const write = (name: string, text: string) => {
  mkdirSync(join(root, name, ".."), { recursive: true });
  writeFileSync(join(root, name), text);
  return join(root, name);
};
const entry = (prefix: string, location: string) =>
  `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n`;

function logTo(lines: string[]) {
  return { debug: (line: string) => void lines.push(line), info() {}, warn() {} };
}

describe("readRegistriesConf", () => {
  test("lets later files take the place of entries and lists", async () => {
    const main = write(
      "main",
      `credential-helpers = ["one"]\n${entry("a.example", "main.example")}${entry("b.example", "main.example")}${entry("c.example", "main.example")}`,
    );
    const dropIn = write("r.conf.d/1.conf", `${entry("b.example", "drop.example")}typo = 1`);
    const override = write(
      "override",
      `credential-helpers = []\n${entry("c.example", "last.example")}`,
    );
    const heard: string[] = [];
    const conf = await readRegistriesConf(
      { main: { kind: "named", path: main }, dropIns: [join(root, "r.conf.d")], override },
      logTo(heard),
    );
    expect(conf.registries.map(({ prefix, location }) => [prefix, location])).toEqual([
      ["a.example", "main.example"],
      ["b.example", "drop.example"],
      ["c.example", "last.example"],
    ]);
    expect(conf.credentialHelpers).toEqual([]);
    expect(conf.files).toEqual([main, dropIn, override]);
    expect(heard).toEqual([`Ignoring the unknown keys of "${dropIn}": registry.typo`]);
  });

  test("has nothing to say where there are no files", async () => {
    const none = { kind: "default", paths: [join(root, "none")] } as const;
    expect(await readRegistriesConf({ main: none, dropIns: [] }, logTo([]))).toEqual({
      registries: [],
      files: [],
    });
  });

  test("fails for a file that is wrong by itself, whatever others say", async () => {
    const main = { kind: "named", path: write("fine", "") } as const;
    const path = write("wrong", "[[registry]]");
    expect(
      await rejection(readRegistriesConf({ main, dropIns: [], override: path }, logTo([]))),
    ).toMatchObject({
      code: "config",
      message: `loading registries configuration "${path}": invalid condition: both location and prefix are unset`,
    });
  });

  test.each(["main", "override"])(
    "fails if the %s file was named and is not there",
    async (which) => {
      const path = join(root, "none");
      const main = { kind: "named", path: which === "main" ? path : write("fine", "") } as const;
      const reading = readRegistriesConf({ main, dropIns: [], override: path }, logTo([]));
      expect(await rejection(reading)).toMatchObject({
        code: "config",
        message: `loading registries configuration "${path}": open ${path}: no such file or directory`,
      });
    },
  );
});
