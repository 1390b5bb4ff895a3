// Deletion: an image out of its registry.

import type { Digest } from "../../core/content/digest.ts";
import { type DockerName, fullName } from "../../core/content/docker-name.ts";
import { Failure, during } from "../../core/failure.ts";
import type { Deletion } from "../../core/image/deletion.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { manifestDigest } from "../../core/manifest/manifest.ts";
import type { RegistryClient } from "./client.ts";
import { connect } from "./connection.ts";
import { removeLookaside, whyNotWritten } from "./lookaside.ts";
import { manifestIn, requestManifest } from "./manifest.ts";

/**
 * Deletes the manifest that a name leads to, and with it every tag that leads there too.
 *
 * Blobs stay until the registry collects them. Of a list, the images stay.
 */
export async function deleteImage(name: DockerName, context: TransportContext): Promise<void> {
  const reference = referenceOf(name);
  await using client = await connect(name, "*", context);
  const digest = await findDigest(client, name, reference);
  const response = await client.request({
    method: "DELETE",
    target: `/v2/${client.repository}/manifests/${digest}`,
  });
  if (response.status === 202) {
    await response.discard();
  } else {
    const { failure } = await client.failure(response, `deleting ${fullName(name)}`);
    // It was there a moment ago, so a first try may have reached the registry without our hearing of it.
    if (response.status !== 404 || !(await isGone(client, digest))) throw failure;
  }
  await removeSignatures(name, digest, context);
}

/** What was beside the registry is about nothing any more. The original fails here, too, if it cannot. */
async function removeSignatures(
  name: DockerName,
  digest: Digest,
  { settings }: TransportContext,
): Promise<void> {
  const storage = await settings.docker.access.signatureStorage(name);
  if (storage.lookaside === undefined && storage.lookasideStaging === undefined) return;
  const why = whyNotWritten(storage);
  if (why !== undefined) {
    throw new Failure("unsupported", why, {
      hint: "the image is deleted, and its signatures are still there",
    });
  }
  removeLookaside({ name, digest, storage });
}

/**
 * Removes the tag of a name, and nothing else: the image stays, with its other tags and its digest.
 *
 * Fails with `unsupported`, and has done nothing, where the registry can only delete whole images.
 */
export async function deleteTag(name: DockerName, context: TransportContext): Promise<void> {
  const tag = tagOf(name);
  await using client = await connect(name, "*", context);
  // By a tag that is not there, a registry may say that it knows no such request, or no such tag.
  await findDigest(client, name, tag);
  const response = await client.request({
    method: "DELETE",
    target: `/v2/${client.repository}/manifests/${tag}`,
  });
  if (response.status >= 200 && response.status < 300) return response.discard();
  const { failure, code } = await client.failure(response, `removing the tag of ${fullName(name)}`);
  // The first of several tries may have reached the registry without our hearing of it.
  if (response.status === 404 && (await isGone(client, tag))) return;
  if (!isUnable(response.status, code)) throw failure;
  throw new Failure(
    "unsupported",
    `${client.host} cannot remove a tag and keep its image, nothing was deleted: ${failure.message}`,
    { hint: "without --tag-only, the image is deleted with all of its tags", cause: failure },
  );
}

/** Returns what `deleteImage`, or `deleteTag` if `tagOnly`, would take away. The registry is only read. */
export async function planDeletion(
  name: DockerName,
  context: TransportContext,
  tagOnly: boolean,
): Promise<Deletion> {
  const reference = tagOnly ? tagOf(name) : referenceOf(name);
  await using client = await connect(name, "pull", context);
  const digest = await findDigest(client, name, reference);
  if (tagOnly) {
    return {
      digest,
      removals: [{ kind: "tag", name: fullName(name) }],
      notes: ["not every registry can remove a tag and keep its image"],
    };
  }
  return {
    digest,
    removals: [{ kind: "manifest", name: digest }],
    notes: [
      "every tag that leads to this manifest goes with it",
      "blobs stay until the registry collects them",
    ],
  };
}

function referenceOf(name: DockerName): string {
  const reference = name.tag ?? name.digest;
  if (reference !== undefined) return reference;
  throw new Failure("usage", "Deleting an image whose digest is not known is not possible", {
    hint: "name it by its tag or digest",
  });
}

function tagOf(name: DockerName): string {
  if (name.tag !== undefined) return name.tag;
  throw new Failure("usage", `${fullName(name)} names no tag that could be removed`, {
    hint: "name the image by its tag",
  });
}

function isUnable(status: number, code: string | undefined): boolean {
  // The first is that of docker-registry 2.8, which takes the tag for a digest that it cannot read.
  return [400, 404, 405, 501].includes(status) || code === "UNSUPPORTED";
}

async function findDigest(
  client: RegistryClient,
  name: DockerName,
  reference: string,
): Promise<Digest> {
  const response = await requestManifest(client, reference);
  if (response.status === 404) {
    await response.discard();
    throw new Failure(
      "refused",
      `Unable to delete ${fullName(name)}. Image may not exist or is not stored with a v2 Schema in a v2 registry`,
    );
  }
  const what = `deleting ${fullName(name)}`;
  if (response.status !== 200) throw (await client.failure(response, what)).failure;
  const { bytes } = await during(what, () => manifestIn(response));
  return name.digest ?? manifestDigest(bytes);
}

async function isGone(client: RegistryClient, reference: string): Promise<boolean> {
  const response = await requestManifest(client, reference);
  await response.discard();
  return response.status === 404;
}
