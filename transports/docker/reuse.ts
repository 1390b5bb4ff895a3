// Reuse: getting at a blob that the repository lacks without sending it.

import type { BlobCandidate, BlobInfo } from "../../core/cache/blob-info.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { Digest } from "../../core/content/digest.ts";
import type { DockerName } from "../../core/content/docker-name.ts";
import { Failure } from "../../core/failure.ts";
import type { StandIns, StoredBlob } from "../../core/image/destination.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import type { RegistryClient } from "./client.ts";
import { mountBlob } from "./mount.ts";
import { findBlob, type PresentBlob } from "./presence.ts";
import { repositoryAt, scopeOf } from "./sightings.ts";
import type { UploadSession } from "./upload-session.ts";

/** A blob that a repository lacks, and by what it may be got at. */
export interface Reuse {
  readonly client: RegistryClient;
  /** Of the destination. */
  readonly name: DockerName;
  readonly wanted: Descriptor;
  /** Absent: no other bytes will do. */
  readonly standIns: StandIns | undefined;
  /** Whether the blob itself will do. */
  readonly itself: boolean;
  /** The repository that the content comes from, if it is another one of the same registry. */
  readonly neighbour: string | undefined;
  /** Absent: nothing is known but the neighbour. */
  readonly info: BlobInfo | undefined;
  readonly signal: AbortSignal;
  readonly log: TransportLog;
}

/** What came of it. */
export interface Reused {
  /** Absent if the blob has to be sent. */
  readonly stored?: StoredBlob;
  /** An upload that the registry began instead of mounting, to be used or abandoned. */
  readonly session?: UploadSession;
}

/** A blob that may do, and where it may be. */
type Place = Omit<BlobCandidate, "location"> & { readonly repository: string };

/**
 * Takes a blob, or one that may stand in for it, from wherever in the registry it is known to be.
 *
 * The blob itself is mounted unseen: where that does not work, most registries begin the upload that is
 * needed then. Everything else is looked for first.
 */
export async function reuseFromElsewhere(reuse: Reuse): Promise<Reused> {
  const { neighbour, wanted, itself } = reuse;
  if (neighbour !== undefined && itself) {
    const reused = await tryPlace({ digest: wanted.digest, repository: neighbour }, reuse, false);
    // The source has it, so whoever does not mount it from there mounts nothing.
    if (reused.stored !== undefined || reused.session !== undefined) return reused;
  }
  let session: UploadSession | undefined;
  for (const place of await placesFor(reuse)) {
    const looks = session !== undefined || place.digest !== wanted.digest;
    const reused = await tryPlace(place, reuse, looks);
    if (session === undefined) session = reused.session;
    else await reused.session?.abandon();
    if (reused.stored !== undefined) {
      await session?.abandon();
      return { stored: reused.stored };
    }
  }
  return session === undefined ? {} : { session };
}

/** Returns what `reuseFromElsewhere` would take, as far as looking can tell. Nothing is mounted. */
export async function findElsewhere(reuse: Reuse): Promise<StoredBlob | undefined> {
  const { neighbour, wanted, itself } = reuse;
  if (neighbour !== undefined && itself) {
    // A registry that cannot mount it from there begins an upload, and then nothing else is tried.
    return lookAt({ digest: wanted.digest, repository: neighbour }, reuse);
  }
  for (const place of await placesFor(reuse)) {
    const found = await lookAt(place, reuse);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function lookAt(place: Place, reuse: Reuse): Promise<StoredBlob | undefined> {
  const { client, wanted } = reuse;
  const { digest, standIn, repository } = place;
  const seen = await lookFor(digest, repository, reuse);
  const size = seen?.size ?? (digest === wanted.digest ? wanted.size : undefined);
  if (seen === undefined || size === undefined) return undefined;
  const by = repository === client.repository ? "presence" : "mounting";
  return { digest, size, by, ...(standIn && formOf(standIn)) };
}

async function placesFor(reuse: Reuse): Promise<readonly Place[]> {
  const { client, name, wanted, standIns, itself, neighbour, info } = reuse;
  if (info === undefined) return [];
  const forms = standIns?.forms ?? [];
  const found = await info.candidates({ scope: scopeOf(name), digest: wanted.digest, forms });
  const places: Place[] = [];
  for (const { location, ...candidate } of found) {
    // What nobody has seen elsewhere may be where it is wanted.
    const repository =
      location === undefined ? client.repository : repositoryAt(location, name.host);
    if (repository === undefined) continue;
    const tried = !itself || repository === client.repository || repository === neighbour;
    if (tried && candidate.digest === wanted.digest) continue;
    if (await isFitting(candidate, reuse)) places.push({ ...candidate, repository });
  }
  return places;
}

/** A stand-in has to be the content that the image's config names, whoever wrote down that it is. */
async function isFitting(
  { digest, standIn }: Omit<BlobCandidate, "location">,
  { wanted, standIns, log }: Reuse,
): Promise<boolean> {
  if (standIn === undefined) return true;
  const content = await standIns?.content();
  if (content === standIn.uncompressed) return true;
  log.debug(`Blob ${digest} is not known to be the content of ${wanted.digest}, ${content ?? "?"}`);
  return false;
}

async function tryPlace(place: Place, reuse: Reuse, looks: boolean): Promise<Reused> {
  const { client, wanted, signal, log } = reuse;
  const { digest, standIn, repository } = place;
  const seen = looks ? await lookFor(digest, repository, reuse) : {};
  if (seen === undefined) return {};
  const own = repository === client.repository;
  if (!own) {
    const mounted = await mountBlob({ client, digest, from: repository, signal, log });
    if (mounted === false) return {};
    if (mounted !== true) return { session: mounted };
  }
  const known = seen.size ?? (digest === wanted.digest ? wanted.size : undefined);
  // Schema 1 does not say how large its layers are; the registry does.
  const size = known ?? (await lookFor(digest, client.repository, reuse))?.size;
  if (size === undefined) return {};
  const by = own ? "presence" : "mounting";
  return { stored: { digest, size, by, ...(standIn && formOf(standIn)) } };
}

/** How a blob that stands in for another is to be told of. */
function formOf({ compression, annotations }: NonNullable<BlobCandidate["standIn"]>) {
  return { compression, ...(annotations !== undefined && { annotations }) };
}

/** Undefined also where the registry does not let us look: the blob can still be sent. */
async function lookFor(
  digest: Digest,
  repository: string,
  { client, signal, log }: Reuse,
): Promise<PresentBlob | undefined> {
  try {
    return await findBlob(client, digest, signal, repository);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code !== "unauthorized" && error.code !== "refused") throw error;
    log.debug(`Looking for blob ${digest} in ${repository} failed: ${error.message}`);
    return undefined;
  }
}
