// The OpenPGP corpus: messages as signers pack them, and one that breaks each rule for them.

import { deflateRawSync, deflateSync } from "node:zlib";
import {
  armor,
  config as defaults,
  createCleartextMessage,
  enums,
  type PrivateKey,
  revokeKey,
  sign,
  SignaturePacket,
  type Subkey,
} from "openpgp";
import { readPackets } from "../../core/trust/openpgp-packets.ts";
import {
  keyDate,
  literal,
  packet,
  signedMessage,
  signingDate,
  type TestKey,
  testKey,
  testKeyOf,
  version3Message,
} from "./openpgp.ts";

/** A message, and what it is judged by. */
export interface CorpusMessage {
  readonly name: string;
  readonly message: Uint8Array;
  /** Binary keys. */
  readonly ring: Uint8Array;
  /** Of the primary key, in upper-case hex. */
  readonly signer: string;
}

/** A message that is refused. */
export interface BrokenMessage extends CorpusMessage {
  /** What is said of it. */
  readonly reason: RegExp;
}

const join = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const rsa = (rsaBits: number) => ({ type: "rsa", rsaBits }) as const;
// As GnuPG knows it.
const ed25519 = { type: "ecc", curve: "ed25519Legacy" } as const;

/** The ways to pack a message. */
const packings: Readonly<Record<string, (message: Uint8Array) => Uint8Array>> = {
  "as it is": (message) => message,
  zip: (message) => packet(8, Uint8Array.of(1), deflateRawSync(message)),
  zlib: (message) => packet(8, Uint8Array.of(2), deflateSync(message)),
  bzip2: (message) => packet(8, Uint8Array.of(3), bzip2(message)),
};

/** The program that knows the one compression which the runtime does not. */
export const bzip2Program = "bzip2";

function bzip2(bytes: Uint8Array): Uint8Array {
  const { success, stdout } = Bun.spawnSync([bzip2Program, "-c"], { stdin: bytes });
  if (!success) throw new Error(`${bzip2Program} failed`);
  return stdout;
}

/** Signs a document by all kinds of keys, in every manner. */
export async function goodMessages(document: Uint8Array): Promise<readonly CorpusMessage[]> {
  const subkeys = [
    { ...rsa(2048), sign: true },
    { ...ed25519, sign: true },
  ];
  const keys: Readonly<Record<string, TestKey>> = {
    "RSA 3072": await testKey({ ...rsa(3072), subkeys }),
    "P-256": await testKey({ type: "ecc", curve: "nistP256", subkeys }),
    Ed25519: await testKey({ ...ed25519, subkeys }),
  };
  const messages: CorpusMessage[] = [];
  for (const [keyName, key] of Object.entries(keys)) {
    const [first, second] = key.secret.subkeys;
    const signers = { "": key.secret, ", its RSA subkey": first, ", its Ed25519 subkey": second };
    for (const [signerName, signer] of Object.entries(signers)) {
      if (signer === undefined) throw new Error("no subkey");
      for (const text of [false, true]) {
        const manner = { text, by: signer.getKeyID() };
        const plain = await signedMessage(key, document, manner);
        for (const [packing, pack] of Object.entries(packings)) {
          const name = `${keyName}${signerName}, ${text ? "text" : "binary"}, ${packing}`;
          messages.push({ name, message: pack(plain), ring: key.ring, signer: key.fingerprint });
        }
      }
    }
  }
  return messages;
}

/** What else is taken: rare, but right. */
export async function oddMessages(document: Uint8Array): Promise<readonly CorpusMessage[]> {
  const key = await testKey(ed25519);
  const old = await testKey(rsa(2048));
  const messages: Readonly<Record<string, readonly [Uint8Array, TestKey]>> = {
    "SHA-224": [await signedBy(old, document, { hash: enums.hash.sha224 }), old],
    "a notation": [
      await signedMessage(key, document, { notations: [notation({ critical: false })] }),
      key,
    ],
    "signature first": [signatureFirst(await signedMessage(key, document)), key],
    "version 3": [version3Message(old, document), old],
    "a key certified with SHA-1": await certifiedWithSha1(document),
  };
  return Object.entries(messages).map(([name, [message, { ring, fingerprint }]]) => {
    return { name, message, ring, signer: fingerprint };
  });
}

async function certifiedWithSha1(document: Uint8Array): Promise<readonly [Uint8Array, TestKey]> {
  const key = await testKey(rsa(2048));
  const message = await signedMessage(key, document);
  await certify(key.secret, { keyFlags: [3], hash: enums.hash.sha1 });
  return [message, testKeyOf(key.secret)];
}

/** For each rule of what is taken, a message that breaks it and no other. */
export async function brokenMessages(document: Uint8Array): Promise<readonly BrokenMessage[]> {
  const key = await testKey(ed25519);
  const good = await signedMessage(key, document);
  const [onePass, data, signature] = wholes(good);
  const old = await testKey(rsa(2048));
  const shapes: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
    "two signatures": [
      join(onePass, onePass, data, signature, signature),
      /^Unexpected GPG signature count 2$/,
    ],
    "two documents": [join(onePass, data, data, signature), /packets 4, 11, 11, 2$/],
    detached: [signature, /it is a detached signature$/],
    "clear-signed": [
      await clearSigned(key, document),
      /there is no packet where one has to begin$/,
    ],
    armored: [
      Buffer.from(armor(enums.armor.message, good)),
      /there is no packet where one has to begin$/,
    ],
    encrypted: [packet(18, Uint8Array.of(1), good), /it is encrypted$/],
    "compressed twice": [
      packet(
        8,
        Uint8Array.of(1),
        deflateRawSync(packet(8, Uint8Array.of(1), deflateRawSync(good))),
      ),
      /it consists of packets 8$/,
    ],
    "a marker": [join(packet(10, Buffer.from("PGP")), good), /packets 10, 4, 11, 2$/],
    "an unknown packet": [join(good, packet(60)), /packets 4, 11, 2, 60$/],
    "trailing bytes": [join(good, Uint8Array.of(0)), /there is no packet where one has to begin$/],
    "bytes behind the compression": [
      packet(8, Uint8Array.of(1), deflateRawSync(good), Uint8Array.of(0)),
      /something follows the compressed data$/,
    ],
    "a packet behind the compression": [
      join(packet(8, Uint8Array.of(1), deflateRawSync(good)), literal(document)),
      /something follows the compressed packet$/,
    ],
    unsigned: [literal(document), /^not signed$/],
    "another document": [
      join(onePass, literal(Buffer.from("{}")), signature),
      /^Invalid GPG signature: /,
    ],
    "class 0x02, of no document": [
      await signedBy(key, document, { kind: enums.signature.standalone }),
      /its signature is of class 0x02$/,
    ],
    "a critical notation": [
      await signedMessage(key, document, { notations: [notation({ critical: true })] }),
      /Unknown critical notation: a@example\.com$/,
    ],
    "a critical subpacket": [
      await signedBy(key, document, { unknown: true }),
      /Unknown critical signature subpacket type 100$/,
    ],
    "an expired signature": [
      await signedBy(key, document, { lifeS: 3600 }),
      /^Signature expired on 2024-02-01T01:00:00\.000Z$/,
    ],
    "a signature older than its key": [
      await signedBy(key, document, { date: new Date(keyDate.getTime() - 1000) }),
      /^(key [0-9A-F]{40} is not valid for signing|Invalid GPG signature): /,
    ],
  };
  const { md5, sha1, ripemd } = enums.hash;
  const hashes: typeof shapes = {
    MD5: [await signedBy(old, document, { hash: md5 }), /it rests on MD5, which is too weak$/],
    "SHA-1": [await signedBy(old, document, { hash: sha1 }), /on SHA-1, which is too weak$/],
    "RIPEMD-160": [
      await signedBy(old, document, { hash: ripemd }),
      /it rests on RIPEMD-160, which is too weak$/,
    ],
    "version 3 with SHA-1": [
      version3Message(old, document, { hash: { id: 2, name: "sha1" } }),
      /it rests on SHA-1, which is too weak$/,
    ],
  };
  const by = (messages: typeof shapes, { ring, fingerprint: signer }: TestKey) =>
    Object.entries(messages).map(([name, [message, reason]]) => {
      return { name, message, reason, ring, signer };
    });
  return [...by(shapes, key), ...by(hashes, old), ...(await messagesOfBadKeys(document))];
}

const revocationDate = new Date("2024-02-15T00:00:00Z");

type Damage = (key: TestKey) => Promise<TestKey | void> | TestKey | void;

async function messagesOfBadKeys(document: Uint8Array): Promise<readonly BrokenMessage[]> {
  const day = 24 * 3600;
  const subkey = { subkeys: [{ ...ed25519, sign: true }] };
  const unfit =
    /^key [0-9A-F]{40} is not valid for signing|: (Could not find valid signing key|Primary user is revoked)/;
  const cases: Readonly<Record<string, readonly [Parameters<typeof testKey>[0], Damage, RegExp]>> =
    {
      "an expired key": [{ keyExpirationTime: 45 * day }, () => {}, unfit],
      "an expired subkey": [
        { subkeys: [{ ...ed25519, sign: true, keyExpirationTime: 45 * day }] },
        () => {},
        unfit,
      ],
      "a superseded key": [{}, (key) => revoked(key, "keySuperseded"), unfit],
      "a retired key": [{}, (key) => revoked(key, "keyRetired"), unfit],
      "a compromised key": [{}, (key) => revoked(key, "keyCompromised"), /./],
      "a revoked subkey": [subkey, revokeSubkey, /is revoked$|is not valid for signing/],
      "a key without a user that is not revoked": [{}, revokeUser, unfit],
      "a key that only certifies": [{}, (key) => certify(key.secret, { keyFlags: [1] }), unfit],
      "a key that only encrypts": [{}, (key) => certify(key.secret, { keyFlags: [12] }), unfit],
      "a subkey that only encrypts": [subkey, (key) => bind(key.secret, { keyFlags: [12] }), unfit],
      "a subkey without a cross-signature": [
        subkey,
        (key) => bind(key.secret, { keyFlags: [2] }),
        unfit,
      ],
      "a subkey with another's cross-signature": [
        subkey,
        async (key) => {
          const { secret } = await testKey(subkey);
          const [binding] = secret.subkeys[0]?.bindingSignatures ?? [];
          await bind(key.secret, { keyFlags: [2], cross: binding?.embeddedSignature ?? null });
        },
        unfit,
      ],
      "a subkey that its primary key never bound": [
        subkey,
        async (key) => {
          const { secret } = await testKey(subkey);
          const [own] = key.secret.subkeys;
          const [binding] = secret.subkeys[0]?.bindingSignatures ?? [];
          if (own === undefined || binding === undefined) throw new Error("no subkey");
          own.bindingSignatures = [binding];
        },
        unfit,
      ],
      "RSA with 1024 bits": [rsa(1024), () => {}, /RSA with 1024 bits is too weak$/],
    };
  const messages: BrokenMessage[] = [];
  for (const [name, [wish, damage, reason]] of Object.entries(cases)) {
    const key = await testKey({ ...ed25519, ...wish });
    const message = await signedMessage(key, document);
    const damaged = (await damage(key)) ?? testKeyOf(key.secret);
    messages.push({ name, message, reason, ring: damaged.ring, signer: key.fingerprint });
  }
  // Of this version, the library knows nothing: the key is all that it is asked about.
  const old = await testKey(rsa(2048));
  await certify(old.secret, { keyFlags: [1] });
  messages.push({
    name: "version 3 by a key that only certifies",
    message: version3Message(old, document),
    reason: unfit,
    ring: testKeyOf(old.secret).ring,
    signer: old.fingerprint,
  });
  const stranger = await signedMessage(await testKey(ed25519), document);
  const { ring, fingerprint: signer } = await testKey(ed25519);
  const reason = /^Key not found for key ID [0-9A-F]{16} in signature$/;
  return [
    ...messages,
    { name: "a key that nobody knows", message: stranger, ring, signer, reason },
  ];
}

async function revoked(key: TestKey, why: keyof typeof enums.reasonForRevocation) {
  const { publicKey } = await revokeKey({
    key: key.secret,
    date: revocationDate,
    reasonForRevocation: { flag: enums.reasonForRevocation[why] },
    format: "object",
  });
  return { ...key, ring: publicKey.write() };
}

async function revokeSubkey({ secret }: TestKey): Promise<void> {
  const [subkey] = secret.subkeys as unknown as (Subkey | undefined)[];
  if (subkey === undefined) throw new Error("no subkey");
  const data = { key: secret.keyPacket, bind: subkey.keyPacket };
  const kind = enums.signature.subkeyRevocation;
  subkey.revocationSignatures = [await certificate(secret, data, { kind, date: revocationDate })];
}

async function revokeUser(key: TestKey): Promise<void> {
  const [user] = key.secret.users;
  if (user === undefined) throw new Error("no user");
  const data = { userID: user.userID, key: key.secret.keyPacket };
  const revocation = await certificate(key.secret, data, {
    kind: enums.signature.certRevocation,
    date: revocationDate,
  });
  user.revocationSignatures = [revocation];
}

/** How something is signed that the library would not sign so. */
interface ForgedWish {
  readonly kind?: number;
  readonly hash?: number;
  readonly date?: Date;
  readonly keyFlags?: readonly number[];
  /** The signature of a subkey over its primary key. */
  readonly cross?: SignaturePacket | null;
  /** How long it is good for. */
  readonly lifeS?: number;
  /** Whether it has a critical subpacket that nobody knows. */
  readonly unknown?: boolean;
}

/** Signs the one user of a key anew, and in no other way. */
async function certify(secret: PrivateKey, wish: ForgedWish): Promise<void> {
  const [user] = secret.users;
  if (user === undefined) throw new Error("no user");
  const data = { userID: user.userID, key: secret.keyPacket };
  const kind = enums.signature.certGeneric;
  user.selfCertifications = [await certificate(secret, data, { kind, date: keyDate, ...wish })];
}

/** Binds the one subkey of a key anew, and in no other way. */
async function bind(secret: PrivateKey, wish: ForgedWish): Promise<void> {
  const [subkey] = secret.subkeys as unknown as (Subkey | undefined)[];
  if (subkey === undefined) throw new Error("no subkey");
  const data = { key: secret.keyPacket, bind: subkey.keyPacket };
  const kind = enums.signature.subkeyBinding;
  subkey.bindingSignatures = [await certificate(secret, data, { kind, date: keyDate, ...wish })];
}

async function certificate(
  { keyPacket }: PrivateKey,
  data: object,
  wish: ForgedWish,
): Promise<SignaturePacket> {
  const { kind, hash = enums.hash.sha256, date = signingDate, keyFlags, cross, lifeS } = wish;
  const made = Object.assign(new SignaturePacket(), {
    signatureType: kind,
    publicKeyAlgorithm: keyPacket.algorithm,
    hashAlgorithm: hash,
    ...(keyFlags !== undefined && { keyFlags }),
    ...(cross !== undefined && { embeddedSignature: cross }),
    ...(lifeS !== undefined && { signatureExpirationTime: lifeS }),
    ...(wish.unknown === true && { rawNotations: [] }),
  });
  if (wish.unknown === true) withUnknownSubpacket(made);
  const signing = made as unknown as {
    sign(key: object, data: object, date: Date, detached: boolean, config: object): Promise<void>;
  };
  const config = { ...defaults, nonDeterministicSignaturesViaNotation: false };
  await signing.sign(keyPacket, data, date, false, config);
  return made;
}

/** Of a type that is for private use, and marked as critical. */
function withUnknownSubpacket(made: SignaturePacket): void {
  const writing = made as unknown as { writeHashedSubPackets(): Uint8Array };
  const usual = writing.writeHashedSubPackets.bind(made);
  writing.writeHashedSubPackets = () => {
    const written = usual().subarray(2);
    const all = join(written, Uint8Array.of(2, 0x80 | 100, 0));
    return join(Uint8Array.of(all.length >> 8, all.length & 0xff), all);
  };
}

/** Signs a document as the library would not. */
async function signedBy(
  { secret }: TestKey,
  document: Uint8Array,
  wish: ForgedWish,
): Promise<Uint8Array> {
  const data = { text: null, getBytes: () => document };
  const made = await certificate(secret, data, { kind: enums.signature.binary, ...wish });
  return join(packet(2, made.write()), literal(document));
}

async function clearSigned({ secret }: TestKey, document: Uint8Array): Promise<Uint8Array> {
  const message = await createCleartextMessage({ text: new TextDecoder().decode(document) });
  return Buffer.from(await sign({ message, signingKeys: secret, date: signingDate }));
}

function notation({ critical }: { readonly critical: boolean }) {
  const value = Buffer.from("b");
  return { name: "a@example.com", value, critical, humanReadable: true };
}

function signatureFirst(message: Uint8Array): Uint8Array {
  const [, data, signature] = wholes(message);
  return join(signature, data);
}

function wholes(message: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const [first, second, third] = readPackets(message);
  if (first === undefined || second === undefined || third === undefined) throw new Error("short");
  return [first.whole, second.whole, third.whole];
}
