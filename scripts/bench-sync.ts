// Bench sync: 100 small images that share layers, from a registry to another and into directories.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { imageOn } from "../test/support/many-images.ts";
import { startPeerRegistry } from "../test/support/peers.ts";
import { pushSample } from "../test/support/push.ts";
import { type RunResult, run } from "../test/support/run.ts";
import { sampleImage } from "../test/support/sample-images.ts";

/** Who is timed, and where. */
export interface SyncBench {
  /** An empty directory. */
  readonly directory: string;
  readonly programs: { readonly ours: string; readonly theirs: string };
  readonly runs: number;
}

/** What one row came to, in the order of the runs. */
export interface SyncRow {
  readonly what: string;
  readonly ours: readonly RunResult[];
  readonly theirs: readonly RunResult[];
}

const repositories = 25;
const tags = 4;
const bases = 5;

/** Times both programs by turns, each into places that did not exist. */
export async function benchSync({ directory, programs, runs }: SyncBench): Promise<SyncRow[]> {
  mkdirSync(directory, { recursive: true });
  await using source = await startPeerRegistry({ directory: join(directory, "source") });
  writeFileSync(join(directory, "images.yaml"), await fill(source.host));
  const rows = ["sync docker→docker", "the same again", "sync docker→dir"].map((what) => ({
    what,
    ours: [] as RunResult[],
    theirs: [] as RunResult[],
  }));
  for (let time = 0; time < runs; time++) {
    const order = time % 2 === 0 ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const);
    for (const side of order) {
      const results = await once(programs[side], join(directory, `${side}-${time}`), directory);
      for (const [index, result] of results.entries()) rows[index]?.[side].push(result);
    }
  }
  return rows;
}

async function fill(host: string): Promise<string> {
  const lines = [`${host}:`, "  tls-verify: false", "  images:"];
  const built = Array.from({ length: bases }, (_, index) =>
    sampleImage({ seed: `base ${index}`, format: "oci", layers: ["gzip", "gzip"], odd: false }),
  );
  for (let number = 0; number < repositories; number++) {
    const repository = `team/r${number}`;
    lines.push(`    ${repository}: []`);
    for (let tag = 0; tag < tags; tag++) {
      const base = built[number % bases] ?? sampleImage();
      const target = { registry: `http://${host}`, repository, tag: String(tag) };
      await pushSample(target, imageOn(base, `${number} ${tag}`));
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Copies all images to a registry, once more, and into directories. */
async function once(program: string, place: string, cwd: string): Promise<readonly RunResult[]> {
  mkdirSync(place, { recursive: true });
  const results: RunResult[] = [];
  {
    await using target = await startPeerRegistry({ directory: join(place, "registry") });
    const args = [
      "--dest-tls-verify=false",
      "--dest=docker",
      "images.yaml",
      `${target.host}/mirror`,
    ];
    results.push(await sync(program, args, { cwd, home: place }));
    results.push(await sync(program, args, { cwd, home: place }));
  }
  mkdirSync(join(place, "images"));
  const args = ["--dest=dir", "images.yaml", join(place, "images")];
  results.push(await sync(program, args, { cwd, home: place }));
  rmSync(place, { recursive: true, force: true });
  return results;
}

async function sync(
  program: string,
  args: readonly string[],
  { cwd, home }: { readonly cwd: string; readonly home: string },
): Promise<RunResult> {
  // What an earlier run left to be written must not slow this one down.
  Bun.spawnSync(["sync"]);
  const all = ["--insecure-policy", "sync", "--src=yaml", ...args];
  const result = await run(all, { cwd, program, env: { HOME: home } });
  if (result.code !== 0) throw new Error(`${program} ${all.join(" ")}: ${result.stderr}`);
  return result;
}
