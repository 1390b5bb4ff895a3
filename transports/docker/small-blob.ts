// Small blobs: content that is held whole, on its way into a repository.

import { streamOf } from "../../core/blob/stream.ts";
import type { SmallBlob } from "../../core/image/source.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import type { RegistryClient } from "./client.ts";
import { findBlob } from "./presence.ts";
import { uploadBlob } from "./upload.ts";

/** Where it goes, and what ends that. */
export interface SmallBlobPlace {
  readonly client: RegistryClient;
  readonly log: TransportLog;
  readonly signal: AbortSignal;
}

/** Sends content to a repository, unless it is there. */
export async function sendSmallBlob(
  { mediaType, digest, bytes }: SmallBlob,
  { client, log, signal }: SmallBlobPlace,
): Promise<void> {
  const present = await findBlob(client, digest, signal);
  if (present !== undefined && (present.size ?? bytes.length) === bytes.length) return;
  const blob = { mediaType, digest, size: bytes.length, open: () => streamOf(bytes) };
  await uploadBlob({ client, blob, signal, log });
}
