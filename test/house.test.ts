import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { lineAt, readSources, type Source, sourceOf } from "./support/sources.ts";

const root = join(import.meta.dir, "..");
const sources = readSources(root, ["cli", "core", "transports", "scripts", "test"]);

/** One rule of the house, and files that break it: what is never found is never looked for. */
interface Rule {
  readonly name: string;
  /** Returns what is wrong, each as `path:line: why`. */
  find(sources: readonly Source[]): readonly string[];
  readonly broken: readonly (readonly [path: string, text: string])[];
  readonly fine?: readonly (readonly [path: string, text: string])[];
}

// Rooms

type Room =
  | "failure"
  | "tools"
  | "content"
  | "blob"
  | "image-reading"
  | "manifest"
  | "trust"
  | "image"
  | "copy"
  | "inspect"
  | "cache"
  | "sync"
  | "proxy"
  | "config"
  | "transport"
  | "transports-shared"
  | "transport-table"
  | "cli"
  | "outside";

const small = ["failure", "tools"] as const;
const reading = [...small, "content", "blob", "image-reading"] as const;
const judging = [...reading, "manifest", "trust"] as const;
const working = [...judging, "cache", "image", "copy", "inspect", "sync", "proxy"] as const;

/** What each room may import from; files of a room may import each other, but see `transport`. */
const mayImport: Readonly<Record<Room, readonly Room[]>> = {
  failure: [],
  tools: ["failure"],
  content: small,
  blob: [...small, "content"],
  "image-reading": [...small, "content", "blob"],
  manifest: reading,
  trust: [...reading, "manifest"],
  cache: [...small, "content"],
  image: [...judging, "cache"],
  copy: working,
  inspect: working,
  sync: working,
  proxy: working,
  config: [...reading, "image"],
  transport: [...reading, "cache", "image", "manifest", "transports-shared"],
  "transports-shared": [...reading, "image", "manifest"],
  "transport-table": ["image", "transport"],
  cli: [...working, "config", "transport-table"],
  outside: [...working, "config", "transport", "transports-shared", "transport-table", "cli"],
};

function roomOf(path: string): Room | undefined {
  if (path === "core/failure.ts") return "failure";
  if (path === "transports/table.ts") return "transport-table";
  if (path === "core/image/name.ts" || path === "core/image/source.ts") return "image-reading";
  if (/^core\/[^/]+$/.test(path)) return "tools";
  if (path.startsWith("transports/shared/")) return "transports-shared";
  if (/^transports\/[^/]+\//.test(path)) return "transport";
  if (path.startsWith("cli/")) return "cli";
  if (/^(scripts|test)\//.test(path)) return "outside";
  const room = /^core\/([^/]+)\//.exec(path)?.[1];
  return Object.keys(mayImport).find((known): known is Room => known === room);
}

/** Returns why one file may not import another; empty if it may. */
function objection(from: string, to: string): string {
  const room = roomOf(from);
  const target = roomOf(to);
  if (room === undefined) return "stands in a room without rules, give it some in house.test.ts";
  if (room === "outside") return "";
  if (target === undefined || target === "outside") return `imports ${to}, which nobody may`;
  const folder = (path: string) => path.split("/").slice(0, 2).join("/");
  if (room === "transport" && target === "transport") {
    return folder(from) === folder(to) ? "" : `imports ${to}, of another transport`;
  }
  if (room === "transport-table" && target === "transport" && !to.endsWith("/reference.ts")) {
    return `imports ${to}, but only the reference.ts of a transport may be loaded always`;
  }
  if (room === target || mayImport[room].includes(target)) return "";
  return `imports ${to}, but ${room} may not see ${target}`;
}

const rooms: Rule = {
  name: "imports go down, types included",
  find: (files) =>
    files.flatMap(({ path, imports }) =>
      imports
        .filter(({ isPackage }) => !isPackage)
        .map(({ target, line }) => [objection(path, target), line] as const)
        .filter(([why]) => why !== "")
        .map(([why, line]) => `${path}:${line}: ${why}`),
    ),
  broken: [
    ["core/failure.ts", `import { limits } from "./limits.ts";`],
    ["core/json.ts", `import type { Digest } from "./content/digest.ts";`],
    ["core/content/a.ts", `import type { ByteStream } from "../blob/stream.ts";`],
    ["core/blob/a.ts", `export * from "../manifest/oci.ts";`],
    ["core/image/source.ts", `import type { Policy } from "../trust/gate.ts";`],
    ["core/manifest/a.ts", `import type { Transport } from "../image/transport.ts";`],
    ["core/trust/a.ts", `import type { Transport } from "../image/transport.ts";`],
    ["core/copy/a.ts", `import { locate } from "../config/locations.ts";`],
    ["core/copy/a.ts", `const { docker } = await import("../../transports/docker/reference.ts");`],
    ["core/config/a.ts", `import type { Gate } from "../trust/gate.ts";`],
    ["core/cache/a.ts", `import type { Transport } from "../image/transport.ts";`],
    ["core/new/a.ts", `import { x } from "./b.ts";`],
    ["transports/dir/a.ts", `import { x } from "../oci/layout.ts";`],
    ["transports/dir/a.ts", `import type { AdmittedImage } from "../../core/trust/gate.ts";`],
    ["transports/shared/a.ts", `import { dir } from "../dir/reference.ts";`],
    ["transports/table.ts", `import { openSource } from "./dir/source.ts";`],
    ["cli/a.ts", `import { dir } from "../transports/dir/reference.ts";`],
    ["cli/a.ts", `import { build } from "../scripts/build.ts";`],
    ["core/copy/a.ts", `import { sample } from "../../test/support/sample-images.ts";`],
  ],
  fine: [
    ["transports/dir/a.ts", `import { x } from "./b.ts"; // not from "../oci/layout.ts"`],
    ["cli/a.ts", 'const text = `import { x } from "../transports/dir/reference.ts"`;'],
  ],
};

const circles: Rule = {
  name: "no file imports itself by way of others, types included",
  find: findCircles,
  broken: [
    ["core/copy/a.ts", `import type { A } from "./a.ts";`],
    ["core/copy/a.ts", `const a = () => import("./a.ts");`],
  ],
};

function findCircles(files: readonly Source[]): readonly string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push(`${[...trail.slice(trail.indexOf(path)), path].join(" → ")}: is a circle`);
      return;
    }
    if (done.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}

// Packages

/** Who may import a package. Node's own modules are not listed, but for those that reach outside. */
const doors: readonly (readonly [name: RegExp, door: RegExp])[] = [
  [/^citty$/, /^cli\/(command|main)\.ts$/],
  [/^consola(\/|$)/, /^cli\/output\/log\.ts$/],
  [/^tar-stream$/, /^transports\/shared\/tar-writer\.ts$/],
  [/^valibot$/, /^core\//],
  [/^openpgp$/, /^core\/trust\/openpgp(-encryption)?\.ts$/],
  [/^@noble\/ciphers(\/|$)/, /^core\/trust\/sigstore\/key-file\.ts$/],
  [/^jose$/, /^core\/blob\/jwe\.ts$/],
  [/^yaml$/, /^core\/yaml\.ts$/],
  // The two sides of the house that speak to the system may not see each other.
  [/^bun:ffi$/, /^(transports\/shared\/libc\/library|cli\/proxy\/descriptors)\.ts$/],
  [/^bun:sqlite$/, /^core\/cache\/sqlite\.ts$/],
  [/^node:process$/, /^cli\//],
  [/^node:(http|https|http2|net|tls|dgram|dns)(\/|$)/, /^core\/http[^/]*\.ts$/],
  [/^node:child_process$/, /^$/],
  [/^node:/, /^/],
];

const packages: Rule = {
  name: "each package has one door",
  find: (files) =>
    files
      .filter(({ path }) => roomOf(path) !== "outside")
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ isPackage, target }) => {
            const door = doors.find(([name]) => name.test(target));
            return isPackage && (door === undefined || !door[1].test(path));
          })
          .map(({ target, line }) => `${path}:${line}: imports ${target} past its door`),
      ),
  broken: [
    ["cli/help.ts", `import { defineCommand } from "citty";`],
    ["cli/output/progress.ts", `import { createConsola } from "consola/basic";`],
    ["transports/oci/layout.ts", `import { pack } from "tar-stream";`],
    ["cli/compose.ts", `import * as v from "valibot";`],
    ["core/blob/a.ts", `import { dlopen } from "bun:ffi";`],
    ["core/cache/memory.ts", `import { Database } from "bun:sqlite";`],
    ["core/blob/a.ts", `const left = require("left-pad");`],
    ["core/environment.ts", `import { env } from "node:process";`],
    ["transports/docker/client.ts", `import { request } from "node:https";`],
  ],
};

// Words

interface Words {
  readonly name: string;
  readonly pattern: RegExp;
  /** Which files may not say it. */
  readonly where: RegExp;
  /** Those of them that may. */
  readonly but?: RegExp;
  readonly view?: "code" | "text";
  readonly broken: readonly string[];
  readonly fine?: readonly string[];
}

const product = /^(cli|core|transports|scripts)\//;
const machine = /^(core|transports)\//;

const words: readonly Words[] = [
  {
    name: "core and transports are told what they need: no process, no environment, no terminal",
    pattern:
      /\bprocess\s*[.?[]|\bBun\s*\.\s*(env|argv|main|std(in|out|err))\b|\bimport\.meta\.env\b|\b(homedir|tmpdir|userInfo)\s*\(/,
    where: machine,
    broken: [
      "process.env.HOME;",
      "Bun.env;",
      "const out = Bun.stdout;",
      "globalThis.process.exit(1);",
    ],
    fine: ["// process.env", `const word = "process.env";`, "processed.push(1);"],
  },
  {
    name: "core and transports print nothing",
    pattern: /\bconsole\s*[.?[]/,
    where: machine,
    broken: ["console.log(1);", "globalThis.console.warn(1);"],
  },
  {
    name: "only core/http.ts fetches",
    pattern: /\bfetch\s*\(|\bFetchSession\b|\bBun\s*\.\s*(connect|listen|serve)\b|\bWebSocket\b/,
    where: /^(cli|core|transports)\//,
    but: /^core\/http\.ts$/,
    broken: ["await fetch(url);", "session.fetch (url);", "new Bun.FetchSession();"],
    fine: ["prefetch(url);"],
  },
  {
    name: "clocks and randomness are handed in",
    pattern:
      /\bnew Date\s*(\(\s*\)|[;,)])|(?<!new )\bDate\s*\(|\bDate\s*\.\s*now\b|\bMath\s*\.\s*random\b/,
    where: machine,
    broken: ["new Date();", "Date.now();", "const random = Math.random;", "new Date;"],
    fine: ["new Date(text);", "performance.now();"],
  },
  {
    name: "no cast that could forge an admission",
    pattern:
      /\bas\s+(unknown\s+as|any|never)\b|\b(as|is)\s+(OutgoingBlob|OutgoingManifest|AdmittedImage)\b|\bsetPrototypeOf\b|\bReflect\s*\.\s*construct\b|\bObject\s*\.\s*create\s*\((?!\s*null\b)/,
    where: product,
    broken: [
      "const blob = found as unknown as OutgoingBlob;",
      "x as any;",
      "x as\n  never;",
      "({}) as OutgoingManifest;",
      "Object.create(OutgoingManifest.prototype);",
      "Reflect.construct(AdmittedImage, []);",
    ],
    fine: ["const names = [] as const;", "Object.create(null);", "// as any"],
  },
  {
    name: "what is written to is opened where everything that goes there was admitted",
    pattern: /\.\s*(openDestination|packLayout)\s*(\?\.\s*)?\(/,
    where: /^(cli|core)\//,
    but: /^(core\/copy\/(copy|copy-layers|rehearsal)|cli\/sync\/place)\.ts$/,
    broken: ["await reference.openDestination(context);", "oci.packLayout?.(a, b, context);"],
    fine: ["reference.openProbe?.(context);", "openDestination(request);"],
  },
  {
    name: "nothing is of type any",
    pattern: /[:<,|(=]\s*any\b(?!\s*[(:])|\bany\s*\[\]/,
    where: product,
    broken: ["let x: any;", "const list: any[] = [];", "new Map<string, any>();"],
    fine: ["const any = 1;", `const text = "x: any";`],
  },
  {
    name: "the compiler is not silenced",
    pattern: /@ts-(ignore|nocheck|expect-error)/,
    where: product,
    view: "text",
    broken: ["// @ts-ignore", "/* @ts-expect-error: x */"],
  },
  {
    name: "nothing is asserted not to be null",
    pattern: /[\w$)\]]!(?!=)/,
    where: product,
    broken: ["list[0]!.length;", "find()!;", "class A { name!: string }"],
    fine: ["if (a !== b && !c) {}", `const text = "no!";`, "if (/x!/.test(a)) {}"],
  },
  {
    name: "no error is swallowed",
    pattern: /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}/,
    where: /^/,
    broken: ["try { a(); } catch {}", "try { a(); } catch (error) { /* never mind */ }"],
    fine: ["try { a(); } catch { b(); }"],
  },
  {
    name: "nothing is left to do",
    pattern: /\b(TODO|FIXME|XXX)\b/,
    where: product,
    view: "text",
    broken: ["// TODO: later"],
  },
  {
    name: "nothing that loses data silently in this runtime",
    pattern:
      /\bgunzipSync\b|\b(createZstdDecompress|zstdDecompressSync|createZstdCompress)\b|\bnbWorkers\b|\.\s*writer\s*\(\s*\)|\bprompt\s*\(/,
    where: product,
    broken: ["Bun.gunzipSync(bytes);", "Bun.file(path).writer();", "createZstdDecompress();"],
    fine: ["const writer = await openWriter();"],
  },
  {
    name: "no test is singled out, and nothing is patched",
    pattern: /\b(test|describe|it)\s*\.\s*only\b|\bmock\s*\.\s*module\b/,
    where: /^test\/(?!house)/,
    broken: [`test.only("x", () => {});`, `mock.module("./x.ts", () => ({}));`],
  },
];

function ruleOfWords({ name, pattern, where, but, view = "code", broken, fine = [] }: Words): Rule {
  const global = new RegExp(pattern, "g");
  const somewhere = where.test("core/x/a.ts") ? "core/x/a.ts" : "test/a.test.ts";
  const there = (text: string) => [somewhere, text] as const;
  return {
    name,
    find: (files) =>
      files
        .filter(({ path }) => where.test(path) && but?.test(path) !== true)
        .flatMap((file) =>
          [...file[view].matchAll(global)].map(({ 0: match, index }) => {
            const said = file.text.slice(index, index + match.length).replace(/\s+/g, " ");
            return `${file.path}:${lineAt(file.text, index)}: says ${said}`;
          }),
        ),
    broken: broken.map(there),
    fine: fine.map(there),
  };
}

// Files

const firstLines: Rule = {
  name: "the first line of a file says what it is",
  find: (files) =>
    files
      .filter(({ path }) => !path.endsWith(".test.ts"))
      .filter(({ text }) => !/^\/\/ [^\n]*\w[^\n]*\.\n/.test(text))
      .map(({ path }) => `${path}:1: does not begin with a sentence in a comment`),
  broken: [
    ["core/a.ts", "export {};\n"],
    ["core/a.ts", "// Something\n"],
    ["core/a.ts", "\n// Something.\n"],
  ],
  fine: [["core/a.ts", "// Something: what it is.\n"]],
};

const documented: Rule = {
  name: "every name that core and transports export has a doc comment",
  find: (files) =>
    files
      .filter(({ path }) => machine.test(path))
      .flatMap(({ path, text }) => {
        const lines = text.split("\n");
        return lines.flatMap((line, index) => {
          const name = /^export (?:async |abstract )?(?:[a-z]+\*?) (\w+)/.exec(line)?.[1];
          if (name === undefined || /^export (type )?[{*]/.test(line)) return [];
          if (lines[index - 1]?.endsWith("*/") === true) return [];
          return [`${path}:${index + 1}: exports ${name} without a doc comment`];
        });
      }),
  broken: [
    ["core/a.ts", "// A.\n\nexport const a = 1;\n"],
    ["core/a.ts", "// A.\n\n// A comment.\nexport async function* b() {}\n"],
    ["core/a.ts", "// A.\n\nexport interface C {}\n"],
  ],
  fine: [
    ["core/a.ts", "// A.\n\n/** A. */\nexport const a = 1;\n"],
    ["core/a.ts", `// A.\n\n// For b.\nexport type { C } from "./c.ts";\n`],
  ],
};

const transpiler = new Bun.Transpiler({ loader: "ts" });

const tested: Rule = {
  name: "every file of core and transports that has something to run has a test file",
  find: (files) =>
    files
      .filter(({ path }) => machine.test(path))
      .filter(({ text }) => /=>|\bfunction\b|\bclass\b/.test(transpiler.transformSync(text)))
      .map(({ path }) => [path, `test/${path.replace(/\.ts$/, ".test.ts")}`] as const)
      .filter(([, path]) => !existsSync(join(root, path)))
      .map(([path, missing]) => `${path}:1: has no ${missing}`),
  broken: [["core/a.ts", "// A.\n\nexport const a = () => 1;\n"]],
  fine: [["core/a.ts", "// A.\n\nexport interface A {\n  a(): () => void;\n}\n"]],
};

const rules = [rooms, circles, packages, ...words.map(ruleOfWords), firstLines, documented, tested];

describe.each(rules.map((rule) => [rule.name, rule] as const))("the house: %s", (_, rule) => {
  test("holds everywhere", () => {
    expect(rule.find(sources)).toEqual([]);
  });

  test.each(rule.broken)("is seen to be broken in %s by %j", (path, text) => {
    expect(rule.find([sourceOf(path, text)])).not.toEqual([]);
  });

  test.each(rule.fine ?? [])("is not broken in %s by %j", (path, text) => {
    expect(rule.find([sourceOf(path, text)])).toEqual([]);
  });
});

test("a circle is seen over several files", () => {
  const a = sourceOf("core/a.ts", `import type { B } from "./b.ts";`);
  const b = sourceOf("core/b.ts", `export { c } from "./c/c.ts";`);
  const c = sourceOf("core/c/c.ts", `const a = () => import("../a.ts");`);
  expect(findCircles([a, b, c])).toEqual([
    "core/a.ts → core/b.ts → core/c/c.ts → core/a.ts: is a circle",
  ]);
});

test("a complaint names the line", () => {
  const file = sourceOf("core/a.ts", `// A.\n\nimport { x } from "bun:ffi";\n`);
  expect(packages.find([file])).toEqual(["core/a.ts:3: imports bun:ffi past its door"]);
});

describe("the house: dependencies", () => {
  const manifest: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const dependencies = Object.entries({
    ...manifest["dependencies"],
    ...manifest["devDependencies"],
  });

  test.each(dependencies)("B4: %s is of an exact version", (_, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("there are no other kinds of them", () => {
    const kinds = Object.keys(manifest).filter((key) => /dependencies$/i.test(key));
    expect(kinds).toEqual(["dependencies", "devDependencies"]);
  });

  test("all of them stand in a table of the README", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const rows = readme.split("\n").filter((line) => line.startsWith("|"));
    const named = (name: string) =>
      rows.some((row) => new RegExp(`(?<!\\w)${name}[\`\\])]`).test(row));
    expect(dependencies.map(([name]) => name).filter((name) => !named(name))).toEqual([]);
  });
});
