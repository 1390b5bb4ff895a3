// Mounting: taking a blob from another repository of the same registry, without moving it.

import type { Digest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import type { RegistryClient, RegistryResponse } from "./client.ts";
import { UploadSession } from "./upload-session.ts";

/** A blob that may be had from a neighbour. */
export interface Mount {
  readonly client: RegistryClient;
  readonly digest: Digest;
  /** The repository that has the blob. */
  readonly from: string;
  readonly signal: AbortSignal;
  readonly log: TransportLog;
}

/**
 * Asks the registry to mount a blob.
 *
 * Gives true if that is done; an upload session where the registry began one instead, as it may; and
 * false where it does neither, for whatever reason of its own.
 */
export async function mountBlob(mount: Mount): Promise<boolean | UploadSession> {
  const { client, log } = mount;
  const response = await requestMount(mount);
  if (response?.status === 202) return UploadSession.from(response, client, log);
  if (response === undefined) return false;
  await response.discard();
  return response.status === 201;
}

/** Undefined means that the registry does not let us. The blob can still be sent, so that is no failure. */
async function requestMount(mount: Mount): Promise<RegistryResponse | undefined> {
  const { client, digest, from, signal, log } = mount;
  const query = `from=${encodeURIComponent(from)}&mount=${encodeURIComponent(digest)}`;
  try {
    return await client.request({
      method: "POST",
      target: `/v2/${client.repository}/blobs/uploads/?${query}`,
      scopes: [`repository:${from}:pull`],
      signal,
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code !== "unauthorized" && error.code !== "refused") throw error;
    log.debug(`Mounting blob ${digest} from ${from} failed: ${error.message}`);
    return undefined;
  }
}
