// Publishing: a manifest into a repository, under a tag or its digest.

import { type Digest, digestAlgorithm, digestOf, isDigest } from "../../core/content/digest.ts";
import { fullRepository, type DockerName } from "../../core/content/docker-name.ts";
import { Failure } from "../../core/failure.ts";
import { streamOf } from "../../core/blob/stream.ts";
import { guessType, manifestDigest } from "../../core/manifest/manifest.ts";
import type { RegistryClient } from "./client.ts";
import type { RegistryFailure } from "./failure.ts";

/** A manifest, and where it is to be found from now on. */
export interface Publication {
  readonly client: RegistryClient;
  readonly name: DockerName;
  readonly manifest: { readonly bytes: Uint8Array };
  /** A tag, or the manifest's own digest. */
  readonly reference: string;
  readonly signal: AbortSignal;
}

/** What a registry said of a manifest that it has taken. */
export interface Acceptance {
  /** Which manifest it lists this one for; empty where it lists none by itself. */
  readonly subject: string;
}

/**
 * Puts a manifest into the registry.
 *
 * Fails with `unsupported` if the registry refuses manifests of this type, names `missingBlobs` if it
 * lacks some of them, and with `corrupt` if it then knows the manifest by another digest.
 */
export async function publishManifest(publication: Publication): Promise<Acceptance> {
  const { client, manifest, reference, signal } = publication;
  const what = `uploading manifest ${reference} to ${fullRepository(publication.name)}`;
  const mediaType = guessType(manifest.bytes);
  const response = await client.request({
    method: "PUT",
    target: `/v2/${client.repository}/manifests/${reference}`,
    body: { open: () => streamOf(manifest.bytes), size: manifest.bytes.length, mediaType },
    signal,
  });
  if (response.status < 200 || response.status >= 300) {
    throw refusal(await client.failure(response, what));
  }
  await response.discard();
  const claimed = response.headers.get("docker-content-digest") ?? "";
  if (isDigest(claimed) && !isDigestOf(claimed, manifest.bytes)) {
    throw new Failure(
      "corrupt",
      `${what}: ${client.host} keeps it as ${claimed}, but what was sent has digest ${manifestDigest(manifest.bytes, digestAlgorithm(claimed))}`,
      { hint: "look at what is in the registry under this name now before using it" },
    );
  }
  return { subject: response.headers.get("oci-subject") ?? "" };
}

/** A signed schema 1 manifest goes by the digest of its payload, or by that of all its bytes. */
function isDigestOf(digest: Digest, bytes: Uint8Array): boolean {
  const algorithm = digestAlgorithm(digest);
  return digest === manifestDigest(bytes, algorithm) || digest === digestOf(bytes, algorithm);
}

function refusal({ failure, code, missing }: RegistryFailure): Failure {
  const { message, hint } = failure;
  const details = { hint, cause: failure };
  if (code === "MANIFEST_BLOB_UNKNOWN" || code === "BLOB_UNKNOWN") {
    return new Failure(failure.code, message, { ...details, missingBlobs: missing });
  }
  const ofType =
    code === "MANIFEST_INVALID" ||
    code === "TAG_INVALID" ||
    (code === "UNSUPPORTED" && message.includes("Invalid JSON syntax"));
  return ofType ? new Failure("unsupported", message, details) : failure;
}
