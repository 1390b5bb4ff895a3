// The survey: what a run would do, found out without doing any of it.

import { mapLimited } from "../concurrency.ts";
import type { Digest } from "../content/digest.ts";
import { type Admission, admitSelected } from "../copy/admission.ts";
import { openSource } from "../copy/copy.ts";
import { staysForeign } from "../copy/plan.ts";
import { changes } from "../copy/present.ts";
import { asFailure, type Failure } from "../failure.ts";
import type { BlobRole, DestinationProbe } from "../image/destination.ts";
import { spelled } from "../image/name.ts";
import type { ImageSource } from "../image/source.ts";
import type { ImageReference, TransportContext } from "../image/transport.ts";
import { effectiveType, manifestDigest, parseManifest } from "../manifest/manifest.ts";
import type { Descriptor } from "../content/descriptor.ts";
import type { SyncedSource } from "./seen-copy.ts";
import { checkSideBySide, type SyncJob } from "./jobs.ts";
import type { SyncRequest } from "./sync.ts";
import { checkWritable, parseTarget } from "./target.ts";
import { currentImages } from "./unchanged.ts";

/** What would happen to one image. */
export interface SurveyedImage {
  readonly from: string;
  readonly to: string;
  /** `missing` and `changed` ones would be copied; `failed` ones could not be. */
  readonly state: "missing" | "changed" | "present" | "failed";
  /** Of what would be moved for it, and has not been for an image before. */
  readonly bytes: number;
  readonly blobs: number;
  /** What the source's name leads to; absent if nobody found out. */
  readonly source?: SyncedSource;
  readonly failure?: Failure;
}

/** What a survey rests on. */
export type SurveyRequest = Pick<
  SyncRequest,
  "jobs" | "place" | "copy" | "parallelImages" | "patience"
>;

/**
 * Looks at every image and at the destination. Nothing is written, no directory made, and of blobs nothing
 * is read. Fails with `usage` as a run would.
 */
export async function surveyImages(request: SurveyRequest): Promise<readonly SurveyedImage[]> {
  checkSideBySide(request.jobs, request.place);
  const looked = await mapLimited(request.jobs, request.parallelImages, (job) =>
    look(job, request),
  );
  const counted = new Set<Digest>();
  // In order, so that a blob counts for the first image that needs it.
  return looked.map(({ wanted, ...image }) => {
    const own = wanted.filter(({ digest }) => !counted.has(digest));
    for (const { digest } of own) counted.add(digest);
    return {
      ...image,
      blobs: own.length,
      bytes: own.reduce((sum, { size = 0 }) => sum + size, 0),
    };
  });
}

interface Looked extends Omit<SurveyedImage, "bytes" | "blobs"> {
  /** Blobs that the destination lacks. */
  readonly wanted: readonly Descriptor[];
}

async function look(job: SyncJob, request: SurveyRequest): Promise<Looked> {
  const { image, target } = job;
  const from = spelled(image.reference);
  const transport = request.place.transport.name;
  let to = transport === "docker" ? `docker://${target}` : `${transport}:${target}`;
  try {
    const reference = parsedUnlessMissing(target, request);
    if (reference !== undefined) to = request.place.shown?.(target) ?? spelled(reference);
    return { from, to, ...(await compare(job, reference, request)) };
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === "canceled" || failure.code === "bug") throw failure;
    return { from, to, state: "failed", wanted: [], failure };
  }
}

/** A directory whose parent is not there yet cannot be named, and holds nothing. */
function parsedUnlessMissing(target: string, { place }: SurveyRequest): ImageReference | undefined {
  try {
    return parseTarget(target, place);
  } catch (error) {
    if (place.transport.name !== "docker" && asFailure(error).code === "io") return undefined;
    throw error;
  }
}

async function compare(
  { image, target }: SyncJob,
  reference: ImageReference | undefined,
  { place, copy, patience }: SurveyRequest,
): Promise<Pick<Looked, "state" | "wanted" | "source">> {
  const waiting = patience();
  const source = { reference: image.reference, context: patient(image.context, waiting) };
  const context = { ...patient(place.context, waiting), origin: image.reference };
  const current =
    reference === undefined
      ? {}
      : await currentImages({ ...copy, source, destination: { reference, context } });
  if (current.unchanged !== undefined) {
    return { state: "present", wanted: [], source: { digest: current.unchanged.source } };
  }
  await using reader = await openSource(source);
  const admission = await admitSelected(reader, { ...copy, tell: () => {} });
  await using probe = await reference?.openProbe?.(context);
  const needed = blobsOf(admission, probe);
  const isOne = admission.kind === "image" && admission.list !== undefined;
  const found = {
    source: {
      ...(await sourceOf(reader, image.reference, needed)),
      ...(isOne && { chosen: admission.image.digest }),
    },
  };
  const { manifest, digest } = admission.image;
  if (current.destination?.digest === digest && !changes(copy, effectiveType(manifest))) {
    return { state: "present", wanted: [], ...found };
  }
  checkWritable(target, place);
  const wanted = await lacking(needed, probe);
  return { state: current.destination === undefined ? "missing" : "changed", wanted, ...found };
}

async function sourceOf(
  reader: ImageSource,
  { digest }: ImageReference,
  needed: Needed,
): Promise<SyncedSource> {
  const { bytes } = await reader.readManifest();
  const layers = needed.flatMap(([{ digest: layer, size }, role]) =>
    role === "layer" && size !== undefined ? [{ digest: layer, size }] : [],
  );
  return { digest: digest ?? manifestDigest(bytes), layers };
}

function patient(
  context: TransportContext,
  patience: ReturnType<SurveyRequest["patience"]>,
): TransportContext {
  const { settings } = context;
  return { ...context, settings: { ...settings, docker: { ...settings.docker, patience } } };
}

type Needed = readonly (readonly [Descriptor, BlobRole])[];

function blobsOf(admission: Admission, probe: DestinationProbe | undefined): Needed {
  const images = admission.kind === "list" ? admission.instances : [admission];
  return images.flatMap(({ image }) => {
    const manifest = parseManifest(image.manifest);
    if (manifest.kind === "list") return [];
    const layers = manifest.layers.filter(
      (layer) => probe === undefined || !staysForeign(layer, probe.traits),
    );
    const config = manifest.config === undefined ? [] : [[manifest.config, "config"] as const];
    return [...layers.map((layer) => [layer, "layer"] as const), ...config];
  });
}

async function lacking(
  needed: Needed,
  probe: DestinationProbe | undefined,
): Promise<readonly Descriptor[]> {
  const distinct = new Map(needed.map(([blob, role]) => [blob.digest, [blob, role] as const]));
  const wanted: Descriptor[] = [];
  for (const [blob, role] of distinct.values()) {
    if ((await probe?.findBlob(blob, role)) === undefined) wanted.push(blob);
  }
  return wanted;
}
