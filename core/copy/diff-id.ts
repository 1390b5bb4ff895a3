// DiffIDs: the digests that layers have once they are uncompressed.

import { alongside } from "../blob/alongside.ts";
import {
  type DetectedCompression,
  decompressed,
  detectCompression,
  magicBytes,
} from "../blob/decompress.ts";
import type { ByteStream, Stage } from "../blob/stream.ts";
import type { Descriptor } from "../content/descriptor.ts";
import { type Digest, Digester } from "../content/digest.ts";
import { recompressedType } from "../content/media-types.ts";
import type { BlobReading } from "../image/source.ts";
import type { AdmittedImage } from "../trust/gate.ts";

/** What only reading a whole layer can tell. */
export interface LayerContent {
  readonly diffId: Digest;
  /** The media type that fits its bytes, of the same family as the one it goes by. */
  readonly mediaType: string;
}

/**
 * Returns a stage that passes uncompressed content through, and tells its digest whenever it was whole. The
 * digest is of the same algorithm as `like`. What `tell` throws, the stream fails with.
 */
export function digested(tell: (diffId: Digest) => void, like?: Digest): Stage {
  return async function* (bytes) {
    const digester = new Digester(like);
    for await (const chunk of bytes) {
      digester.update(chunk);
      yield chunk;
    }
    tell(digester.digest());
  };
}

/** Does the same for content that is compressed, and stays so. */
export function digestedBeside(
  compression: DetectedCompression,
  tell: (diffId: Digest) => void,
  like?: Digest,
): Stage {
  if (compression === "none") return digested(tell, like);
  const unpack = decompressed(compression);
  return alongside(async (bytes) => tell(await diffIdOf(unpack(bytes), like)));
}

/** Reads a layer to its end, for nothing but what it is. Fails with `corrupt`. */
export async function readLayerContent(
  image: AdmittedImage,
  blob: Descriptor,
  reading: BlobReading,
): Promise<LayerContent> {
  await using peek = await image.peek(blob, magicBytes, reading);
  const compression = detectCompression(peek.start);
  const diffId = await diffIdOf(decompressed(compression)(peek.blob.open()));
  return { diffId, mediaType: fittingType(blob.mediaType, compression) };
}

/** Returns the media type that a layer has by its bytes, whatever it went by. */
export function fittingType(mediaType: string, compression: DetectedCompression): string {
  switch (compression) {
    case "none":
    case "gzip":
    case "zstd":
      return recompressedType(mediaType, compression) ?? mediaType;
    case "bzip2":
    case "xz":
      return mediaType;
  }
}

async function diffIdOf(content: ByteStream, like?: Digest): Promise<Digest> {
  const digester = new Digester(like);
  for await (const chunk of content) digester.update(chunk);
  return digester.digest();
}
