// Presence: whether a repository has a blob already.

import type { Digest } from "../../core/content/digest.ts";
import type { RegistryClient } from "./client.ts";

/** A blob that a repository says it has. */
export interface PresentBlob {
  /** In bytes; absent if the registry does not say. */
  readonly size?: number;
}

/** Asks for a blob by its digest alone. Undefined means that it is not there. */
export async function findBlob(
  client: RegistryClient,
  digest: Digest,
  signal: AbortSignal,
): Promise<PresentBlob | undefined> {
  const { host, repository } = client;
  const target = `/v2/${repository}/blobs/${digest}`;
  const response = await client.request({ method: "HEAD", target, signal });
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
