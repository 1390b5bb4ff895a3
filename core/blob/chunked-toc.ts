// Table of contents: which files a zstd:chunked layer holds, and where in it they are.
//
// Its members are those of the original, by which engines make the files without seeing the archive.

import type { Digest } from "../content/digest.ts";
import { Failure } from "../failure.ts";
import type { TarEntry, TarEntryKind } from "./tar-reader.ts";
import { timeRecord } from "./tar-records.ts";

/** A piece of a file's content, and where it stands in the layer. */
export interface PlacedChunk {
  readonly digest: Digest;
  readonly contentBytes: number;
  readonly start: number;
  readonly end: number;
}

/** What stands before the first entry. */
export const tocStart = '{"version":1,"entries":[';

/** Returns what stands behind the last entry. */
export function tocEnd(tarSplit: Digest): string {
  return `],"tarSplitDigest":${JSON.stringify(tarSplit)}}`;
}

/**
 * Returns what a table of contents says of one entry, without commas around it. Files with content have
 * the digest of all of it, and chunks. Fails with `unsupported` if it cannot say what the entry is.
 */
export function tocEntry(
  entry: TarEntry,
  content?: { readonly digest: Digest; readonly chunks: readonly PlacedChunk[] },
): string {
  const { digest, chunks = [] } = content ?? {};
  const [first, ...others] = chunks;
  const placed = {
    digest,
    offset: first?.start,
    endOffset: chunks.at(-1)?.end,
    ...(others.length > 0 && { chunkSize: first?.contentBytes, chunkDigest: first?.digest }),
  };
  const described = JSON.stringify({ ...describe(entry), ...placed });
  let chunkOffset = first?.contentBytes ?? 0;
  const later = others.map((chunk) => {
    const text = JSON.stringify({
      type: "chunk",
      name: entry.name,
      offset: chunk.start,
      chunkSize: chunk.contentBytes,
      chunkOffset,
      chunkDigest: chunk.digest,
    });
    chunkOffset += chunk.contentBytes;
    return text;
  });
  return [described, ...later].join(",");
}

function describe(entry: TarEntry): object {
  const { name, link, mode, uid, gid, size, records } = entry;
  const accessed = timeRecord(records, "atime");
  const changed = timeRecord(records, "ctime");
  const xattrs = xattrsIn(entry);
  return {
    type: typeOf(entry.kind),
    name,
    linkName: link || undefined,
    mode: mode & 0o7777,
    size: size || undefined,
    modtime: timeText(entry.modifiedNs),
    accesstime: accessed === undefined ? undefined : timeText(accessed),
    changetime: changed === undefined ? undefined : timeText(changed),
    uid: uid || undefined,
    gid: gid || undefined,
    devMajor: entry.deviceMajor || undefined,
    devMinor: entry.deviceMinor || undefined,
    xattrs,
  };
}

function typeOf(kind: TarEntryKind): string {
  switch (kind) {
    case "file":
      return "reg";
    case "hard-link":
      return "hardlink";
    case "symbolic-link":
      return "symlink";
    case "character-device":
      return "char";
    case "block-device":
      return "block";
    case "directory":
      return "dir";
    case "fifo":
      return "fifo";
    case "other":
      throw new Failure("unsupported", "A table of contents has no word for this kind of entry");
  }
}

const xattrPrefix = "SCHILY.xattr.";

function xattrsIn({ records }: TarEntry): Readonly<Record<string, string>> | undefined {
  const xattrs = [...records].flatMap(([key, value]) =>
    key.startsWith(xattrPrefix)
      ? [[key.slice(xattrPrefix.length), Buffer.from(value).toString("base64")] as const]
      : [],
  );
  return xattrs.length === 0 ? undefined : Object.fromEntries(xattrs);
}

/** As RFC 3339 has it, with nanoseconds where there are any. Readers know the years from 0 to 9999. */
function timeText(ns: bigint): string {
  const second = 1_000_000_000n;
  const fraction = ((ns % second) + second) % second;
  const seconds = Number((ns - fraction) / second);
  if (seconds < -62_167_219_200 || seconds > 253_402_300_799) {
    throw new Failure("unsupported", "A table of contents has no words for this time");
  }
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  const digits = fraction === 0n ? "" : `.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
  return `${text}${digits}Z`;
}
