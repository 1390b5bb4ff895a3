// Presence: whether a repository has a blob already.

import type { Digest } from "../../core/content/digest.ts";
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
