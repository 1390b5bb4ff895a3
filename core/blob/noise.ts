// Noise: stretches of content that nothing makes smaller, such as files that are compressed already.
//
// Layers hold many of them, and they cost a compressor more time than anything else.

/** A stretch of content that is all noise, or all not. */
export interface Stretch {
  readonly bytes: Uint8Array;
  readonly noise: boolean;
  /** How evenly values of bytes are spread: 0 where there is one only, near 1 in noise. */
  readonly evenness: number;
}

/** Noise is told from other content in pieces of this size, whole ones only. */
const noiseBytes = 32 * 1024;

/** Looking at some bytes is enough. An odd step meets all of what comes in fours or eights. */
const step = 17;

const looks = Math.ceil(noiseBytes / step);

/** So few looks make noise seem a little less even than it is: 0.988. */
const noiseEvenness = 0.98;

/** Cuts content into stretches, none of which is empty. All but the last end at a whole piece. */
export function stretchesOf(content: Uint8Array): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let start = 0;
  let pieces = 0;
  let evenness = 0;
  let noise = false;
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const end = (at: number): void => {
    if (at === start) return;
    stretches.push({ bytes: content.subarray(start, at), noise, evenness: evenness / pieces });
    start = at;
    pieces = 0;
    evenness = 0;
  };
  for (let at = 0; at < content.length; at += noiseBytes) {
    const piece = content.subarray(at, at + noiseBytes);
    const own = evennessOf(piece);
    const isNoise = piece.length === noiseBytes && own > noiseEvenness && !repeats(view, at);
    if (isNoise !== noise) end(at);
    noise = isNoise;
    evenness += own;
    pieces += 1;
  }
  end(content.length);
  return stretches;
}

/** How often each value was met. */
const counts = new Uint32Array(256);

/**
 * By how much a value that was met so often makes content less even. Whole numbers, because the last digits of a
 * logarithm are not the same on all machines.
 */
const weights = Array.from({ length: looks + 1 }, (_, count) =>
  count === 0 ? 0 : Math.round(count * Math.log2(count) * 2 ** 16),
);

/** Returns the entropy of single bytes, as a part of what it could be. */
function evennessOf(bytes: Uint8Array): number {
  counts.fill(0);
  for (let at = 0; at < bytes.length; at += step) {
    const value = bytes[at] ?? 0;
    counts[value] = (counts[value] ?? 0) + 1;
  }
  const all = Math.ceil(bytes.length / step);
  let spread = weights[all] ?? 0;
  for (const count of counts) spread -= weights[count] ?? 0;
  return spread / all / (8 * 2 ** 16);
}

/** Archives are made of records of this size. A file that is there twice stands at such a distance. */
const recordBytes = 512;
/** Where a record was seen that begins with certain bytes, counted from one. */
const seen = new Uint32Array(1024);

/** Tells whether much of a piece stood just before already, so that it is no noise, however even. */
function repeats(content: DataView, start: number): boolean {
  seen.fill(0);
  let found = 0;
  for (let at = Math.max(0, start - noiseBytes); at < start + noiseBytes; at += recordBytes) {
    const word = content.getUint32(at);
    const slot = word % seen.length;
    const earlier = seen[slot] ?? 0;
    if (at >= start && earlier > 0 && content.getUint32(earlier - 1) === word) found += 1;
    seen[slot] = at + 1;
  }
  return found > 1;
}
