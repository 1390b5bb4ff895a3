// Test log: a transparency log in memory, with a small tree that it signs.

import { createHash, createPublicKey, type KeyObject } from "node:crypto";

import { rawSignature } from "./sigstore.ts";

/** An entry's proof, as bundles have it. */
export interface ProofJson {
  readonly logIndex: string;
  readonly rootHash: string;
  readonly treeSize: string;
  readonly hashes: readonly string[];
  readonly checkpoint: { readonly envelope: string };
}

/** How a log calls itself, and what its checkpoints are to be like. */
export interface LogWish {
  /** What it signs as; also its origin if that is absent. */
  readonly name?: string;
  readonly origin?: string;
  /** Changes what is signed. */
  readonly note?: (note: string) => string;
}

/** A log that has the key. Entries can only be added. */
export class TestLog {
  readonly key: KeyObject;
  readonly name: string;
  readonly #wish: LogWish;
  readonly #entries: Buffer[] = [];

  constructor(key: KeyObject, wish: LogWish = {}) {
    this.key = key;
    this.name = wish.name ?? "log.example.com";
    this.#wish = wish;
  }

  /** Adds an entry, and returns its place. */
  add(body: Uint8Array): number {
    return this.#entries.push(hashOf(0, body)) - 1;
  }

  /** Proves that the entry at a place is in the log as it is now. */
  prove(index: number): ProofJson {
    const root = rootOf(this.#entries);
    return {
      logIndex: String(index),
      rootHash: root.toString("base64"),
      treeSize: String(this.#entries.length),
      hashes: pathOf(this.#entries, index).map((hash) => hash.toString("base64")),
      checkpoint: { envelope: this.sign(root, this.#entries.length) },
    };
  }

  /** Signs that the log has a size and a root. */
  sign(root: Uint8Array, size: number): string {
    const { note = (text: string) => text, origin = this.name } = this.#wish;
    const text = note(`${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`);
    const signature = Buffer.concat([
      this.#hint(),
      rawSignature(Buffer.from(text), this.key),
    ]).toString("base64");
    return `${text}\n\u2014 ${this.name} ${signature}\n`;
  }

  /** What the log goes by in bundles. */
  get id(): Buffer {
    return this.key.asymmetricKeyType === "ed25519" ? this.#identity() : sha256(spki(this.key));
  }

  #hint(): Buffer {
    return this.id.subarray(0, 4);
  }

  #identity(): Buffer {
    const head = Buffer.from(`${this.#wish.origin ?? this.name}\n\u0001`);
    return sha256(Buffer.concat([head, spki(this.key).subarray(-32)]));
  }
}

function spki(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" });
}

function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (hashes.length === 1 && only !== undefined) return only;
  const half = halfOf(hashes.length);
  return hashOf(1, Buffer.concat([rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half))]));
}

/** As the specification defines it, from above. */
function pathOf(hashes: readonly Buffer[], index: number): readonly Buffer[] {
  if (hashes.length <= 1) return [];
  const half = halfOf(hashes.length);
  const [left, right] = [hashes.slice(0, half), hashes.slice(half)];
  return index < half
    ? [...pathOf(left, index), rootOf(right)]
    : [...pathOf(right, index - half), rootOf(left)];
}

/** The largest power of two below a number. */
function halfOf(count: number): number {
  let half = 1;
  while (half * 2 < count) half *= 2;
  return half;
}

function hashOf(kind: number, bytes: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.of(kind), bytes]));
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
