// Presence: whether a repository has a blob already.

import type { Descriptor } from "../../core/content/descriptor.ts";
import type { Digest } from "../../core/content/digest.ts";
import type { StoredBlob } from "../../core/image/destination.ts";
import type { RegistryClient } from "./client.ts";

/** A blob that a repository says it has. */
export interface PresentBlob {
  /** In bytes; absent if the registry does not say. */
  readonly size?: number;
}

/**
 * Asks for a blob by its digest alone. Undefined means that it is not there. `repository` is another one
 * of the same registry; absent, the client's own.
 */
export async function findBlob(
  client: RegistryClient,
  digest: Digest,
  signal: AbortSignal,
  repository: string = client.repository,
): Promise<PresentBlob | undefined> {
  const { host } = client;
  const target = `/v2/${repository}/blobs/${digest}`;
  const scopes = repository === client.repository ? [] : [`repository:${repository}:pull`];
  const response = await client.request({ method: "HEAD", target, scopes, signal });
  if (response.status === 404) {
    await response.discard();
    return undefined;
  }
  if (response.status !== 200) {
    const what = `checking whether a blob ${digest} exists in ${host}/${repository}`;
    throw (await client.failure(response, what)).failure;
  }
  await response.discard();
  const length = response.headers.get("content-length") ?? "";
  return /^\d{1,15}$/.test(length) ? { size: Number(length) } : {};
}

/** Returns what the client's own repository holds of a blob that is wanted; undefined if it has to be sent. */
export async function findWanted(
  client: RegistryClient,
  wanted: Descriptor,
  signal: AbortSignal,
): Promise<StoredBlob | undefined> {
  const { digest } = wanted;
  const found = await findBlob(client, digest, signal);
  const size = found?.size ?? wanted.size;
  if (found === undefined || size === undefined) return undefined;
  // What the registry has under this digest is something else: only sending can tell.
  if (size !== (wanted.size ?? size)) return undefined;
  return { digest, size, by: "presence" };
}
