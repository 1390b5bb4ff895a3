// dray copy: an image, from one place to another.

import type { BlobInfo } from "../../core/cache/blob-info.ts";
import {
  type DockerName,
  fullRepository,
  parseDockerName,
} from "../../core/content/docker-name.ts";
import { copyImages } from "../../core/copy/copy.ts";
import type { CryptWish } from "../../core/copy/layer-crypt.ts";
import type { CopyOutcome, CopyRequest, CopySide } from "../../core/copy/request.ts";
import { asFailure, during, Failure } from "../../core/failure.ts";
import { spelled } from "../../core/image/name.ts";
import { listedTransports, parseImageName } from "../../core/image/parse-name.ts";
import type {
  DirSettings,
  ImageReference,
  TransportContext,
  TransportSettings,
} from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { transports } from "../../transports/table.ts";
import { type Call, defineTool } from "../command.ts";
import {
  beginOperation,
  contextOf,
  gateOf,
  openBlobs,
  type Operation,
  platformWish,
} from "../compose.ts";
import { compressionWish } from "../flags/compression.ts";
import {
  list,
  maybeText,
  maybeToggle,
  text,
  texts,
  toggle,
  unsigned,
  type Values,
} from "../flags/flag.ts";
import { encryptionFlags } from "../flags/encryption.ts";
import { authFileFlag, destinationFlags, imageFlags, retryFlags } from "../flags/image.ts";
import { manifestFlags, manifestWish } from "../flags/manifest.ts";
import { parseMultiArch } from "../flags/multi-arch.ts";
import { parseSignIdentity, signIdentityFlag, signingFlags } from "../flags/signing.ts";
import { imageNames } from "../help.ts";
import { dryRunFlag, reportFlags } from "../flags/reporting.ts";
import { openReports } from "../output/open-reports.ts";
import { retrying } from "../retrying.ts";
import { signingOf } from "../signers.ts";

const flags = {
  source: imageFlags("src-"),
  target: imageFlags("dest-"),
  keeping: destinationFlags,
  retry: retryFlags,
  reporting: reportFlags,
  authFile: authFileFlag("authfile"),
  encryption: encryptionFlags,
  additionalTags: list("additional-tag", "additional tags (supports docker-archive)"),
  also: texts(
    "also",
    "Copy to `IMAGE` as well, and read the source once for all (may be repeated; all --dest- flags hold for it, --digestfile and --additional-tag do not)",
  ),
  all: toggle("all", "Copy all images if SOURCE-IMAGE is a list", { shorthand: "a" }),
  dryRun: dryRunFlag,
  digestFile: text("digestfile", "Write the digest of the pushed image to the specified file"),
  manifest: manifestFlags,
  signing: signingFlags,
  signIdentity: signIdentityFlag,
  multiArch: maybeText(
    "multi-arch",
    "How to handle multi-architecture images (system, all, index-only, or comma-separated platform list like linux/amd64,linux/arm64)",
  ),
  strip: toggle(
    "strip-removed-platforms",
    "Strip removed platforms when copying specific platforms (requires signature removal)",
  ),
  parallelCopies: unsigned(
    "image-parallel-copies",
    `Maximum number of image layers to be copied (pulled/pushed) simultaneously. Not setting this field will fall back to ${limits.parallelBlobs}.`,
  ),
  quiet: toggle("quiet", "Suppress output information when copying images", { shorthand: "q" }),
  tlsVerify: maybeToggle(
    "tls-verify",
    "require HTTPS and verify certificates when talking to the container registry or daemon",
    { hidden: true },
  ),
};

type CopyValues = Values<typeof flags>;

/** Copies an image, or a list of images. */
export const copy = defineTool({
  name: "copy",
  usage: "copy [command options] SOURCE-IMAGE DESTINATION-IMAGE",
  summary: "Copy an IMAGE-NAME from one location to another",
  description: (program) =>
    `Container "IMAGE-NAME" uses a "transport":"details" format.

${imageNames(listedTransports(transports), program)}`,
  examples: [
    "copy docker://quay.io/skopeo/stable:latest docker://registry.example.com/skopeo:latest",
    "copy docker://docker.io/library/busybox:1 dir:busybox",
    "copy --all docker://docker.io/library/busybox:1 oci:layout:1",
  ],
  flags,
  async run(call) {
    await using operation = beginOperation(call);
    await using blobInfo = openBlobs(call);
    const { also, ...wanted } = await requestOf(call, operation, blobInfo);
    const { quiet, dryRun, digestFile, retry, reporting } = call.flags;
    const outputTaken =
      !dryRun && [wanted.destination, ...also].some((each) => each.reference.takesStandardOutput);
    const wish = { command: "copy", flags: reporting, quiet, outputTaken, dryRun };
    using reports = await openReports(call, wish);
    const asked = { ...wanted, tell: reports.tell };
    const rehearsal = dryRun ? await rehearse() : undefined;
    const to = (side: CopySide) => rehearsal?.destination(side) ?? side;
    const destinations = [to(wanted.destination), ...also.map(to)] as const;
    const request = { ...(rehearsal?.request(asked) ?? asked), destination: destinations[0] };
    const written = async ({ digest }: CopyOutcome): Promise<void> => {
      if (digestFile !== "" && !dryRun) await writeDigest(digestFile, digest);
    };
    const copyOnce = async () => written(await copyImages(request));
    await reports.during(async () => {
      if (also.length === 0) return retrying({ ...call, tell: reports.tell }, retry, copyOnce);
      const { copyToAll } = await import("../copy-to-all.ts");
      return copyToAll(call, { request, destinations, retry, writtenFirst: written });
    });
  },
});

/** Loaded here: hardly any copy is only rehearsed. */
async function rehearse() {
  const { Rehearsal } = await import("../../core/copy/rehearsal.ts");
  return new Rehearsal();
}

/** Turns the command line into a request. The order in which faults are found is the original's. */
async function requestOf(
  call: Call<CopyValues>,
  operation: Operation,
  blobInfo: BlobInfo,
): Promise<Omit<CopyRequest, "tell"> & { readonly also: readonly CopySide[] }> {
  const { operands, flags: said, log } = call;
  const [from, to] = operands;
  if (from === undefined || to === undefined || operands.length !== 2) {
    throw call.misuse("Exactly two arguments expected");
  }
  if (said.tlsVerify !== undefined) {
    log.warn("'--tls-verify' is deprecated, instead use: --src-tls-verify, --dest-tls-verify");
  }
  const gate = await gateOf(call);
  const reference = await during(`Invalid source name ${from}`, () =>
    parseImageName(from, transports),
  );
  const target = await during(`Invalid destination name ${to}`, () =>
    parseImageName(to, transports),
  );
  const also = await Promise.all(
    said.also.map((name) =>
      during(`Invalid destination name ${name}`, () => parseImageName(name, transports)),
    ),
  );
  if (also.length > 0) {
    const { checkApart } = await import("../copy-to-all.ts");
    checkApart([target, ...also]);
  }
  const { tlsVerify, authFile, keeping } = said;
  const source = contextOf(call, { flags: said.source, tlsVerify, authFile, operation, blobInfo });
  const destination = contextOf(call, {
    flags: said.target,
    tlsVerify,
    authFile,
    operation,
    blobInfo,
    uploadChunkBytes: keeping.uploadChunkBytes,
    precomputesDigests: keeping.precomputeDigests,
    dir: dirSettings(keeping),
    oci: { acceptsUncompressedLayers: keeping.acceptUncompressed, appends: keeping.append },
  });
  const compression = compressionWish(keeping);
  const dockerArchive = {
    additionalTags: said.additionalTags.map(parseAdditionalTag),
    appends: keeping.append,
  };
  const images = parseMultiArch(said);
  const crypt = await cryptWishOf(call);
  if (said.strip && typeof images === "string") {
    log.warn("--strip-removed-platforms can only be used if --multi-arch names platforms");
  }
  const identity = parseSignIdentity(said.signIdentity);
  for (const each of [target, ...also]) warnOfIdleFlags(call, each);
  const manifest = manifestWish(said.manifest);
  const signing = await signingOf(call, said.signing, identity);
  return {
    source: { reference, context: source },
    destination: { reference: target, context: withSettings(destination, { dockerArchive }) },
    also: also.map((each) => ({
      reference: each,
      context: withSettings(destination, { dockerArchive: { appends: keeping.append } }),
    })),
    gate,
    platform: platformWish(call),
    images,
    ...manifest,
    ...(signing !== undefined && { signing }),
    ...(compression !== undefined && { compression }),
    ...(crypt !== undefined && { crypt }),
    blobInfo,
    parallelBlobs: said.parallelCopies || limits.parallelBlobs,
    now: () => new Date(),
  };
}

/** Loaded where something is said of it: reading keys is no small matter. */
async function cryptWishOf(call: Call<CopyValues>): Promise<CryptWish | undefined> {
  const { encryption } = call.flags;
  if (Object.values(encryption).every(({ length }) => length === 0)) return undefined;
  const { cryptWish } = await import("../layer-crypt.ts");
  return cryptWish(call, encryption);
}

function withSettings(
  context: TransportContext,
  settings: Partial<TransportSettings>,
): TransportContext {
  return { ...context, settings: { ...context.settings, ...settings } };
}

function dirSettings({ compress, decompress }: CopyValues["keeping"]): DirSettings {
  if (compress) return { layers: "compress" };
  return decompress ? { layers: "decompress" } : {};
}

function warnOfIdleFlags({ flags: { keeping }, log }: Call<CopyValues>, to: ImageReference): void {
  if (keeping.uploadChunkBytes !== undefined && to.transport !== "docker") {
    log.warn("--dest-upload-chunk-size can only be used if the destination transport is 'docker'");
  }
  if (keeping.append && !appending.includes(to.transport)) {
    const named = appending.map((transport) => `'${transport}'`).join(" or ");
    log.warn(`--dest-append can only be used if the destination transport is ${named}`);
  }
  if (to.transport === "dir") {
    if (keeping.compress && keeping.decompress) {
      throw usage(
        `initializing destination ${spelled(to)}: Cannot compress and decompress at the same time`,
      );
    }
    return;
  }
  for (const name of ["compress", "decompress"] as const) {
    if (!keeping[name]) continue;
    log.warn(`--dest-${name} can only be used if the destination transport is 'dir'`);
  }
}

/** The transports that add to an archive only where they are asked to. */
const appending: readonly string[] = ["docker-archive", "oci-archive"];

/** Returns a further name in full: without a digest, which is no part of a name in an archive. */
function parseAdditionalTag(text: string): string {
  const name = additionalName(text);
  if (name.tag === undefined) throw usage(`additional-tag '${text}' must be a tagged reference`);
  return `${fullRepository(name)}:${name.tag}`;
}

function additionalName(text: string): DockerName {
  try {
    return parseDockerName(text);
  } catch (error) {
    throw usage(`error parsing additional-tag '${text}': ${asFailure(error).message}`);
  }
}

async function writeDigest(path: string, digest: string): Promise<void> {
  const { writeFile } = await import("node:fs/promises");
  await during(`Failed to write digest to file ${JSON.stringify(path)}`, () =>
    writeFile(path, digest, { mode: 0o644 }),
  );
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
