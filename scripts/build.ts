// Builds the executable: one file per target, the same bytes from the same sources.
//
//     bun scripts/build.ts              for this machine, as dist/dray
//     bun scripts/build.ts --all        for every target, as dist/<target>/dray
//     bun scripts/build.ts linux-arm64  for one target

import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import { $ } from "bun";

import { version } from "../package.json";

/** Where the executable can run, and what Bun calls that. */
const targets = {
  "linux-x64": "bun-linux-x64",
  "linux-arm64": "bun-linux-arm64",
  "darwin-x64": "bun-darwin-x64",
  "darwin-arm64": "bun-darwin-arm64",
} as const;

type Target = keyof typeof targets;

const root = `${import.meta.dir}/..`;

/** Builds one executable at `outfile`; without a target, for the machine that this runs on. */
async function build(outfile: string, target?: Target): Promise<void> {
  await Bun.build({
    entrypoints: [`${root}/cli/main.ts`],
    format: "esm",
    minify: true,
    bytecode: true,
    // A module that is not imported is not parsed: 2 ms to the version instead of 8.
    splitting: true,
    sourcemap: "linked",
    define: {
      "globalThis.DRAY_VERSION": JSON.stringify(version),
      "globalThis.DRAY_COMMIT": JSON.stringify(await commit()),
    },
    compile: {
      outfile,
      ...(target === undefined ? {} : { target: targets[target] }),
      // Most runs are over before optimised code would pay: a sixth less processor time for small images,
      // and no more for large ones.
      jitPolicy: 4,
      // Otherwise a .env or bunfig.toml in the current directory would run somebody else's code.
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  await removeMaps(dirname(outfile));
  console.log(`Built ${outfile.replace(`${root}/`, "")}`);
}

/** The executable holds the source maps; Bun writes them beside it as well. */
async function removeMaps(directory: string): Promise<void> {
  for await (const map of new Bun.Glob("*.map").scan(directory)) await rm(join(directory, map));
}

/** The commit that the sources are of, or nothing where there is no repository. */
async function commit(): Promise<string> {
  const { exitCode, stdout } = await $`git -C ${root} rev-parse HEAD`.quiet().nothrow();
  return exitCode === 0 ? stdout.toString().trim() : "";
}

function isTarget(word: string): word is Target {
  return Object.hasOwn(targets, word);
}

const [word] = process.argv.slice(2);
if (word === undefined) {
  await build(`${root}/dist/dray`);
} else if (word === "--all") {
  for (const target of Object.keys(targets).filter(isTarget)) {
    await build(`${root}/dist/${target}/dray`, target);
  }
} else if (isTarget(word)) {
  await build(`${root}/dist/${word}/dray`, word);
} else {
  console.error(`Unknown target "${word}"; known are ${Object.keys(targets).join(", ")} and --all`);
  process.exitCode = 1;
}
