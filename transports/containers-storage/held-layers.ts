// Held layers: the layers of an image that is being written, by the digests that its manifest has for them.

import {
  decompressed,
  type DetectedCompression,
  detectCompression,
  magicBytes,
} from "../../core/blob/decompress.ts";
import { peeked } from "../../core/blob/peek.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, Digester } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { OutgoingBlob, StoredBlob } from "../../core/image/destination.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { writeBlobFile } from "../shared/blob-file.ts";
import { fileStream } from "../shared/file-stream.ts";
import { findLayer } from "./find-layer.ts";
import type { HeldLayer } from "./layer-chain.ts";
import type { KeptLayer } from "./read-store.ts";
import { type LayerBlob, stageBlob, type StagingPlan } from "./staged-layer.ts";

/** What layers are held with. */
export interface HoldingPlace {
  /** The layers of the store, as they were when it was opened. */
  readonly layers: ReadonlyMap<string, KeptLayer>;
  readonly plan: StagingPlan;
  readonly context: TransportContext;
}

/** Takes layers, or finds that the store has them. */
export class HeldLayers {
  readonly #place: HoldingPlace;
  readonly #held = new Map<Digest, HeldLayer>();

  constructor(place: HoldingPlace) {
    this.#place = place;
  }

  /** Returns the layer that came as a blob. */
  layer(blob: Digest): HeldLayer {
    const held = this.#held.get(blob);
    if (held !== undefined) return held;
    throw new Failure("bug", `Layer ${blob} was not written`);
  }

  /** Makes a layer of the store that has the content of a blob part of the image, if there is one. */
  async reuse(wanted: Descriptor): Promise<StoredBlob | undefined> {
    const { layers, context } = this.#place;
    const { blobInfo } = context.settings.containersStorage ?? {};
    const found = await findLayer(wanted, layers, blobInfo);
    if (found === undefined) return undefined;
    const { digest } = wanted;
    const { layer, diffId, size } = found;
    const blob = { digest, size, compression: compressionOf(layer, digest) };
    this.#held.set(digest, { kind: "kept", diffId, layer, blob });
    return { digest, size, by: "presence" };
  }

  /** Takes a blob. With overlay it is unpacked at once; with vfs that takes the layers below it. */
  async put(blob: OutgoingBlob, signal: AbortSignal): Promise<StoredBlob> {
    const { plan } = this.#place;
    const held =
      plan.unpacking.whiteouts === "vfs"
        ? await packed(blob, plan, signal)
        : await unpacked(blob, plan, signal);
    const { digest, size } = blobOf(held);
    this.#held.set(digest, held);
    this.#note(held);
    return { digest, size, by: "sending" };
  }

  #note(held: HeldLayer): void {
    const { blobInfo } = this.#place.context.settings.containersStorage ?? {};
    const { digest, compression } = blobOf(held);
    blobInfo?.note({ kind: "content", digest, uncompressed: held.diffId });
    if (compression === "none" || compression === "gzip" || compression === "zstd") {
      blobInfo?.note({ kind: "compression", digest, compression });
    }
  }
}

function blobOf(held: HeldLayer): LayerBlob {
  return held.kind === "staged" ? held.staged.blob : held.blob;
}

async function unpacked(
  blob: OutgoingBlob,
  plan: StagingPlan,
  signal: AbortSignal,
): Promise<HeldLayer> {
  const staged = await stageBlob(blob, plan, signal);
  return { kind: "staged", diffId: staged.written.diffId, staged };
}

/** Keeps the blob as it is, and reads it once more for the digest of its content. */
async function packed(
  blob: OutgoingBlob,
  plan: StagingPlan,
  signal: AbortSignal,
): Promise<HeldLayer> {
  const path = plan.files.next();
  const place = { workshop: plan.files.path, pathOf: () => path };
  const { digest, size } = await writeBlobFile(blob, place, signal);
  await using peek = await peeked(() => fileStream(path, signal), magicBytes);
  const compression = detectCompression(peek.start);
  const open = (): ByteStream => decompressed(compression)(fileStream(path, signal));
  const digester = new Digester();
  for await (const chunk of open()) digester.update(chunk);
  return { kind: "packed", diffId: digester.digest(), blob: { digest, size, compression }, open };
}

/** What the store knows of the bytes that a layer came as; of others it is the content that counts. */
function compressionOf({ record }: KeptLayer, digest: Digest): DetectedCompression {
  if (record.diffDigest === digest) return "none";
  const number = record.json["compression"];
  const known = { 1: "bzip2", 2: "gzip", 3: "xz", 4: "zstd" } as const;
  switch (number) {
    case 1:
    case 2:
    case 3:
    case 4:
      return record.compressedDigest === digest ? known[number] : "gzip";
    default:
      return "none";
  }
}
