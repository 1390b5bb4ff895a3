// Bench: times the executable against the original, on real work with a real registry.
//
//     bun scripts/bench.ts                                  everything, five runs each
//     bun scripts/bench.ts --rows=start-up,oci→docker       some rows (-> does for →)
//     bun scripts/bench.ts --images="3 MB,40 layers"        some images
//     bun scripts/bench.ts --runs=9 --against=/opt/skopeo   more runs, another original
//     bun scripts/bench.ts --requests                       no times: what is asked of a registry
//     bun scripts/bench.ts --sync                           sync of 100 small images
//
// Prints a Markdown table. Needs docker-registry and the original on the PATH.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { arch, cpus, release, tmpdir, type } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { countedCopies } from "../test/support/counted-copies.ts";
import { startPeerRegistry } from "../test/support/peers.ts";
import { type RunResult, executable, run, succeed } from "../test/support/run.ts";
import { benchSync } from "./bench-sync.ts";
import { type BenchImage, type BenchImageName, benchImages } from "./bench-images.ts";

/** Where one run of a row reads and writes. */
interface Ground {
  readonly image: BenchImage;
  /** A directory of its own, not there yet. */
  readonly fresh: string;
  /** A repository of its own, not there yet. */
  readonly repository: string;
}

/** What is timed, as a command line. */
type Row = (ground: Ground) => readonly string[];

/** The same for both programs, or one command of ours and several of the original's, one after the other. */
type Contest = Row | { readonly ours: Row; readonly theirs: readonly Row[] };

const copy = [
  "--insecure-policy",
  "copy",
  "-q",
  "--src-tls-verify=false",
  "--dest-tls-verify=false",
];

/** These do not depend on the size of an image, and are timed with the first one only. */
const smallRows: Readonly<Record<string, Row>> = {
  "start-up": () => ["--version"],
  inspect: ({ image }) => ["inspect", "--tls-verify=false", image.docker],
};

const copyRows: Readonly<Record<string, Row>> = {
  "docker→dir": ({ image, fresh }) => [...copy, image.docker, `dir:${fresh}`],
  "docker→oci": ({ image, fresh }) => [...copy, image.docker, `oci:${fresh}:1`],
  "oci→docker": ({ image, repository }) => [...copy, image.oci, `docker://${repository}:1`],
  "dir→docker": ({ image, repository }) => [...copy, image.dir, `docker://${repository}:1`],
  "oci→oci": ({ image, fresh }) => [...copy, image.oci, `oci:${fresh}:1`],
  "docker→docker": ({ image, repository }) => [...copy, image.docker, `docker://${repository}:1`],
};

const toDirectory: Row = ({ image, fresh }) => [...copy, image.docker, `dir:${fresh}-1`];
const toLayout: Row = ({ image, fresh }) => [...copy, image.docker, `oci:${fresh}-2:1`];
const toOtherLayout: Row = ({ image, fresh }) => [...copy, image.docker, `oci:${fresh}-3:1`];
const alsoLayout: Row = (ground) => [...toDirectory(ground), `--also=oci:${ground.fresh}-2:1`];
const alsoLayouts: Row = (ground) => [...alsoLayout(ground), `--also=oci:${ground.fresh}-3:1`];

/** One copy to several places, against as many copies. */
const severalRows: Readonly<Record<string, Contest>> = {
  "docker→1 place": toDirectory,
  "docker→2 places": { ours: alsoLayout, theirs: [toDirectory, toLayout] },
  "docker→3 places": { ours: alsoLayouts, theirs: [toDirectory, toLayout, toOtherLayout] },
};

/** These read or write an archive, which is made for them alone. */
const archiveRows: Readonly<Record<string, Row>> = {
  "docker→docker-archive": ({ image, fresh }) => [
    ...copy,
    image.docker,
    `docker-archive:${fresh}:bench/image:1`,
  ],
  "docker-archive→oci": ({ image, fresh }) => [...copy, image.archive, `oci:${fresh}:1`],
  "docker-archive→docker": ({ image, repository }) => [
    ...copy,
    image.archive,
    `docker://${repository}:1`,
  ],
};

/** These compress layers anew, which are gzip where they come from. */
const compressionRows: Readonly<Record<string, Row>> = {
  "docker→oci as zstd": ({ image, fresh }) => [
    ...copy,
    "--dest-compress-format=zstd",
    image.docker,
    `oci:${fresh}:1`,
  ],
  "docker→oci as zstd:chunked": ({ image, fresh }) => [
    ...copy,
    "--dest-compress-format=zstd:chunked",
    image.docker,
    `oci:${fresh}:1`,
  ],
  "dir→docker as zstd": ({ image, repository }) => [
    ...copy,
    "--dest-compress-format=zstd",
    "--dest-force-compress-format",
    image.dir,
    `docker://${repository}:1`,
  ],
};

/** These write or read a store of containers' images, which takes root. */
const storeRows: Readonly<Record<string, Row>> = {
  "oci→containers-storage": ({ image, fresh }) => [...copy, image.oci, storeImage(fresh)],
  "containers-storage→oci": ({ image, fresh }) => [
    ...copy,
    storeImage(image.store),
    `oci:${fresh}:1`,
  ],
  "containers-storage→dir": ({ image, fresh }) => [
    ...copy,
    storeImage(image.store),
    `dir:${fresh}`,
  ],
};

const { values } = parseArgs({
  options: {
    against: { type: "string", default: "skopeo" },
    images: { type: "string", default: Object.keys(benchImages).join(",") },
    rows: {
      type: "string",
      default: Object.keys({
        ...smallRows,
        ...copyRows,
        ...severalRows,
        ...archiveRows,
        ...compressionRows,
        ...storeRows,
      }).join(","),
    },
    requests: { type: "boolean", default: false },
    sync: { type: "boolean", default: false },
    runs: { type: "string", default: "5" },
  },
});

const runs = Number(values.runs);
const rows = values.rows.replaceAll("->", "→").split(",");
const programs = { ours: executable, theirs: values.against } as const;

/** How many places to write to there were so far. */
let grounds = 0;

const directory = mkdtempSync(join(tmpdir(), "dray-bench-"));
try {
  if (values.sync) await benchImagesTogether();
  else await (values.requests ? benchRequests() : bench());
} finally {
  removeDirectory();
}

/** A store that somebody has left mounted must not hide why the bench has failed. */
function removeDirectory(): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    console.error(`${directory} stays: ${error}`);
  }
}

async function bench(): Promise<void> {
  await using registry = await startPeerRegistry({ directory: join(directory, "registry") });
  print("| what | image | wall ms (dray / skopeo) | ratio | CPU ms | ratio | peak MB | ratio |");
  print("|---|---|--:|--:|--:|--:|--:|--:|");
  for (const [index, name] of values.images.split(",").entries()) {
    const make = benchImages[imageName(name)];
    const place = { directory: join(directory, `image-${index}`), host: registry.host };
    const made = await make({ ...place, repository: `bench/image-${index}` });
    const image = await withStore(await withArchive(made));
    const timedRows: Readonly<Record<string, Contest>> = {
      ...(index === 0 ? smallRows : {}),
      ...copyRows,
      ...severalRows,
      ...archiveRows,
      ...compressionRows,
      ...storeRows,
    };
    for (const [what, row] of Object.entries(timedRows)) {
      if (!rows.includes(what)) continue;
      // What does not copy is so short that only many runs tell.
      const times = what in smallRows ? runs * 4 : runs;
      const label = what in smallRows ? "" : name;
      print(lineOf(what, label, await timed(row, { image, host: registry.host, times })));
    }
    removeStore(join(place.directory, "store"));
    rmSync(place.directory, { recursive: true, force: true });
  }
  await explain();
}

/** Times what it takes to synchronize many images. */
async function benchImagesTogether(): Promise<void> {
  print("| 100 small images | wall ms (dray / skopeo) | ratio | CPU ms | ratio |");
  print("|---|--:|--:|--:|--:|");
  for (const { what, ours, theirs } of await benchSync({ directory, programs, runs })) {
    const cells = (["wallMs", "cpuMs"] as const).flatMap((of) => {
      const [mine, other] = [ours, theirs].map((side) => median(side.map((each) => each[of])));
      const [a = 0, b = 1] = [mine, other];
      return [`${a.toFixed(0)} / ${b.toFixed(0)}`, (a / b).toFixed(2)];
    });
    print(`| ${[what, ...cells].join(" | ")} |`);
  }
}

/** Counts what copies of 40 small layers ask of a registry in memory that wants tokens. */
async function benchRequests(): Promise<void> {
  const ours = await countedCopies(programs.ours);
  const theirs = await countedCopies(programs.theirs);
  print("| 40 small layers | requests (dray / skopeo) | connections |");
  print("|---|--:|--:|");
  for (const [index, { what, requests, connections }] of ours.entries()) {
    const other = theirs[index];
    if (other === undefined) throw new Error(`${programs.theirs} did not ${what}`);
    const cells = [
      what,
      `${requests.length} / ${other.requests.length}`,
      `${connections} / ${other.connections}`,
    ];
    print(`| ${cells.join(" | ")} |`);
  }
}

/** The original writes the archive: whatever it costs to read its own, it has chosen itself. */
async function withArchive(image: BenchImage): Promise<BenchImage> {
  if (rows.some((row) => row in archiveRows)) {
    const program = programs.theirs;
    await succeed([...copy, image.oci, image.archive], { cwd: directory, program });
  }
  return image;
}

/** Likewise the store. */
async function withStore(image: BenchImage): Promise<BenchImage> {
  if (rows.some((row) => row in storeRows)) {
    const program = programs.theirs;
    await succeed([...copy, image.oci, storeImage(image.store)], { cwd: directory, program });
  }
  return image;
}

/** The original mounts a store onto itself, and leaves it so. */
function removeStore(path: string): void {
  if (existsSync(join(path, "g/overlay"))) {
    Bun.spawnSync(["umount", join(path, "g/overlay")], { stderr: "ignore" });
  }
  rmSync(path, { recursive: true, force: true });
}

function storeImage(path: string): string {
  return `containers-storage:[overlay@${path}/g+${path}/r]localhost/bench:1`;
}

function imageName(text: string): BenchImageName {
  const names = Object.keys(benchImages) as readonly BenchImageName[];
  const name = names.find((each) => each === text);
  if (name === undefined) throw new Error(`there is no image ${text}, only ${names.join(", ")}`);
  return name;
}

/** The medians of both programs. */
interface Comparison {
  readonly ours: Medians;
  readonly theirs: Medians;
}

interface Medians {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
}

interface Timing {
  readonly image: BenchImage;
  readonly host: string;
  readonly times: number;
}

/** Runs both by turns, so that whatever else the machine does meets both alike. */
async function timed(contest: Contest, { image, host, times }: Timing): Promise<Comparison> {
  const results = { ours: [] as RunResult[], theirs: [] as RunResult[] };
  const peaks = { ours: 0, theirs: 0 };
  const once = async (side: keyof Comparison, watchMemory: boolean): Promise<RunResult> => {
    grounds += 1;
    const fresh = join(directory, `fresh-${grounds}`);
    const ground = { image, fresh, repository: `${host}/bench/fresh-${grounds}` };
    // What an earlier run left to be written must not slow this one down.
    if (contest !== smallRows["start-up"]) Bun.spawnSync(["sync"]);
    const results: RunResult[] = [];
    for (const row of rowsOf(contest, side)) {
      const args = row(ground);
      const result = await run(args, { cwd: directory, program: programs[side], watchMemory });
      if (result.code !== 0) {
        throw new Error(`${programs[side]} ${args.join(" ")}: ${result.stderr}`);
      }
      results.push(result);
    }
    removeStore(fresh);
    for (const number of [1, 2, 3]) {
      rmSync(`${fresh}-${number}`, { recursive: true, force: true });
    }
    return together(results);
  };
  // Memory is watched apart from time: watching takes some. This also warms both up.
  for (const side of ["ours", "theirs"] as const) {
    for (let time = 0; time < 2; time += 1) {
      peaks[side] = Math.max(peaks[side], (await once(side, true)).peakBytes);
    }
  }
  for (let time = 0; time < times; time += 1) {
    const order = time % 2 === 0 ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const);
    for (const side of order) results[side].push(await once(side, false));
  }
  const medians = (side: keyof Comparison): Medians => ({
    wallMs: median(results[side].map(({ wallMs }) => wallMs)),
    cpuMs: median(results[side].map(({ cpuMs }) => cpuMs)),
    peakBytes: peaks[side],
  });
  return { ours: medians("ours"), theirs: medians("theirs") };
}

function rowsOf(contest: Contest, side: keyof Comparison): readonly Row[] {
  if (typeof contest === "function") return [contest];
  return side === "ours" ? [contest.ours] : contest.theirs;
}

/** Takes runs that followed each other for one. */
function together(results: readonly RunResult[]): RunResult {
  const [first] = results;
  if (first === undefined) throw new Error("nothing was run");
  const sum = (of: "wallMs" | "cpuMs") => results.reduce((all, each) => all + each[of], 0);
  const peakBytes = Math.max(...results.map((each) => each.peakBytes));
  return { ...first, wallMs: sum("wallMs"), cpuMs: sum("cpuMs"), peakBytes };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [
    sorted[sorted.length % 2 === 0 ? middle - 1 : middle],
    sorted[middle],
  ];
  return (low + high) / 2;
}

function lineOf(what: string, image: string, { ours, theirs }: Comparison): string {
  const pair = (first: number, second: number) => {
    const digits = Math.max(first, second) < 100 ? 1 : 0;
    const ratio = second === 0 ? "" : (first / second).toFixed(2);
    return `${first.toFixed(digits)} / ${second.toFixed(digits)} | ${ratio}`;
  };
  const cells = [
    what,
    image,
    pair(ours.wallMs, theirs.wallMs),
    pair(ours.cpuMs, theirs.cpuMs),
    pair(ours.peakBytes / 1e6, theirs.peakBytes / 1e6),
  ];
  return `| ${cells.join(" | ")} |`;
}

async function explain(): Promise<void> {
  const version = async (program: string) =>
    (await run(["--version"], { cwd: directory, program })).stdout.trim();
  const [cpu] = cpus();
  print(`
\`${await version(programs.ours)}\` against \`${await version(programs.theirs)}\` on ${cpus().length} × ${cpu?.model ?? "unknown"},
${type()} ${release()} ${arch()}, with docker-registry on loopback. Medians of ${runs} runs (${runs * 4} for start-up and inspect),
the programs by turns, each into a destination that did not exist, after \`sync\`, with files in the page cache and no
cache of blobs. CPU is user and system time of the program alone; peak memory is the highest of two runs of their own.`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
