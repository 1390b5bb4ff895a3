// OpenPGP: whose signature a message has, and whether it is good. The one door of the OpenPGP library.
//
// The library is shown what our own reading has found, the document and one signature, and it answers as
// of the day that the signature claims. Whether the key is good today is asked beyond that.

import {
  type Config,
  createMessage,
  config as defaults,
  enums,
  type Key,
  readKey,
  readMessage,
  readSignature,
  type Subkey,
  verify,
} from "openpgp";

import { Failure } from "../failure.ts";
import { limits } from "../limits.ts";
import { expiryFinding, type KeyFinding } from "./key-finding.ts";
import { keyRingsIn } from "./openpgp-armor.ts";
import { type Bunzip, readSignedMessage, type SignedMessage } from "./openpgp-message.ts";
import { keysIn } from "./openpgp-rings.ts";
import { checkVersion3 } from "./openpgp-version-3.ts";

/** A document whose signature was verified. */
export interface VerifiedDocument {
  readonly document: Uint8Array;
  /** The fingerprint of the key that the signer is known by, in upper-case hex. */
  readonly primaryKey: string;
  /** That of the key that made the signature: the same, or that of a subkey. */
  readonly signingKey: string;
}

/** Keys that signatures are judged by. */
export class KeyRing {
  /** The fingerprints of the primary keys, in upper-case hex. */
  readonly fingerprints: readonly string[];
  readonly #keys: readonly RingKey[];

  constructor(keys: readonly RingKey[]) {
    this.#keys = keys;
    this.fingerprints = keys.map(({ key }) => fingerprintOf(key));
  }

  /** Returns what keeps keys from signing, or soon will. */
  async findings(now: Date): Promise<readonly KeyFinding[]> {
    const found = await Promise.all(this.#keys.map((key) => findingOf(key, now)));
    return found.filter((each) => each !== undefined);
  }

  /**
   * Returns what was signed, and by whom.
   *
   * Fails with `rejected` unless the signature is good, by a key in the ring that is good at the time
   * given, and with `corrupt` if the message has another shape than a signature of an image may have.
   */
  async verify(message: Uint8Array, now: Date): Promise<VerifiedDocument> {
    const signed = await readSignedMessage(message, bunzip);
    const { claimedKeyId } = signed.signature;
    const holders = this.#keys.filter(({ key }) => claimed(key, claimedKeyId) !== undefined);
    let failure = refused(`Key not found for key ID ${claimedKeyId} in signature`);
    // Key IDs are short: several keys may have the same.
    for (const holder of holders) {
      try {
        return await verifyBy(holder, signed, now);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        failure = error;
      }
    }
    throw failure;
  }
}

/** Returns what keeps a key from signing, or soon will; undefined if nothing does. */
async function findingOf({ key, revoked }: RingKey, now: Date): Promise<KeyFinding | undefined> {
  const fingerprint = fingerprintOf(key);
  const what = `key ${fingerprint}`;
  if (revoked.includes(fingerprint)) return { severity: "error", message: `${what} is revoked` };
  try {
    checkStrength(key);
    const signing = await key.getSigningKey(undefined, now, undefined, config);
    checkStrength(signing);
    const ends = [await key.getExpirationTime(undefined, config)];
    if ("mainKey" in signing) ends.push(await signing.getExpirationTime(now, config));
    const dates = ends.filter((end) => end instanceof Date);
    const [first] = dates.toSorted((a, b) => a.getTime() - b.getTime());
    return expiryFinding(what, first, now);
  } catch (error) {
    if (error instanceof Failure) return { severity: "error", message: error.message };
    const expires = await key.getExpirationTime(undefined, config);
    const late = expires instanceof Date ? expiryFinding(what, expires, now) : undefined;
    if (late?.severity === "error") return late;
    return { severity: "error", message: `${what} cannot sign: ${wordsOf(error)}` };
  }
}

/** Reads all keys that the files hold, binary or as text. What cannot be read is passed over. */
export async function readKeyRing(files: readonly Uint8Array[]): Promise<KeyRing> {
  const keys = new Map<string, RingKey>();
  for (const bytes of files.flatMap(keyRingsIn).flatMap(keysIn)) {
    const read = await keyOf(bytes);
    if (read === undefined) continue;
    const fingerprint = fingerprintOf(read);
    const earlier = keys.get(fingerprint);
    const key = earlier === undefined ? read : await earlier.key.update(read, undefined, config);
    // A copy that says that it is revoked is not outdone by one that does not say so.
    keys.set(fingerprint, { key, revoked: [...(earlier?.revoked ?? []), ...revokedIn(read)] });
  }
  return new KeyRing([...keys.values()]);
}

/** Takes a signed message apart, and verifies nothing. Fails with `corrupt`. */
export function readUnverifiedMessage(message: Uint8Array): Promise<SignedMessage> {
  return readSignedMessage(message, bunzip);
}

/** A key, and the fingerprints of it and its subkeys as far as anybody ever revoked them. */
interface RingKey {
  readonly key: Key;
  readonly revoked: readonly string[];
}

// Keys ask what they are given and nothing else, so it has to be whole.
const config: Config = {
  ...defaults,
  maxDecompressedMessageSize: limits.signatureBytes,
  minRSABits: 2047,
  // Old keys do not say what they are for: for everything, then.
  allowMissingKeyFlags: true,
  rejectHashAlgorithms: new Set([enums.hash.md5, enums.hash.ripemd]),
  rejectMessageHashAlgorithms: new Set([enums.hash.md5, enums.hash.ripemd, enums.hash.sha1]),
  rejectPublicKeyAlgorithms: new Set([enums.publicKey.elgamal, enums.publicKey.dsa]),
  knownNotations: [],
};

const bunzip: Bunzip = async (packet) => {
  try {
    const message = await readMessage({ binaryMessage: packet, config });
    const { packets } = message.unwrapCompressed();
    // The library stops at the document, and reads on only when it verifies.
    const { stream } = packets as Partial<Pick<UnreadPackets, "stream">>;
    const reader = stream?.getReader();
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
      packets.push(next.value);
    }
    return packets.write();
  } catch (error) {
    const { message } = error as Error;
    throw new Failure("corrupt", `Invalid GPG signature: ${message}`, { cause: error });
  }
};

/** A list of packets of which the rest is still to be read. */
interface UnreadPackets {
  readonly stream: ReadableStream<ReturnType<Message["unwrapCompressed"]>["packets"][number]>;
}

type Message = Awaited<ReturnType<typeof readMessage>>;

async function verifyBy(
  { key, revoked }: RingKey,
  signed: SignedMessage,
  now: Date,
): Promise<VerifiedDocument> {
  const { signature, unverifiedDocument: document } = signed;
  checkHash(signature.hash);
  const made = claimed(key, signature.claimedKeyId);
  if (made === undefined) throw new Failure("bug", "A signature lost its key");
  checkStrength(key);
  checkStrength(made);
  const created =
    signature.version === 3
      ? checkVersion3(signed, made.keyPacket.write())
      : await checkVersion4(signed, key, now);
  // Clocks differ: what is dated in the future is judged as of its own date.
  const time = created > now ? created : now;
  await checkKey(key, made, [created, time]);
  const [primaryKey, signingKey] = [fingerprintOf(key), fingerprintOf(made)];
  for (const fingerprint of [primaryKey, signingKey]) {
    if (revoked.includes(fingerprint)) throw refused(`key ${fingerprint} is revoked`);
  }
  return { document, primaryKey, signingKey };
}

/** Returns when the signature was made, as it says. */
async function checkVersion4(
  { signature, unverifiedDocument }: SignedMessage,
  key: Key,
  now: Date,
): Promise<Date> {
  const parsed = await parseSignature(signature.whole);
  const [packet] = parsed.packets;
  const created = packet?.created;
  if (packet === undefined || !created) throw refused("Invalid GPG signature: it has no date");
  const expires = packet.getExpirationTime();
  const { signatures } = await verify({
    message: await createMessage({ binary: unverifiedDocument }),
    signature: parsed,
    verificationKeys: key,
    date: created > now ? created : now,
    format: "binary",
    config,
  });
  try {
    const [result] = signatures;
    if (signatures.length !== 1 || result === undefined) {
      throw refused(`Unexpected GPG signature count ${signatures.length}`);
    }
    if ((await result.verified) !== true) throw refused("Invalid GPG signature");
  } catch (error) {
    if (expires instanceof Date && expires <= now && isExpiry(error)) {
      throw refused(`Signature expired on ${expires.toISOString()}`);
    }
    throw invalid(error);
  }
  return created;
}

async function parseSignature(binarySignature: Uint8Array) {
  try {
    return await readSignature({ binarySignature, config });
  } catch (error) {
    throw invalid(error);
  }
}

function isExpiry(error: unknown): boolean {
  return error instanceof Error && error.message === "Signature is expired";
}

/** Fails unless the key could sign at all these times. */
async function checkKey(key: Key, made: Key | Subkey, times: readonly Date[]): Promise<void> {
  for (const time of times) {
    let found: Key | Subkey;
    try {
      found = await key.getSigningKey(made.getKeyID(), time, undefined, config);
    } catch (error) {
      throw refused(`key ${fingerprintOf(made)} is not valid for signing: ${wordsOf(error)}`);
    }
    if (fingerprintOf(found) === fingerprintOf(made)) continue;
    throw refused(`key ${fingerprintOf(made)} is not valid for signing`);
  }
}

/** SHA-256, SHA-384, SHA-512, SHA-224. */
const goodHashes: ReadonlySet<number> = new Set([8, 9, 10, 11]);
const weakHashes: Readonly<Record<number, string>> = { 1: "MD5", 2: "SHA-1", 3: "RIPEMD-160" };

function checkHash(hash: number): void {
  if (goodHashes.has(hash)) return;
  const name = weakHashes[hash];
  throw refused(
    name === undefined
      ? `Invalid GPG signature: hash algorithm ${hash} is not known`
      : `Invalid GPG signature: it rests on ${name}, which is too weak`,
  );
}

function checkStrength(key: Key | Subkey): void {
  const { algorithm, bits = 0 } = key.getAlgorithmInfo();
  const rsa = algorithm.startsWith("rsa");
  if (rsa && bits >= 2047) return;
  const weak = rsa || algorithm === "dsa" || algorithm === "elgamal";
  if (!weak) return;
  const name = rsa ? "RSA" : algorithm.toUpperCase();
  throw refused(
    `signature by key ${fingerprintOf(key)} is not accepted: ${name} with ${bits} bits is too weak`,
  );
}

/** Returns the key, or the subkey, with an ID; undefined if there is none. */
function claimed(key: Key, keyId: string): Key | Subkey | undefined {
  return [key, ...key.subkeys].find((each) => each.getKeyID().toHex().toUpperCase() === keyId);
}

function fingerprintOf(key: Key | Subkey): string {
  return key.getFingerprint().toUpperCase();
}

/** Whether a revocation is valid or important is not asked: keys that nobody wants have one. */
function revokedIn(key: Key): readonly string[] {
  return [key, ...key.subkeys]
    .filter(({ revocationSignatures }) => revocationSignatures.length > 0)
    .map(fingerprintOf);
}

async function keyOf(binaryKey: Uint8Array): Promise<Key | undefined> {
  try {
    const key = await readKey({ binaryKey, config });
    return key.isPrivate() ? key.toPublic() : key;
  } catch (error) {
    // Rings have all kinds of keys, of which one is enough.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function invalid(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return refused(`Invalid GPG signature: ${wordsOf(error)}`, error);
}

function refused(message: string, cause?: unknown): Failure {
  return new Failure("rejected", message, { cause });
}
