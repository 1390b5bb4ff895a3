// Candidates: blobs that may do instead of sending one, by all that is on record.

import type { Digest } from "../content/digest.ts";
import type { Compression, LayerForm } from "../content/media-types.ts";
import type { BlobCandidate, CandidateWish } from "./blob-info.ts";
import type { BlobRecords } from "./records.ts";

/** Each candidate costs a request or two, and after some of them sending is faster. */
const most = 5;

/** Of these, so many may be blobs that nobody has seen within the scope. */
const mostUnseen = 2;

/**
 * Returns what may do instead of sending a blob: first the blob itself wherever it was seen, latest first;
 * then other bytes of the same content, latest first, and the uncompressed ones at the very end.
 */
export function candidatesIn(
  records: readonly BlobRecords[],
  wish: CandidateWish,
): readonly BlobCandidate[] {
  const own = seenAt(records, wish, wish.digest).map(({ location }) => ({
    digest: wish.digest,
    location,
  }));
  const others = standIns(records, wish);
  const seen = others.filter(({ location }) => location !== undefined);
  const unseen = others.filter(({ location }) => location === undefined);
  const found = [...own, ...seen].slice(0, most);
  return [...found, ...unseen.slice(0, Math.min(mostUnseen, most - found.length))];
}

/** Returns other bytes of the same content. Those whose compression is not known cannot be described. */
function standIns(records: readonly BlobRecords[], wish: CandidateWish): readonly BlobCandidate[] {
  if (wish.forms.length === 0) return [];
  const uncompressed = first(records, (each) => each.uncompressedOf(wish.digest));
  if (uncompressed === undefined) return [];
  const digests = new Set(records.flatMap((each) => each.sharing(uncompressed)));
  digests.add(uncompressed).delete(wish.digest);
  const found = [...digests].flatMap((digest) => {
    const compression = compressionOf(records, digest, uncompressed);
    if (compression === undefined) return [];
    const annotations =
      compression === "zstd" ? first(records, (each) => each.chunkedOf(digest)) : undefined;
    if (!fits(annotations === undefined ? compression : "zstd:chunked", wish)) return [];
    const standIn = { compression, uncompressed, ...(annotations && { annotations }) };
    const candidate = { digest, standIn };
    const places = seenAt(records, wish, digest);
    return places.length === 0
      ? [{ candidate, timeMs: 0 }]
      : places.map(({ location, timeMs }) => ({ candidate: { ...candidate, location }, timeMs }));
  });
  const last = (digest: Digest) => (digest === uncompressed ? 1 : 0);
  return found
    .toSorted(
      (a, b) =>
        last(a.candidate.digest) - last(b.candidate.digest) ||
        b.timeMs - a.timeMs ||
        (a.candidate.digest < b.candidate.digest ? -1 : 1),
    )
    .map(({ candidate }) => candidate);
}

function fits(form: LayerForm, { forms }: CandidateWish): boolean {
  return forms.includes(form) || (form === "zstd:chunked" && forms.includes("zstd"));
}

/** What is uncompressed by its own digest needs nobody to say so, and nobody may say otherwise. */
function compressionOf(
  records: readonly BlobRecords[],
  digest: Digest,
  uncompressed: Digest,
): Compression | undefined {
  if (digest === uncompressed) return "none";
  const compression = first(records, (each) => each.compressionOf(digest));
  return compression === "none" ? undefined : compression;
}

/** Returns where a blob was seen, latest first. */
function seenAt(records: readonly BlobRecords[], { scope }: CandidateWish, digest: Digest) {
  const places = new Map<string, number>();
  for (const { location, timeMs } of records.flatMap((each) => each.seen(scope, digest))) {
    places.set(location, Math.max(timeMs, places.get(location) ?? 0));
  }
  return Array.from(places, ([location, timeMs]) => ({ location, timeMs })).toSorted(
    (a, b) => b.timeMs - a.timeMs || (a.location < b.location ? -1 : 1),
  );
}

function first<T>(
  records: readonly BlobRecords[],
  read: (each: BlobRecords) => T | undefined,
): T | undefined {
  for (const each of records) {
    const found = read(each);
    if (found !== undefined) return found;
  }
  return undefined;
}
