// Start-up: what every pull loads, in one place, so that nobody adds to it unawares.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

/** What is loaded, at once or later, whenever an image is looked at or pulled. */
const pulled = [
  "cli/main.ts",
  "cli/run.ts",
  "cli/commands/copy.ts",
  "cli/commands/inspect.ts",
  "core/config/registries-file.ts",
  "core/http-tls.ts",
  "core/trust/policy.ts",
  "core/trust/sigstore/find-bundles.ts",
  "transports/dir/destination.ts",
  "transports/dir/source.ts",
  "transports/docker/lookaside.ts",
  "transports/docker/source.ts",
  "transports/oci/destination.ts",
  "transports/oci/source.ts",
];

const transpiler = new Bun.Transpiler({ loader: "ts" });

/** Returns the packages, and the modules of the runtime, that files import statically. */
function loadedWith(files: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const others = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: target, kind } of transpiler.scanImports(readFileSync(path))) {
      if (kind !== "import-statement") continue;
      if (target.startsWith(".")) visit(join(path, "..", target));
      else others.add(target);
    }
  };
  for (const file of files) visit(join(root, file));
  return [...others].sort();
}

/** `node:crypto`, `node:util` and `node:stream` would bring 2 to 4 ms of Node's streams with them. */
test("a pull loads nothing of the runtime but what it cannot do without", () => {
  expect(loadedWith(pulled)).toEqual([
    "bun:ffi",
    "citty",
    "consola/core",
    "node:fs",
    "node:os",
    "node:path",
    "valibot",
  ]);
});

test("the version loads nothing but the tree of commands", () => {
  expect(loadedWith(["cli/main.ts"])).toEqual(["citty"]);
});
