// dray sync: many images, from one place to another.

import { appendFileSync, writeFileSync } from "node:fs";

import type { BlobInfo } from "../../core/cache/blob-info.ts";
import type { Tell } from "../../core/copy/events.ts";
import { asFailure, Failure, inContext } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { parseRenames } from "../../core/sync/rename.ts";
import { parseShard } from "../../core/sync/shard.ts";
import type { SyncGroup } from "../../core/sync/sync-image.ts";
import { checkDistinct, jobsFor, jobsOf } from "../../core/sync/jobs.ts";
import { surveyImages } from "../../core/sync/survey.ts";
import {
  type SyncEvent,
  syncImages,
  type SyncRequest,
  type SyncResult,
} from "../../core/sync/sync.ts";
import { tagChoice } from "../../core/sync/tag-filter.ts";
import { targetName } from "../../core/sync/target-name.ts";
import { type Call, defineTool } from "../command.ts";
import {
  beginOperation,
  contextOf,
  createPatience,
  gateOf,
  openBlobs,
  type Operation,
  platformWish,
} from "../compose.ts";
import {
  maybeText,
  maybeToggle,
  text,
  texts,
  toggle,
  unsigned,
  type Values,
} from "../flags/flag.ts";
import { authFileFlag, registryFlags, retryFlags } from "../flags/image.ts";
import { manifestFlags, manifestWish } from "../flags/manifest.ts";
import { parseMultiArch } from "../flags/multi-arch.ts";
import { reportFlags } from "../flags/reporting.ts";
import { signingFlags } from "../flags/signing.ts";
import { openReports } from "../output/open-reports.ts";
import { print } from "../output/print.ts";
import { failureTable, surveyAsJson, surveyTable } from "../output/sync-report.ts";
import { isTerminal } from "../output/terminal.ts";
import { retrying } from "../retrying.ts";
import { signingOf } from "../signers.ts";
import { parseKinds, sourceKinds, targetKinds } from "../sync/kinds.ts";
import { checkLocks, readLock, writeLock } from "../sync/lock.ts";
import { openPlace } from "../sync/place.ts";
import { prune } from "../sync/prune.ts";
import { findImages } from "../sync/sources.ts";

const flags = {
  source: registryFlags("src-"),
  target: registryFlags("dest-"),
  retry: retryFlags,
  reporting: reportFlags,
  authFile: authFileFlag("authfile"),
  manifest: manifestFlags,
  signing: signingFlags,
  src: text("src", "SOURCE transport type", { shorthand: "s" }),
  dest: text("dest", "DESTINATION transport type", { shorthand: "d" }),
  scoped: toggle(
    "scoped",
    "Images at DESTINATION are prefix using the full source image path as scope",
  ),
  appendSuffix: text("append-suffix", "String to append to DESTINATION tags"),
  digestFile: text(
    "digestfile",
    "Write the digests and Image References of the resulting images to the specified file, separated by newlines",
  ),
  all: toggle("all", "Copy all images if SOURCE-IMAGE is a list", { shorthand: "a" }),
  multiArch: maybeText(
    "multi-arch",
    "How to handle multi-architecture images (system, all, index-only, or comma-separated platform list like linux/amd64,linux/arm64)",
  ),
  strip: toggle(
    "strip-removed-platforms",
    "Strip removed platforms when copying specific platforms (requires signature removal)",
  ),
  dryRun: toggle("dry-run", "Run without actually copying data"),
  keepGoing: toggle("keep-going", "Do not abort the sync if any image copy fails"),
  overwrite: toggle("overwrite", "Replace images in directories that are there already"),
  jobs: unsigned("jobs", `Copy \`N\` images at a time (default ${limits.parallelImages})`),
  include: texts("include", "Take only tags that match `PATTERN` (may be given several times)"),
  exclude: texts("exclude", "Leave out tags that match `PATTERN` (may be given several times)"),
  semver: text("semver", "Take only tags that are versions within `RANGE`, such as '>=1.2, <2'"),
  newest: unsigned("newest", "Of each repository, take only the `N` tags of the highest versions"),
  map: texts(
    "map",
    "Change names at the destination by `RULE`, such as 's|^library/|mirror/|' (may be given several times)",
  ),
  writeLock: text("write-lock", "Write the digest that every image had to `FILE`"),
  locked: text("locked", "Copy exactly the images in `FILE`, which --write-lock has written"),
  shard: text(
    "shard",
    "Copy only part `I/N` of the images, or the part that the environment says (auto, auto/N)",
  ),
  prune: toggle("prune", "Show what the destination holds besides, and remove it with --yes"),
  yes: toggle("yes", "Do remove what --prune shows"),
  tlsVerify: maybeToggle(
    "tls-verify",
    "require HTTPS and verify certificates when talking to the container registry or daemon",
    { hidden: true },
  ),
};

type SyncCall = Call<Values<typeof flags>>;

/** Synchronizes images between registries, directories, layouts and archives. */
export const sync = defineTool({
  name: "sync",
  usage: "sync [command options] --src TRANSPORT --dest TRANSPORT SOURCE DESTINATION",
  summary: "Synchronize one or more images from one location to another",
  description: (program) =>
    `Copy all the images from a SOURCE to a DESTINATION.

Allowed SOURCE transports (specified with --src): ${sourceKinds.join(", ")}.
Allowed DESTINATION transports (specified with --dest): ${targetKinds.join(", ")}.

${program === "skopeo" ? "See skopeo-sync(1) for details." : "A SOURCE is written without its transport, as in registry.example.com/busybox."}`,
  examples: [
    "sync --src docker --dest dir --scoped registry.example.com/busybox /media/usb",
    "sync --src yaml --dest docker --keep-going images.yaml registry.example.com/mirror",
    "sync --src docker --dest oci --newest 3 registry.example.com/busybox layout",
  ],
  flags,
  async run(call) {
    await using operation = beginOperation(call);
    await using blobInfo = openBlobs(call);
    await synchronize(call, operation, blobInfo);
  },
});

async function synchronize(
  call: SyncCall,
  operation: Operation,
  blobInfo: BlobInfo,
): Promise<void> {
  const { flags: said, log } = call;
  const [source, destination] = call.operands;
  if (source === undefined || destination === undefined || call.operands.length !== 2) {
    throw call.misuse("Exactly two arguments expected");
  }
  if (said.tlsVerify !== undefined) {
    log.warn("'--tls-verify' is deprecated, instead use: --src-tls-verify, --dest-tls-verify");
  }
  const gate = await gateOf(call);
  const { from, to } = parseKinds(said);
  checkLocks(from, said);
  const { authFile, tlsVerify, retry } = said;
  const rename = parseRenames(said.map);
  const shard = said.shard === "" ? undefined : parseShard(said.shard, call.environment.variables);
  const filter = filterOf(call);
  // A pattern that is none is better found before anything is asked.
  tagChoice(filter);
  const missed: string[] = [];
  const groups = await findImages(from, source, {
    call,
    operation,
    blobInfo,
    flags: said.source,
    tlsVerify,
    authFile,
    retry,
    filter,
    locked: await readLock(said.locked),
    missed: (name) => missed.push(name),
  });
  const context = contextOf(call, {
    flags: said.target,
    tlsVerify,
    authFile,
    operation,
    blobInfo,
    wholeUploadBytes: limits.wholeUploadBytes,
    dir: { keepsParts: true, placed: new Map() },
    oci: { keepsParts: true },
  });
  const manifest = manifestWish(said.manifest);
  const signing = await signingOf(call, said.signing);
  await using place = openPlace({ kind: to, destination, context, overwrites: said.overwrite });
  const naming = {
    destination: place.destination,
    scoped: said.scoped,
    suffix: said.appendSuffix,
    inLayout: place.inLayout,
    rename,
  };
  const all = jobsFor(groups, (image) => targetName(image, naming));
  if (rename !== undefined) checkDistinct(all);
  const jobs = shard === undefined ? all : jobsOf(shard, all);
  const request: Pick<SyncRequest, "jobs" | "place" | "copy" | "parallelImages" | "patience"> = {
    jobs,
    place,
    copy: {
      gate,
      platform: platformWish(call),
      images: parseMultiArch(said),
      ...manifest,
      ...(signing !== undefined && { signing }),
      blobInfo,
      parallelBlobs: limits.parallelBlobs,
      now: () => new Date(),
    },
    parallelImages: said.jobs || limits.parallelImages,
    patience: createPatience,
  };
  const pruning = {
    destination: place.destination,
    targets: all.map(({ target }) => target),
    place,
    missed,
  };
  const pruneSurplus = async (): Promise<void> => {
    if (!said.prune || (shard !== undefined && shard.index > 0)) return;
    await prune(log, pruning, said.yes && !said.dryRun);
  };
  if (said.dryRun) {
    await pretend(call, request, groups);
    return pruneSurplus();
  }
  createDigestFile(said.digestFile);
  await copyAll(call, request, async (results) => {
    const failed = results.filter(({ outcome }) => outcome === "failed").length;
    if (results.length > failed) await place.finish();
    if (failed === 0) writeLock(said.writeLock, jobs, { results, platform: request.copy.platform });
    log.info(`Synced ${results.length - failed} images from ${groups.length} sources`);
    if (failed === 0) return pruneSurplus();
    for (const line of failureTable(results)) call.screen.line(line);
    throw new Failure(
      "incomplete",
      "Sync failed due to previous reported error(s) for one or more images",
    );
  });
}

function filterOf({ flags: { include, exclude, semver, newest } }: SyncCall) {
  return {
    include,
    exclude,
    ...(semver !== "" && { semver }),
    ...(newest > 0 && { newest }),
  };
}

async function copyAll(
  call: SyncCall,
  request: Pick<SyncRequest, "jobs" | "place" | "copy" | "parallelImages" | "patience">,
  conclude: (results: readonly SyncResult[]) => Promise<void>,
): Promise<void> {
  const { flags: said, log, signal } = call;
  const wish = { command: "sync", flags: said.reporting, quiet: false, outputTaken: false };
  using reports = await openReports(call, wish);
  const tell = (event: SyncEvent) => show(event, { call, tell: reports.tell });
  await reports.during(async () => {
    const results = await syncImages({
      ...request,
      sharedBlobs: limits.sharedBlobs,
      keepsGoing: said.keepGoing,
      ordered: !isTerminal("stderr"),
      retrying: (work, tellCopy) => retrying({ log, signal, tell: tellCopy }, said.retry, work),
      tell,
    });
    await conclude(results);
  });
}

/** Says what would be done, having looked at both ends. */
async function pretend(
  call: SyncCall,
  request: Parameters<typeof surveyImages>[0],
  groups: readonly SyncGroup[],
): Promise<void> {
  const { flags: said, log } = call;
  log.warn("Running in dry-run mode");
  const images = await surveyImages(request);
  for (const [index, { number, of }] of request.jobs.entries()) {
    const { from = "", to = "", state } = images[index] ?? {};
    if (state === "failed") continue;
    const what = state === "present" ? "left alone" : "copied";
    log.info(`Would have ${what} image ref ${number}/${of}`, { from, to });
  }
  const failed = images.filter(({ state }) => state === "failed").length;
  if (failed === 0) {
    writeLock(said.writeLock, request.jobs, { results: images, platform: request.copy.platform });
  }
  await print(
    said.reporting.output === "json"
      ? surveyAsJson(images)
      : surveyTable(images)
          .map((line) => `${line}\n`)
          .join(""),
  );
  log.info(`Would have synced ${images.length - failed} images from ${groups.length} sources`);
  if (failed === 0) return;
  throw new Failure("incomplete", `${failed} of ${images.length} images could not be synced`);
}

function show(
  event: SyncEvent,
  { call, tell }: { readonly call: SyncCall; readonly tell: Tell },
): unknown {
  const { log, flags: said } = call;
  switch (event.kind) {
    case "image-begun": {
      const { from, to, number, of } = event;
      return log.info(`Copying image ref ${number}/${of}`, { from, to });
    }
    case "copy":
      return tell(event.event);
    case "image-ended": {
      const { from, to, digest, failure } = event.result;
      if (failure !== undefined) {
        log.error(`Error copying ref ${JSON.stringify(from)}`, { error: failure.message });
      }
      if (digest !== undefined && said.digestFile !== "") {
        appendFileSync(said.digestFile, `${digest} ${to}\n`);
      }
      return undefined;
    }
  }
}

function createDigestFile(path: string): void {
  if (path === "") return;
  try {
    writeFileSync(path, "", { mode: 0o644 });
  } catch (error) {
    throw inContext("Error creating digest file", asFailure(error));
  }
}
