// Bench of compressors: one layer of real files, compressed by us, the original, and others.
//
//     bun scripts/bench-compressors.ts                              five runs each
//     bun scripts/bench-compressors.ts --runs=9 --against=/opt/skopeo
//
// Prints a Markdown table. What is missing of the original, pigz, gzip and zstd is left out.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { executable, run } from "../test/support/run.ts";
import { imageOf, mediaTypes, sampleConfig, writeLayout } from "../test/support/sample-images.ts";
import { realArchive } from "./bench-images.ts";

const { values } = parseArgs({
  options: {
    against: { type: "string", default: "skopeo" },
    megabytes: { type: "string", default: "200" },
    runs: { type: "string", default: "5" },
  },
});

/** Formats, and who else writes them. */
const formats = [
  [
    "gzip",
    [
      ["pigz", "-6"],
      ["gzip", "-6"],
    ],
  ],
  ["zstd", [["zstd", "-3"]]],
  ["zstd:chunked", []],
] as const satisfies readonly (readonly [string, readonly (readonly string[])[]])[];

const directory = mkdtempSync(join(tmpdir(), "dray-bench-"));
try {
  await bench();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** One way to compress the layer. */
interface Compressor {
  readonly label: string;
  readonly program: string;
  /** Words that make it write into `fresh`, which is not there yet. */
  words(fresh: string): readonly string[];
}

async function bench(): Promise<void> {
  const layer = realArchive(Number(values.megabytes) * 1_000_000);
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", layer, "hex")}`;
  const blob = { mediaType: mediaTypes.oci.none, bytes: layer, digest };
  const layout = join(directory, "layout");
  mkdirSync(layout);
  writeLayout(layout, { "1": imageOf("oci", sampleConfig("oci", [digest]), [blob], [digest]) });
  const file = join(layout, "blobs/sha256", digest.slice(7));
  print(`One layer of ${(layer.length / 1e6).toFixed(0)} MB.\n`);
  print("| format | program | MB | wall ms | CPU ms |");
  print("|---|---|--:|--:|--:|");
  for (const [format, others] of formats) {
    const compressors = [
      ...[executable, values.against].map((program) => copier(program, format, layout)),
      ...others.map(([program = "", ...words]) => packer(program, words, file)),
    ];
    for (const compressor of compressors.filter(({ program }) => Bun.which(program) !== null)) {
      print(await lineOf(format, compressor));
    }
  }
}

function copier(program: string, format: string, layout: string): Compressor {
  const words = ["--insecure-policy", "copy", "-q", `--dest-compress-format=${format}`];
  const label = program === executable ? "dray" : "skopeo";
  return { label, program, words: (fresh) => [...words, `oci:${layout}:1`, `oci:${fresh}:1`] };
}

function packer(program: string, words: readonly string[], file: string): Compressor {
  const shell = Bun.which("sh") ?? "/bin/sh";
  const told = [program, ...words].join(" ");
  const script = (fresh: string) =>
    `mkdir ${fresh} && exec ${told} -q -c ${file} > ${fresh}/packed`;
  return { label: told, program: shell, words: (fresh) => ["-c", script(fresh)] };
}

async function lineOf(format: string, { label, program, words }: Compressor): Promise<string> {
  const walls: number[] = [];
  const cpus: number[] = [];
  let bytes = 0;
  for (let time = 0; time <= Number(values.runs); time += 1) {
    const fresh = join(directory, "fresh");
    const { code, stderr, wallMs, cpuMs } = await run(words(fresh), { cwd: directory, program });
    if (code !== 0) throw new Error(`${label}: ${stderr}`);
    bytes = largestBelow(fresh);
    rmSync(fresh, { recursive: true });
    // The first one warms up.
    if (time === 0) continue;
    walls.push(wallMs);
    cpus.push(cpuMs);
  }
  const cells = [
    format,
    label,
    (bytes / 1e6).toFixed(1),
    median(walls).toFixed(0),
    median(cpus).toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}

function largestBelow(path: string): number {
  const files = readdirSync(path, { recursive: true, withFileTypes: true });
  const sizes = files.map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  return Math.max(...sizes);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
