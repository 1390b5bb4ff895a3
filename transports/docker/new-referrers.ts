// New referrers: what is about an image, on its way into the image's repository.
//
// See https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject

import { asFailure, Failure, during } from "../../core/failure.ts";
import { type DockerName, fullRepository, isTag } from "../../core/content/docker-name.ts";
import type { Digest } from "../../core/content/digest.ts";
import type { RawManifest, Referrer } from "../../core/image/source.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { referrersTag, withReferrers } from "../shared/referrers.ts";
import type { RegistryClient } from "./client.ts";
import { readManifest } from "./manifest.ts";
import { publishManifest } from "./publish.ts";
import { findTagged, listReferrers } from "./referrers.ts";
import { sendSmallBlob } from "./small-blob.ts";

/** What they are about, and who writes them. */
export interface ReferrersPlace {
  readonly client: RegistryClient;
  readonly name: DockerName;
  /** Of the manifest that they are about. */
  readonly digest: Digest;
  readonly log: TransportLog;
  readonly signal: AbortSignal;
}

/** Adds referrers to those that an image has. What is there already is not sent. */
export async function addReferrers(
  place: ReferrersPlace,
  referrers: readonly Referrer[],
): Promise<void> {
  const unlisted: Referrer[] = [];
  for (const referrer of await missingOf(place, referrers)) {
    const { manifest } = referrer;
    const { subject } = await send(place, referrer);
    if (subject === place.digest) continue;
    place.log.debug(`${place.client.host} does not list ${manifest.digest} by itself`);
    unlisted.push(referrer);
  }
  await during("listing referrers", () => listUnderTag(place, unlisted));
}

/** Returns those that the repository lacks, or that are not listed in it. */
async function missingOf(
  { client, name, digest }: ReferrersPlace,
  referrers: readonly Referrer[],
): Promise<readonly Referrer[]> {
  const known = new Set<Digest>();
  for (const artifactType of new Set(referrers.map((each) => each.artifactType))) {
    const { listed } = await listReferrers({ client, name, digest, artifactType });
    for (const each of listed) known.add(each.digest);
  }
  const missing: Referrer[] = [];
  for (const referrer of referrers) {
    const { manifest } = referrer;
    // An index may list what has been deleted since.
    if (known.has(manifest.digest) && (await isThere(client, name, manifest.digest))) continue;
    missing.push(referrer);
  }
  return missing;
}

async function isThere(client: RegistryClient, name: DockerName, digest: Digest): Promise<boolean> {
  try {
    await readManifest({ client, name, reference: digest });
    return true;
  } catch (error) {
    if (asFailure(error).code === "not-found") return false;
    throw error;
  }
}

async function send({ client, name, log, signal }: ReferrersPlace, referrer: Referrer) {
  const { manifest, blobs } = referrer;
  for (const blob of blobs) await sendSmallBlob(blob, { client, log, signal });
  return publishManifest({ client, name, manifest, reference: manifest.digest, signal });
}

/** How often others may come in between before we give up. */
const attempts = 5;

/**
 * Lists referrers where readers look if the registry lists none by itself.
 *
 * Registries know no way to change a tag only if nobody else has: who adds at the same time may take away
 * what was just written. So it is read back, and added again if it is gone.
 */
async function listUnderTag(place: ReferrersPlace, referrers: readonly Referrer[]): Promise<void> {
  if (referrers.length === 0) return;
  const { client, name, signal } = place;
  const reference = referrersTag(place.digest);
  const where = `${fullRepository(name)}:${reference}`;
  if (!isTag(reference)) throw new Failure("bug", `${where} is no tag`);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const found = await findTagged(place);
    const next = withReferrers(found, referrers, where);
    if (next === undefined) return;
    // As late as can be: whoever was faster than us is not to be overwritten.
    if (!isSame(found, await findTagged(place))) continue;
    await publishManifest({ client, name, manifest: { bytes: next }, reference, signal });
  }
  // What the last attempt has written may be there.
  if (withReferrers(await findTagged(place), referrers, where) === undefined) return;
  throw new Failure("unavailable", `Others change ${where} all the time, and our entry is lost`, {
    hint: "try again when they are done",
  });
}

function isSame(one: RawManifest | undefined, other: RawManifest | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one.bytes, other.bytes) === 0;
}
