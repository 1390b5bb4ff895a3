// OpenPGP keys and messages, made in the test, as they should be and as they should not.

import { constants, createPrivateKey, sign as signBytes } from "node:crypto";
import {
  type Config,
  createMessage,
  config as defaults,
  generateKey,
  type KeyID,
  type KeyOptions,
  type PrivateKey,
  type RawNotation,
  sign,
} from "openpgp";

/** When keys of tests are made. */
export const keyDate = new Date("2024-01-01T00:00:00Z");

/** When documents of tests are signed. */
export const signingDate = new Date("2024-02-01T00:00:00Z");

/** When signatures of tests are judged. */
export const judgingDate = new Date("2024-03-01T00:00:00Z");

/** A key of a test. */
export interface TestKey {
  readonly secret: PrivateKey;
  /** The public half, binary. */
  readonly ring: Uint8Array;
  /** Of the primary key, in upper-case hex. */
  readonly fingerprint: string;
  /** Of the first subkey, if there is one. */
  readonly subkey: string;
}

// What nobody should do, tests have to.
const careless: Config = {
  ...defaults,
  minRSABits: 1024,
  rejectMessageHashAlgorithms: new Set(),
};

/** Makes a key; without a wish, one on Ed25519. */
export async function testKey(wish: Partial<KeyOptions> = {}): Promise<TestKey> {
  const { privateKey: secret } = await generateKey({
    type: "curve25519",
    userIDs: { name: "Test", email: "test@example.com" },
    date: keyDate,
    subkeys: [],
    config: careless,
    ...wish,
    format: "object",
  });
  return testKeyOf(secret);
}

/** Returns a key as tests use it. */
export function testKeyOf(secret: PrivateKey): TestKey {
  return {
    secret,
    ring: secret.toPublic().write(),
    fingerprint: secret.getFingerprint().toUpperCase(),
    subkey: secret.subkeys[0]?.getFingerprint().toUpperCase() ?? "",
  };
}

/** How a document is signed; by default in binary, uncompressed, on `signingDate`. */
export interface SigningManner {
  readonly date?: Date;
  readonly text?: boolean;
  readonly config?: Partial<Config>;
  readonly notations?: RawNotation[];
  /** Which of its keys signs; absent: whichever can. */
  readonly by?: KeyID;
}

/** Signs a document, as one message of three packets. */
export async function signedMessage(
  { secret }: TestKey,
  document: Uint8Array,
  manner: SigningManner = {},
): Promise<Uint8Array> {
  const { date = signingDate, text = false, config = {}, notations = [], by } = manner;
  const options = {
    signingKeys: secret,
    date,
    signatureNotations: notations,
    ...(by !== undefined && { signingKeyIDs: by }),
    config: { ...careless, ...config },
    format: "binary",
  } as const;
  return text
    ? sign({
        message: await createMessage({ text: new TextDecoder().decode(document) }),
        ...options,
      })
    : sign({ message: await createMessage({ binary: document }), ...options });
}

/** Puts a new header of a definite length before a body. */
export function packet(tag: number, ...body: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(body);
  const header = Buffer.alloc(6);
  header.writeUInt8(0xc0 | tag, 0);
  header.writeUInt8(0xff, 1);
  header.writeUInt32BE(content.length, 2);
  return Buffer.concat([header, content]);
}

/** Returns a literal packet. */
export function literal(document: Uint8Array): Uint8Array {
  return packet(11, Buffer.from("b\0"), Buffer.alloc(4), document);
}

/** What is to be different about a signature of version 3. */
export interface Version3Wish {
  readonly date?: Date;
  readonly kind?: number;
  readonly hash?: { readonly id: number; readonly name: string };
}

/** Signs a document as old servers did: a signature of version 3 before it. The key has to be RSA. */
export function version3Message(
  { secret }: TestKey,
  document: Uint8Array,
  wish: Version3Wish = {},
): Uint8Array {
  const { date = signingDate, kind = 0, hash = { id: 8, name: "sha256" } } = wish;
  const time = Buffer.alloc(4);
  time.writeUInt32BE(date.getTime() / 1000);
  const hashed = Buffer.concat([document, Uint8Array.of(kind), time]);
  const numbers = secret.keyPacket as unknown as RsaNumbers;
  const { n, e } = numbers.publicParams;
  const { d, p, q } = numbers.privateParams;
  const jwk = { kty: "RSA", n: url(n), e: url(e), d: url(d), p: url(p), q: url(q) };
  const [dp, dq, qi] = crt(d, p, q);
  const key = createPrivateKey({
    key: { ...jwk, dp: url(dp), dq: url(dq), qi: url(qi) },
    format: "jwk",
  });
  const number = signBytes(hash.name, hashed, { key, padding: constants.RSA_PKCS1_PADDING });
  const start = new Bun.CryptoHasher(hash.name as "sha256").update(hashed).digest().subarray(0, 2);
  const bits = Buffer.alloc(2);
  const significant = number.subarray(number.findIndex((byte) => byte !== 0));
  bits.writeUInt16BE(significant.length * 8 - Math.clz32(significant[0] ?? 0) + 24);
  const keyId = Buffer.from(secret.getKeyID().toHex(), "hex");
  const signature = packet(
    2,
    Uint8Array.of(3, 5, kind),
    time,
    keyId,
    Uint8Array.of(1, hash.id),
    start,
    bits,
    significant,
  );
  return Buffer.concat([signature, literal(document)]);
}

interface RsaNumbers {
  readonly publicParams: { readonly n: Uint8Array; readonly e: Uint8Array };
  readonly privateParams: {
    readonly d: Uint8Array;
    readonly p: Uint8Array;
    readonly q: Uint8Array;
  };
}

function url(number: Uint8Array): string {
  return Buffer.from(number).toString("base64url");
}

/** What the runtime wants to know of a private key beyond what OpenPGP keeps. */
function crt(d: Uint8Array, p: Uint8Array, q: Uint8Array): readonly [Buffer, Buffer, Buffer] {
  const [exponent, first, second] = [bigOf(d), bigOf(p), bigOf(q)];
  const inverse = power(second, first - 2n, first);
  return [bytesOf(exponent % (first - 1n)), bytesOf(exponent % (second - 1n)), bytesOf(inverse)];
}

function bigOf(number: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(number).toString("hex")}`);
}

function bytesOf(number: bigint): Buffer {
  const hex = number.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base % modulus; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
