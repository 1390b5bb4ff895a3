// Inclusion: that an entry is in a transparency log, by a path to a root that the log has signed.
//
// See https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3 for the path, which is that of RFC 6962.

import { createHash, type KeyObject } from "node:crypto";

import { Failure } from "../../failure.ts";
import { parseCheckpoint, verifyCheckpoint } from "./checkpoint.ts";

/** How an entry is said to be in a log. All of it is a claim. */
export interface InclusionProof {
  /** The place of the entry among those of the tree, from 0. */
  readonly index: number;
  /** How many entries the tree has. */
  readonly size: number;
  readonly root: Uint8Array;
  /** The hashes of the neighbours on the way to the root, from below. */
  readonly path: readonly Uint8Array[];
  /** What the log has signed: how large it is, and its root. */
  readonly checkpoint: string;
}

/**
 * Verifies that an entry is in one of the logs that have these keys. Fails with `rejected`, or with `corrupt`
 * if the checkpoint is malformed.
 */
export function verifyInclusion(
  body: Uint8Array,
  proof: InclusionProof,
  logKeys: readonly KeyObject[],
): void {
  const checkpoint = parseCheckpoint(proof.checkpoint);
  verifyCheckpoint(checkpoint, logKeys);
  if (checkpoint.size !== proof.size) {
    throw rejected(
      `log has signed a tree of ${checkpoint.size} entries, and the proof is for ${proof.size}`,
    );
  }
  const root = rootOf(body, proof);
  if (!isEqual(root, proof.root) || !isEqual(root, checkpoint.root)) {
    throw rejected("log entry does not lead to the root that the log has signed");
  }
}

/** Follows the path from an entry up to the root. Fails with `rejected` if it is too long or too short. */
function rootOf(body: Uint8Array, { index, size, path }: InclusionProof): Uint8Array {
  if (index < 0 || index >= size) throw rejected(`log of ${size} entries has no entry ${index}`);
  let hash = hashOf(0, body);
  // Where the entry's subtree and the last entry stand among those of the level; beyond 32 bits.
  let [at, last] = [BigInt(index), BigInt(size - 1)];
  for (const sibling of path) {
    if (last === 0n) throw rejected("path of the log entry is too long");
    if (isOdd(at) || at === last) {
      hash = hashOf(1, sibling, hash);
      // A subtree without a neighbour goes up as it is.
      while (!isOdd(at) && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      hash = hashOf(1, hash, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  if (last !== 0n) throw rejected("path of the log entry is too short");
  return hash;
}

function isOdd(number: bigint): boolean {
  return (number & 1n) === 1n;
}

/** Entries and nodes are told apart by the first byte, so that none can be taken for the other. */
function hashOf(kind: 0 | 1, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256").update(Uint8Array.of(kind));
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function rejected(why: string): Failure {
  return new Failure("rejected", why);
}
