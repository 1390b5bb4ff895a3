// Checkpoint: what a transparency log says of itself, and signs.
//
// See https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md and signed-note.md there.

import { createHash, type KeyObject, verify } from "node:crypto";

import { Failure } from "../../failure.ts";
import { limits } from "../../limits.ts";

/** A checkpoint as it is found. */
export interface Checkpoint {
  /** Which log it is, in its own words. */
  readonly origin: string;
  /** How many entries it has. */
  readonly size: number;
  readonly root: Uint8Array;
  /** What is signed. */
  readonly signed: Uint8Array;
  readonly signatures: readonly NoteSignature[];
}

interface NoteSignature {
  readonly name: string;
  /** The first bytes of what identifies the key. */
  readonly hint: Uint8Array;
  readonly bytes: Uint8Array;
}

const hintBytes = 4;
const rootBytes = 32;

/** Parses a checkpoint. Fails with `corrupt`. */
export function parseCheckpoint(text: string): Checkpoint {
  if (text.length > limits.checkpointBytes) throw malformed("it is too long");
  const end = text.lastIndexOf("\n\n");
  if (end < 0 || !text.endsWith("\n")) throw malformed("it has no signatures");
  const signed = text.slice(0, end + 1);
  const [origin = "", size = "", root = ""] = signed.split("\n");
  if (origin === "") throw malformed("it names no log");
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw malformed("its size is no number");
  }
  const hash = decoded(root);
  if (hash.length !== rootBytes) throw malformed("its root is no hash");
  const lines = text.slice(end + 2, -1).split("\n");
  if (lines.length > limits.checkpointSignatures) throw malformed("too many signatures");
  return {
    origin,
    size: Number(size),
    root: hash,
    signed: new TextEncoder().encode(signed),
    signatures: lines.map(parseSignature),
  };
}

function parseSignature(line: string): NoteSignature {
  const [, name, text] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
  if (name === undefined || text === undefined) throw malformed("a line is no signature");
  const bytes = decoded(text);
  if (bytes.length <= hintBytes) throw malformed("a signature is too short");
  return { name, hint: bytes.subarray(0, hintBytes), bytes: bytes.subarray(hintBytes) };
}

/** Verifies that a checkpoint is of one of the logs that have these keys. Fails with `rejected`. */
export function verifyCheckpoint(
  { origin, signed, signatures }: Checkpoint,
  logKeys: readonly KeyObject[],
): void {
  const own = signatures.filter(({ name }) => isNameOf(name, origin));
  const isSigned = own.some((signature) =>
    logKeys.some((key) => isHinted(key, signature) && isSignature(key, signed, signature)),
  );
  if (isSigned) return;
  throw new Failure("rejected", "checkpoint of the log is not signed with a key that is trusted");
}

/** Some logs sign as what they are, and say besides which of their trees it is. */
function isNameOf(name: string, origin: string): boolean {
  return origin === name || origin.startsWith(`${name} - `);
}

/** Others may sign, too, such as witnesses: that is none of our business. */
function isHinted(key: KeyObject, { name, hint }: NoteSignature): boolean {
  const encoded = key.export({ format: "der", type: "spki" });
  const identities = [encoded];
  if (key.asymmetricKeyType === "ed25519") {
    const algorithm = Uint8Array.of(1);
    // The key itself ends its encoding.
    identities.push(Buffer.concat([Buffer.from(`${name}\n`), algorithm, encoded.subarray(-32)]));
  }
  return identities.some((identity) => {
    const hash = createHash("sha256").update(identity).digest();
    return Buffer.compare(hash.subarray(0, hintBytes), hint) === 0;
  });
}

function isSignature(key: KeyObject, signed: Uint8Array, { bytes }: NoteSignature): boolean {
  return verify(key.asymmetricKeyType === "ed25519" ? null : "sha256", signed, key, bytes);
}

function decoded(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  // The runtime's reader skips what is no base64.
  if (bytes.toString("base64") === text) return bytes;
  throw malformed("it has what is no base64");
}

function malformed(why: string): Failure {
  return new Failure("corrupt", `malformed checkpoint: ${why}`);
}
