// One image, from its admission to its signatures.

import type { Digest } from "../content/digest.ts";
import { isDigest } from "../content/digest.ts";
import { isLayerType } from "../content/media-types.ts";
import { parseSignatureBlob } from "../content/signature-blob.ts";
import { Failure, during } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import type { ImageDestination } from "../image/destination.ts";
import { spelled } from "../image/name.ts";
import type { RawManifest, Signature } from "../image/source.ts";
import { limits } from "../limits.ts";
import { diffIdsOf } from "../manifest/config.ts";
import { parseManifest } from "../manifest/manifest.ts";
import type { ImageManifest } from "../manifest/types.ts";
import type { AdmittedImage, Candidate } from "../trust/gate.ts";
import { putBundles, readBundles } from "./bundles.ts";
import { checkTaken, commitImage, digestAsWritten } from "./commit.ts";
import { checkEmbeddedName, embeddedNameOf } from "./embedded-name.ts";
import { checkPinned, whyFrozen } from "./frozen.ts";
import { whySignaturesRefused } from "./holding.ts";
import { withKeptLayers } from "./kept-layers.ts";
import { compressionBefore } from "./layer-crypt.ts";
import { planImage } from "./plan.ts";
import { toldPlan } from "./told-plan.ts";
import type { CopyRequest } from "./request.ts";
import { checkHoldsSignatures, signManifest } from "./sign.ts";
import { transferBlobs } from "./transfer.ts";

/** One admitted image that is to be written. */
export interface ImageCopy {
  readonly candidate: Candidate;
  readonly image: AdmittedImage;
  readonly writer: ImageDestination;
  /** Whether the destination's name will lead to it, or it travels as one of a list's images. */
  readonly role: "top-level" | "instance";
  /** The list it was chosen from, if it was. */
  readonly list?: RawManifest;
}

/** Copies one admitted image, all but the final commit. Returns the manifest as written. */
export async function copyImage(copy: ImageCopy, request: CopyRequest): Promise<RawManifest> {
  const { candidate, image, writer, role, list } = copy;
  const listed = await parseImage(image);
  checkPinned(writer, list === undefined ? [image.manifest] : [image.manifest, list]);
  const signatures =
    request.signatures === "remove"
      ? []
      : await readSignatures(candidate, { of: "image", writer, request });
  checkHoldsSignatures(writer, request);
  const bundles = await readBundles(candidate, { of: "image", traits: writer.traits, request });
  const frozenBecause = whyFrozen({
    writer,
    request,
    signed: signatures.length + bundles.length > 0,
    invalidating: "Would invalidate signatures",
  });
  checkEmbeddedName(listed, writer, frozenBecause);
  const readConfig = configReader(candidate, listed);
  const manifest = await withKeptLayers({ image, manifest: listed, frozenBecause, readConfig });
  const { format, crypt, now } = request;
  const { compression, warning } = compressionBefore(crypt, request.compression);
  if (warning !== undefined) request.tell({ kind: "warning", message: warning });
  if (frozenBecause !== undefined && format !== undefined && format !== manifest.mediaType) {
    const message = `The manifest stays of type ${manifest.mediaType}, and does not become ${format}: ${frozenBecause}`;
    request.tell({ kind: "warning", message });
  }
  const plan = planImage({
    manifest,
    traits: writer.traits,
    frozenBecause,
    format,
    compression,
    crypt,
    signing: request.signing !== undefined,
  });
  request.tell({ kind: "image-planned", digest: image.digest, ...toldPlan(manifest, plan) });
  const transfer = {
    image,
    writer,
    parallelBlobs: request.parallelBlobs,
    signal: request.destination.context.signal,
    tell: request.tell,
    blobInfo: request.blobInfo,
    crypt,
    sharing: request.sharing,
    diffIdOf: diffIdReader(manifest, readConfig),
  };
  checkTaken({ manifest, plan, transfer });
  const moved = await transferBlobs(plan.steps, transfer);
  const name = embeddedNameOf(writer);
  if (list !== undefined && role === "top-level") {
    await writer.putOrigin?.(image.publishOrigin(list));
  }
  const commit = { manifest, plan, moved, transfer, readConfig, role, name, now };
  const written = await commitImage(commit);
  const digest = digestAsWritten(written, image);
  const all = [...signatures, ...(await signManifest(digest, request))];
  const of = { digest, ...(role === "instance" && { instance: digest }) };
  if (all.length > 0) {
    request.tell({ kind: "signatures-begun", of: "image" });
    await during("writing signatures", () => writer.putSignatures(all, of), "destination");
  }
  await putBundles(bundles, { writer, of });
  return written;
}

async function parseImage({ name, manifest: raw, digest }: AdmittedImage): Promise<ImageManifest> {
  const manifest = await during(`initializing image from source ${spelled(name)}`, () =>
    parseManifest(raw),
  );
  if (manifest.kind === "image") return manifest;
  throw new Failure(
    "unsupported",
    "Unexpectedly received a manifest list instead of a manifest for a single image",
    { hint: `${digest} is a list inside of a list: copy it by itself, by this digest` },
  );
}

/** Reads the signatures that will travel, once it is known that the destination can hold them. */
export async function readSignatures(
  candidate: Candidate,
  {
    of,
    writer,
    request,
  }: {
    readonly of: "image" | "list";
    readonly writer: ImageDestination;
    readonly request: CopyRequest;
  },
): Promise<readonly Signature[]> {
  request.tell({ kind: "signatures-sought", of });
  const signatures = await during("reading signatures", () => read(candidate), "source");
  if (signatures.length === 0) return signatures;
  request.tell({ kind: "signatures-found", of });
  const why = whySignaturesRefused(writer.traits, signatures);
  if (why !== undefined) {
    throw new Failure("unsupported", `Can not copy signatures to ${spelled(writer.name)}: ${why}`, {
      hint: "to copy the image without them, add --remove-signatures",
      side: "destination",
    });
  }
  return signatures;
}

/** What is of no form that anybody knows is not carried on, and no image in the guise of signatures. */
async function read(candidate: Candidate): Promise<readonly Signature[]> {
  const signatures = await candidate.signatures();
  for (const signature of signatures) {
    const content = parseSignatureBlob(signature);
    if (content.kind === "sigstore" && isLayerType(content.mediaType)) {
      throw new Failure(
        "refused",
        `A signature says that it is a layer, ${quoted(content.mediaType)}`,
        {
          hint: "nobody has asked the policy about such an image; to copy without signatures, add --remove-signatures",
        },
      );
    }
  }
  return signatures;
}

/** Returns what reads the config, verified, at most once. */
function configReader(candidate: Candidate, { config }: ImageManifest): () => Promise<Uint8Array> {
  let bytes: Promise<Uint8Array> | undefined;
  return () => {
    if (config === undefined) return Promise.resolve(new Uint8Array());
    bytes ??= during(
      `reading config blob ${config.digest}`,
      () => candidate.look(config, limits.configBytes),
      "source",
    );
    return bytes;
  };
}

/** Returns what tells the diffID of a layer, by the config, where the config is an image's. */
function diffIdReader(
  manifest: ImageManifest,
  readConfig: () => Promise<Uint8Array>,
): (layer: Digest) => Promise<Digest | undefined> {
  return async (layer) => {
    const { config } = manifest;
    if (config === undefined) return undefined;
    const bytes = await readConfig();
    const diffIds = await during("parsing image configuration", () => diffIdsOf(config, bytes));
    // Some tools write configs that say nothing.
    if (diffIds === undefined || diffIds.length === 0) return undefined;
    if (diffIds.length !== manifest.layers.length) {
      throw new Failure(
        "corrupt",
        `Image has ${manifest.layers.length} layers, but its config names ${diffIds.length}`,
      );
    }
    const diffId = diffIds[manifest.layers.findIndex(({ digest }) => digest === layer)];
    return diffId !== undefined && isDigest(diffId) ? diffId : undefined;
  };
}
