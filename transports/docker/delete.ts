// Deletion: an image out of its registry.

import type { Digest } from "../../core/content/digest.ts";
import { type DockerName, fullName } from "../../core/content/docker-name.ts";
import { Failure, during } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { manifestDigest } from "../../core/manifest/manifest.ts";
import type { RegistryClient } from "./client.ts";
import { connect } from "./connection.ts";
import { manifestIn, requestManifest } from "./manifest.ts";

/**
 * Deletes the manifest that a name leads to, and with it every tag that leads there too.
 *
 * Blobs stay until the registry collects them. Of a list, the images stay.
 */
export async function deleteImage(name: DockerName, context: TransportContext): Promise<void> {
  const reference = name.tag ?? name.digest;
  if (reference === undefined) {
    throw new Failure("usage", "Deleting an image whose digest is not known is not possible", {
      hint: "name it by its tag or digest",
    });
  }
  await using client = await connect(name, "*", context);
  const digest = await findDigest(client, name, reference);
  const response = await client.request({
    method: "DELETE",
    target: `/v2/${client.repository}/manifests/${digest}`,
  });
  if (response.status === 202) return response.discard();
  const { failure } = await client.failure(response, `deleting ${fullName(name)}`);
  // It was there a moment ago, so a first try may have reached the registry without our hearing of it.
  if (response.status === 404 && (await isGone(client, digest))) return;
  throw failure;
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

async function isGone(client: RegistryClient, digest: Digest): Promise<boolean> {
  const response = await requestManifest(client, digest);
  await response.discard();
  return response.status === 404;
}
