// Manifests, as a registry gives them out.

import { collect } from "../../core/blob/collect.ts";
import { type DockerName, fullRepository } from "../../core/content/docker-name.ts";
import { digestAlgorithm, digestOf, isDigest } from "../../core/content/digest.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure, asFailure, during } from "../../core/failure.ts";
import type { RawManifest } from "../../core/image/source.ts";
import { limits } from "../../core/limits.ts";
import { manifestDigest } from "../../core/manifest/manifest.ts";
import type { RegistryClient, RegistryResponse } from "./client.ts";
import { unwrapped, wrappingOf } from "./content.ts";

/** Which manifest is wanted, and how messages call it. */
export interface WantedManifest {
  readonly client: RegistryClient;
  /** The repository; its own tag or digest does not matter. */
  readonly name: DockerName;
  /** A tag or a digest. */
  readonly reference: string;
}

/**
 * Reads a manifest: the bytes as stored, and the media type that the registry reports.
 *
 * What arrives broken, or contradicts the digest that the registry itself names, is asked for once more
 * past all caches. Fails with `not-found` if there is no such manifest.
 */
export async function readManifest(wanted: WantedManifest): Promise<RawManifest> {
  const { client, reference } = wanted;
  let fresh = false;
  for (let attempts = 1; ; attempts++) {
    const response = await requestManifest(client, reference, fresh);
    if (response.status !== 200) {
      throw (await client.failure(response, `reading manifest ${labelOf(wanted)}`)).failure;
    }
    const { manifest, failure } = await bodyOf(response, labelOf(wanted));
    if (manifest === undefined) {
      const retry = { what: "request", reason: failure.message } as const;
      if (failure.code !== "unavailable" || !(await client.pause(attempts, retry))) throw failure;
      continue;
    }
    const contradiction = contradictionOf(manifest, response, wanted);
    if (!fresh && (contradiction !== undefined || differs(manifest, reference))) {
      fresh = true;
      continue;
    }
    // Whether it is what was asked for is decided where all transports' manifests are looked at.
    if (contradiction !== undefined) throw contradiction;
    return manifest;
  }
}

/** Asks for a manifest by tag or digest, whatever the answer. */
export function requestManifest(
  client: RegistryClient,
  reference: string,
  fresh = false,
): Promise<RegistryResponse> {
  return client.request({
    method: "GET",
    target: `/v2/${client.repository}/manifests/${reference}`,
    headers: {
      Accept: acceptedTypes,
      "Accept-Encoding": "identity",
      ...(fresh ? { "Cache-Control": "no-cache" } : {}),
    },
  });
}

/** Asks what a tag or digest leads to, without the manifest itself: no registry counts that as a pull. */
export function lookForManifest(
  client: RegistryClient,
  reference: string,
): Promise<RegistryResponse> {
  return client.request({
    method: "HEAD",
    target: `/v2/${client.repository}/manifests/${reference}`,
    headers: { Accept: acceptedTypes },
  });
}

/** Reads the bytes of a manifest in an answer, and the media type that it reports. */
export async function manifestIn(response: RegistryResponse): Promise<RawManifest> {
  const bytes = await collect(unwrapped(response, wrappingOf(response)), limits.manifestBytes);
  return { bytes, mediaType: plainType(response.headers.get("content-type")) };
}

// In the order of the original: some registries take the first that they have.
const acceptedTypes = [
  manifestTypes.oci,
  manifestTypes.schema2,
  manifestTypes.schema1Signed,
  manifestTypes.schema1,
  manifestTypes.dockerList,
  manifestTypes.ociIndex,
].join(", ");

function labelOf({ name, reference }: WantedManifest): string {
  return `${reference} in ${fullRepository(name)}`;
}

type Body =
  | { readonly manifest: RawManifest; readonly failure?: undefined }
  | { readonly manifest?: undefined; readonly failure: Failure };

async function bodyOf(response: RegistryResponse, label: string): Promise<Body> {
  try {
    const manifest = await during(`reading manifest body ${label}`, () => manifestIn(response));
    return { manifest };
  } catch (error) {
    return { failure: asFailure(error) };
  }
}

/** Returns a content type without its parameters; empty if it is none. */
function plainType(header: string | null): string {
  const [type = ""] = (header ?? "").split(";", 1);
  const trimmed = type.trim().toLowerCase();
  return /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(trimmed) ? trimmed : "";
}

/** Returns what is wrong if the registry's own word on the digest is not that of its bytes. */
function contradictionOf(
  manifest: RawManifest,
  { headers, url }: RegistryResponse,
  wanted: WantedManifest,
): Failure | undefined {
  const claimed = headers.get("docker-content-digest") ?? "";
  if (!isDigest(claimed) || !differs(manifest, claimed)) return undefined;
  return new Failure(
    "corrupt",
    `reading manifest ${labelOf(wanted)}: ${url.host} says that it has digest ${claimed}, but what it sent has ${manifestDigest(manifest.bytes, digestAlgorithm(claimed))}`,
    {
      hint: "something between here and the registry changes what it sends, or the registry is broken",
    },
  );
}

/** Tells whether `reference` is a digest, and not that of the manifest. */
function differs({ bytes }: RawManifest, reference: string): boolean {
  if (!isDigest(reference)) return false;
  const algorithm = digestAlgorithm(reference);
  // A signed schema 1 manifest goes by the digest of its payload; some registries name that of the whole.
  return manifestDigest(bytes, algorithm) !== reference && digestOf(bytes, algorithm) !== reference;
}
