// Digests: the names that content goes by.

import { Failure } from "../failure.ts";

/** A digest algorithm that content may be named by. */
export type DigestAlgorithm = "sha256" | "sha384" | "sha512";

/**
 * The digest of some content, such as `sha256:9f86…`, known to be well-formed.
 *
 * Only this file makes one, so a Digest may stand in a path, a URL or a key as it is.
 */
export type Digest = string & { readonly brand: "Digest" };

/** How many hex digits the digests of each algorithm have. */
const hexLengths: Readonly<Record<DigestAlgorithm, number>> = {
  sha256: 64,
  sha384: 96,
  sha512: 128,
};

/**
 * Parses a digest: one of three algorithms, a colon, lower-case hex of the exact length.
 *
 * Fails with `corrupt`, naming what is wrong in the words of the reference grammar.
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new Failure("corrupt", `invalid digest ${JSON.stringify(text)}: ${digestFault(text)}`);
}

/** Tells whether `text` is a well-formed digest of a known algorithm. */
export function isDigest(text: string): text is Digest {
  const [, algorithm, hex] = /^(sha256|sha384|sha512):([0-9a-f]+)$/.exec(text) ?? [];
  return algorithm !== undefined && hex?.length === hexLengths[algorithm as DigestAlgorithm];
}

/** Returns what keeps `text` from being a digest, in the words that registries use. */
export function digestFault(text: string): string {
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, Math.max(colon, 0));
  const hex = text.slice(colon + 1);
  if (!Object.hasOwn(hexLengths, algorithm)) {
    const shaped = /^[a-z0-9]+(?:[-_+.][a-z0-9]+)*$/.test(algorithm) && /^[\w=-]+$/.test(hex);
    return shaped ? "unsupported digest algorithm" : "invalid checksum digest format";
  }
  if (hex !== "" && hex.length !== hexLengths[algorithm as DigestAlgorithm]) {
    return "invalid checksum digest length";
  }
  return "invalid checksum digest format";
}

/** Returns the algorithm of a digest: what stands before the colon. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(":")) as DigestAlgorithm;
}

/** Returns the hex digits of a digest: what stands behind the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** Returns the digest of `bytes`. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256"): Digest {
  return `${algorithm}:${Bun.CryptoHasher.hash(algorithm, bytes, "hex")}` as Digest;
}

/** Computes the digest of content that comes in pieces. */
export class Digester {
  readonly #algorithm: DigestAlgorithm;
  readonly #hasher: Bun.CryptoHasher;

  /** Starts with no content. A digest is given for its algorithm alone. */
  constructor(like: Digest | DigestAlgorithm = "sha256") {
    this.#algorithm = isDigest(like) ? digestAlgorithm(like) : (like as DigestAlgorithm);
    this.#hasher = new Bun.CryptoHasher(this.#algorithm);
  }

  /** Adds the next piece. */
  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  /** Returns the digest of all pieces. May be called once. */
  digest(): Digest {
    return `${this.#algorithm}:${this.#hasher.digest("hex")}` as Digest;
  }
}
