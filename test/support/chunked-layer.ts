// Chunked layer: what a layer in zstd:chunked says of itself, read by the letter of its format.

import { chunkedAnnotations } from "../../core/content/chunked-layer.ts";

/** One entry of a table of contents. */
export type TocEntry = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly name: string;
};

/** What stands behind the content of a layer. */
export interface ReadTrailer {
  readonly entries: readonly TocEntry[];
  /** Its lines, as text. */
  readonly tarSplit: string;
}

/** Reads the trailer of a layer, and throws unless annotations, digests and footer agree. */
export function readTrailer(
  layer: Uint8Array,
  annotations: Readonly<Record<string, string>>,
): ReadTrailer {
  const numbers = (name: string) => (annotations[name] ?? "").split(":").map(Number);
  const [tocAt = 0, tocBytes = 0, tocContent = 0, kind = 0] = numbers(
    chunkedAnnotations.tocPosition,
  );
  const [splitAt = 0, splitBytes = 0, splitContent = 0] = numbers(
    chunkedAnnotations.tarSplitPosition,
  );
  const toc = layer.subarray(tocAt, tocAt + tocBytes);
  const split = layer.subarray(splitAt, splitAt + splitBytes);
  for (const [at, size] of [
    [tocAt, tocBytes],
    [splitAt, splitBytes],
    [layer.length - 64, 64],
  ] as const) {
    const header = Buffer.from(layer.subarray(at - 8, at));
    if (header.readUInt32LE() !== 0x184d2a50 || header.readUInt32LE(4) !== size) {
      throw new Error(`no frame to be skipped at ${at}`);
    }
  }
  const footer = Buffer.from(layer.subarray(-64));
  const told = Array.from({ length: 7 }, (_, index) => Number(footer.readBigUInt64LE(index * 8)));
  const expected = [tocAt, tocBytes, tocContent, kind, splitAt, splitBytes, splitContent];
  if (JSON.stringify(told) !== JSON.stringify(expected)) throw new Error(`footer says ${told}`);
  if (footer.toString("latin1", 56) !== "GNUlInUx") throw new Error("footer has another magic");
  if (digest(toc) !== annotations[chunkedAnnotations.tocDigest]) throw new Error("wrong digest");
  const text = unpacked(toc, tocContent);
  const { version, entries, tarSplitDigest } = JSON.parse(text);
  if (version !== 1 || digest(split) !== tarSplitDigest) throw new Error("wrong tar-split");
  return { entries, tarSplit: unpacked(split, splitContent) };
}

/** Returns the content of a file by its entry and its further chunks, checked against all digests. */
export function fileContent(layer: Uint8Array, entries: readonly TocEntry[], name: string): Buffer {
  const at = entries.findIndex((entry) => entry.name === name);
  const first = entries[at];
  if (first === undefined) throw new Error(`no entry ${name}`);
  const chunks = [first];
  while (entries[at + chunks.length]?.type === "chunk") {
    chunks.push(entries[at + chunks.length] as TocEntry);
  }
  const parts = chunks.map((chunk, index) => {
    const end = Number(chunks[index + 1]?.["offset"] ?? first["endOffset"]);
    const content = Bun.zstdDecompressSync(layer.slice(Number(chunk["offset"]), end));
    const { chunkDigest } = chunk;
    if (chunks.length > 1 && digest(content) !== chunkDigest) throw new Error("wrong chunk");
    return content;
  });
  const whole = Buffer.concat(parts);
  if (digest(whole) !== first["digest"]) throw new Error(`${name} has the wrong digest`);
  return whole;
}

function unpacked(frame: Uint8Array, size: number): string {
  const bytes = Bun.zstdDecompressSync(frame.slice());
  if (bytes.length !== size) throw new Error(`${bytes.length} bytes instead of ${size}`);
  return new TextDecoder().decode(bytes);
}

function digest(bytes: Uint8Array): string {
  return `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
}
