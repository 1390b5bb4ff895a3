// dray sync: many images, from one place to another.

import { appendFileSync, writeFileSync } from "node:fs";

import type { BlobInfo } from "../../core/cache/blob-info.ts";
import { readConfigFile } from "../../core/config/config-file.ts";
import type { Tell } from "../../core/copy/events.ts";
import { asFailure, during, Failure, inContext } from "../../core/failure.ts";
import type { Credentials } from "../../core/image/registry-access.ts";
import { IdentityToken } from "../../core/image/registry-access.ts";
import type { Transport, TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import {
  everyImage,
  expandDirectory,
  expandFile,
  type Expansion,
  expandRepository,
} from "../../core/sync/expand.ts";
import { parseSyncFile, type SyncFileRegistry } from "../../core/sync/sync-file.ts";
import type { SyncGroup } from "../../core/sync/sync-image.ts";
import { jobsFor, type SyncEvent, syncImages, type SyncResult } from "../../core/sync/sync.ts";
import { targetName } from "../../core/sync/target-name.ts";
import { transports } from "../../transports/table.ts";
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
import { maybeToggle, text, toggle, unsigned, type Values } from "../flags/flag.ts";
import { authFileFlag, registryFlags, retryFlags } from "../flags/image.ts";
import { manifestFlags, manifestWish } from "../flags/manifest.ts";
import { reportFlags } from "../flags/reporting.ts";
import { signingFlags } from "../flags/signing.ts";
import { openReports } from "../output/open-reports.ts";
import { isTerminal } from "../output/terminal.ts";
import { retrying } from "../retrying.ts";
import { signingOf } from "../signers.ts";

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
  dryRun: toggle("dry-run", "Run without actually copying data"),
  keepGoing: toggle("keep-going", "Do not abort the sync if any image copy fails"),
  overwrite: toggle("overwrite", "Replace images in directories that are there already"),
  jobs: unsigned("jobs", `Copy \`N\` images at a time (default ${limits.parallelImages})`),
  tlsVerify: maybeToggle(
    "tls-verify",
    "require HTTPS and verify certificates when talking to the container registry or daemon",
    { hidden: true },
  ),
};

type SyncCall = Call<Values<typeof flags>>;

const sourceKinds = ["docker", "dir", "yaml"] as const;
const targetKinds = ["docker", "dir"] as const;
type SourceKind = (typeof sourceKinds)[number];
type TargetKind = (typeof targetKinds)[number];

/** Synchronizes images between registries and directories. */
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
  const { flags: said, log, signal } = call;
  const [source, destination] = call.operands;
  if (source === undefined || destination === undefined || call.operands.length !== 2) {
    throw call.misuse("Exactly two arguments expected");
  }
  if (said.tlsVerify !== undefined) {
    log.warn("'--tls-verify' is deprecated, instead use: --src-tls-verify, --dest-tls-verify");
  }
  const gate = await gateOf(call);
  const { from, to } = kindsOf(call);
  const groups = await expand(from, source, { call, operation, blobInfo });
  const { authFile, tlsVerify } = said;
  const context = contextOf(call, {
    flags: said.target,
    tlsVerify,
    authFile,
    operation,
    blobInfo,
  });
  const manifest = manifestWish(said.manifest);
  const signing = await signingOf(call, said.signing);
  const naming = { destination, scoped: said.scoped, suffix: said.appendSuffix };
  const jobs = jobsFor(groups, (image) => targetName(image, naming));
  if (said.dryRun) return pretend(call, jobs, { groups, to });

  createDigestFile(said.digestFile);
  const ordered = !isTerminal("stderr");
  const wish = { command: "sync", flags: said.reporting, quiet: false, outputTaken: false };
  using reports = await openReports(call, wish);
  const tell = (event: SyncEvent) => show(event, { call, tell: reports.tell });
  const results = await reports.during(() =>
    syncImages({
      jobs,
      place: { transport: transportOf(to), context, overwrites: said.overwrite },
      copy: {
        gate,
        platform: platformWish(call),
        images: said.all ? "all" : "system",
        ...manifest,
        ...(signing !== undefined && { signing }),
        blobInfo,
        parallelBlobs: limits.parallelBlobs,
        now: () => new Date(),
      },
      parallelImages: said.jobs || limits.parallelImages,
      sharedBlobs: limits.sharedBlobs,
      keepsGoing: said.keepGoing,
      ordered,
      retrying: (work, tellCopy) => retrying({ log, signal, tell: tellCopy }, said.retry, work),
      patience: createPatience,
      tell,
    }),
  );
  conclude(call, results, groups);
}

/** Says how it ended, and fails if an image did. */
function conclude(
  { log }: SyncCall,
  results: readonly SyncResult[],
  groups: readonly SyncGroup[],
): void {
  const failed = results.filter(({ outcome }) => outcome === "failed").length;
  log.info(`Synced ${results.length - failed} images from ${groups.length} sources`);
  if (failed === 0) return;
  throw new Failure(
    "incomplete",
    "Sync failed due to previous reported error(s) for one or more images",
  );
}

function pretend(
  { log }: SyncCall,
  jobs: ReturnType<typeof jobsFor>,
  { groups, to }: { readonly groups: readonly SyncGroup[]; readonly to: TargetKind },
): void {
  log.warn("Running in dry-run mode");
  for (const { image, target, number, of } of jobs) {
    const { transport, text: name } = image.reference;
    const at =
      to === "docker"
        ? `docker:${transportOf(to).parseReference(`//${target}`).text}`
        : `${to}:${target}`;
    log.info(`Would have copied image ref ${number}/${of}`, {
      from: `${transport}:${name}`,
      to: at,
    });
  }
  log.info(`Would have synced ${jobs.length} images from ${groups.length} sources`);
}

/** Checks both kinds, in the order and the words of the original. */
function kindsOf({ flags: said }: SyncCall): {
  readonly from: SourceKind;
  readonly to: TargetKind;
} {
  if (said.src === "") throw usage("A source transport must be specified");
  const from = sourceKinds.find((kind) => kind === said.src);
  if (from === undefined) {
    throw usage(`${JSON.stringify(said.src)} is not a valid source transport`);
  }
  if (said.dest === "") throw usage("A destination transport must be specified");
  const to = targetKinds.find((kind) => kind === said.dest);
  if (to === undefined) {
    throw usage(`${JSON.stringify(said.dest)} is not a valid destination transport`);
  }
  if (from === "dir" && to === "dir") {
    throw usage("sync from 'dir' to 'dir' not implemented, consider using rsync instead");
  }
  return { from, to };
}

interface Surroundings {
  readonly call: SyncCall;
  readonly operation: Operation;
  readonly blobInfo: BlobInfo;
}

async function expand(
  kind: SourceKind,
  source: string,
  surroundings: Surroundings,
): Promise<readonly SyncGroup[]> {
  const { call } = surroundings;
  const { log, signal, flags: said } = call;
  const expansion: Expansion = {
    docker: transports.docker,
    log,
    retrying: (work) => retrying({ log, signal }, said.retry, work),
    choice: everyImage,
  };
  // What the flags say about who we are is checked before anything is asked.
  const context = sourceContext(surroundings);
  switch (kind) {
    case "docker":
      return expandRepository(source, context, expansion);
    case "dir":
      return expandDirectory(source, context, { dir: transports.dir, choice: everyImage });
    case "yaml": {
      const bytes = await readConfigFile(source);
      const file = await during(`Failed to unmarshal ${JSON.stringify(source)}`, () =>
        parseSyncFile(bytes),
      );
      return expandFile(file, (section) => sourceContext(surroundings, section), expansion);
    }
  }
}

/** What a file says of a registry comes before what the flags say. */
function sourceContext(
  { call, operation, blobInfo }: Surroundings,
  section?: SyncFileRegistry,
): TransportContext {
  const { flags: said } = call;
  const { authFile } = said;
  const own = section?.tlsVerify ?? said.source.tlsVerify;
  return contextOf(call, {
    flags: {
      ...said.source,
      ...(own !== undefined && { tlsVerify: own }),
      ...(section !== undefined && { certDir: section.certDirectory }),
    },
    credentials: section?.credentials && credentialsIn(section.credentials),
    tlsVerify: said.tlsVerify,
    authFile,
    operation,
    blobInfo,
  });
}

function credentialsIn({
  username,
  password,
  identityToken,
}: NonNullable<SyncFileRegistry["credentials"]>): Credentials {
  if (identityToken === "") return { kind: "basic", username, password };
  return { kind: "identity", token: new IdentityToken(identityToken), username, password };
}

function show(
  event: SyncEvent,
  { call, tell }: { readonly call: SyncCall; readonly tell: Tell },
): void {
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

function transportOf(kind: TargetKind): Transport {
  return transports[kind];
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
