import { beforeAll, describe, expect, test } from "bun:test";
import { deflateRawSync, deflateSync } from "node:zlib";
import { armor, config, enums, revokeKey, SignaturePacket } from "openpgp";

import { limits } from "../../../core/limits.ts";
import { KeyRing, readKeyRing, readUnverifiedMessage } from "../../../core/trust/openpgp.ts";
import { readPackets } from "../../../core/trust/openpgp-packets.ts";
import {
  judgingDate,
  keyDate,
  literal,
  packet,
  signedMessage,
  signingDate,
  type TestKey,
  testKey,
  testKeyOf,
  version3Message,
} from "../../support/openpgp.ts";
import { brokenMessages } from "../../support/openpgp-corpus.ts";
import { rejection } from "../../support/rejection.ts";

const document = Buffer.from('{"critical":{},\n"optional":{}}');

const keys = {
  rsa: { type: "rsa", rsaBits: 2048 },
  p256: { type: "ecc", curve: "nistP256" },
  ed25519: {},
} as const;

type Keys = Record<keyof typeof keys, TestKey>;
let made: Keys;
let ring: KeyRing;
let good: Uint8Array;

beforeAll(async () => {
  made = {
    rsa: await testKey(keys.rsa),
    p256: await testKey(keys.p256),
    ed25519: await testKey(keys.ed25519),
  };
  ring = await readKeyRing(Object.values(made).map((key) => key.ring));
  good = await signedMessage(made.ed25519, document);
});

const names = Object.keys(keys) as (keyof typeof keys)[];

function wholes(message: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const [first, second, third] = readPackets(message);
  if (first === undefined || second === undefined || third === undefined) throw new Error("short");
  return [first.whole, second.whole, third.whole];
}

const join = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);
const compressions: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  none: (bytes) => bytes,
  "a packet without compression": (bytes) => packet(8, Uint8Array.of(0), bytes),
  zip: (bytes) => packet(8, Uint8Array.of(1), deflateRawSync(bytes)),
  zlib: (bytes) => packet(8, Uint8Array.of(2), deflateSync(bytes)),
  "zip of indeterminate length": (bytes) => join(Uint8Array.of(0xa3, 1), deflateRawSync(bytes)),
};

describe("KeyRing.verify", () => {
  for (const name of names) {
    test.each(Object.entries(compressions))(
      `takes a signature of ${name} in a message compressed with %s`,
      async (_, compressed) => {
        const message = await signedMessage(made[name], document);
        const verified = await ring.verify(compressed(message), judgingDate);
        expect(Buffer.from(verified.document)).toEqual(document);
        const { fingerprint } = made[name];
        expect(verified).toMatchObject({ primaryKey: fingerprint, signingKey: fingerprint });
      },
    );

    test(`takes a signature of ${name} over text, whatever its line ends`, async () => {
      const message = await signedMessage(made[name], document, { text: true });
      const [onePass, , signature] = wholes(message);
      for (const text of [document.toString(), document.toString().replace("\n", "\r\n")]) {
        const lines = Buffer.from(text);
        const { document: read } = await ring.verify(
          join(onePass, literal(lines), signature),
          judgingDate,
        );
        expect(Buffer.from(read)).toEqual(lines);
      }
    });
  }

  test("takes a signature that stands before the document", async () => {
    const [, data, signature] = wholes(good);
    expect(await ring.verify(join(signature, data), judgingDate)).toMatchObject({
      primaryKey: made.ed25519.fingerprint,
    });
  });

  test.each(["rsa", "p256", "ed25519"] as const)(
    "knows a signer by the primary key, where a subkey of %s has signed",
    async (name) => {
      const key = await testKey({ ...keys[name], subkeys: [{ ...keys[name], sign: true }] });
      const message = await signedMessage(key, document);
      const verified = await (await readKeyRing([key.ring])).verify(message, judgingDate);
      expect(verified).toMatchObject({ primaryKey: key.fingerprint, signingKey: key.subkey });
    },
  );

  test("takes a signature that is dated in the future, as of its own date", async () => {
    const message = await signedMessage(made.ed25519, document, {
      date: new Date(judgingDate.getTime() + 3_600_000),
    });
    expect(await ring.verify(message, judgingDate)).toMatchObject({
      primaryKey: made.ed25519.fingerprint,
    });
  });

  test("takes a key that does not say what it is for, as old keys do not", async () => {
    const key = await testKey(keys.p256);
    const [user] = key.secret.users;
    const [own] = user?.selfCertifications ?? [];
    if (user === undefined || own === undefined) throw new Error("no user");
    const silent = Object.assign(new SignaturePacket(), {
      signatureType: own.signatureType,
      publicKeyAlgorithm: own.publicKeyAlgorithm,
      hashAlgorithm: own.hashAlgorithm,
    });
    const signing = silent as unknown as {
      sign(key: object, data: object, date: Date, detached: boolean, config: object): Promise<void>;
    };
    const data = { userID: user.userID, key: key.secret.keyPacket };
    await signing.sign(key.secret.keyPacket, data, keyDate, false, config);
    const message = await signedMessage(key, document);
    user.selfCertifications = [silent];
    const old = await readKeyRing([key.secret.toPublic().write()]);
    expect(await old.verify(message, judgingDate)).toMatchObject({ primaryKey: key.fingerprint });
  });

  test("takes notations that nobody has to understand", async () => {
    const notation = { name: "a@example.com", value: Buffer.from("b"), critical: false };
    const message = await signedMessage(made.ed25519, document, {
      notations: [{ ...notation, humanReadable: true }],
    });
    expect(await ring.verify(message, judgingDate)).toMatchObject({
      signingKey: expect.any(String),
    });
  });
});

test("G8: KeyRing.verify refuses where one rule is broken, and says which", async () => {
  const broken = await brokenMessages(document);
  expect(broken.length).toBeGreaterThan(35);
  for (const { name, message, ring: keys, reason } of broken) {
    const failure = await rejection((await readKeyRing([keys])).verify(message, judgingDate));
    expect([name, failure.message]).toEqual([name, expect.stringMatching(reason)]);
    expect(failure.message).not.toContain('critical":');
  }
});

describe("signatures of version 3", () => {
  const hashes = [
    { id: 8, name: "sha256" },
    { id: 9, name: "sha384" },
    { id: 10, name: "sha512" },
    { id: 11, name: "sha224" },
  ];

  test.each(hashes)("are taken with $name", async (hash) => {
    const message = version3Message(made.rsa, document, { hash });
    const verified = await ring.verify(message, judgingDate);
    expect(Buffer.from(verified.document)).toEqual(document);
    expect(verified).toMatchObject({ primaryKey: made.rsa.fingerprint });
  });

  test("are taken over text", async () => {
    const lines = Buffer.from(document.toString().replace("\n", "\r\n"));
    const signed = version3Message(made.rsa, lines, { kind: 1 });
    const [signature] = readPackets(signed);
    const message = join(signature?.whole ?? new Uint8Array(), literal(document));
    expect(await ring.verify(message, judgingDate)).toMatchObject({
      signingKey: expect.any(String),
    });
  });

  test.each<[string, () => Uint8Array, RegExp]>([
    [
      "with a changed document",
      () => {
        const message = Buffer.from(version3Message(made.rsa, document));
        message.writeUInt8(0x58, message.length - 3);
        return message;
      },
      /the document is not what was signed/,
    ],
    [
      "with SHA-1",
      () => version3Message(made.rsa, document, { hash: { id: 2, name: "sha1" } }),
      /it rests on SHA-1, which is too weak/,
    ],
    [
      "older than the key",
      () => version3Message(made.rsa, document, { date: new Date(keyDate.getTime() - 1000) }),
      /is not valid for signing/,
    ],
    [
      "of a class that is none of documents",
      () => version3Message(made.rsa, document, { kind: 0x10 }),
      /its signature is of class 0x10/,
    ],
  ])("are refused %s", async (_, make, message) => {
    expect((await rejection(ring.verify(make(), judgingDate))).message).toMatch(message);
  });

  test("are refused with every byte changed", async () => {
    const message = version3Message(made.rsa, document);
    for (let at = 0; at < message.length; at += 7) {
      const changed = Buffer.from(message);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      // The file name and the date of the literal packet are not signed.
      const read = await ring.verify(changed, judgingDate).catch(() => undefined);
      if (read !== undefined) expect(Buffer.from(read.document)).toEqual(document);
    }
  });
});

describe("G8: broken brothers of one good signature", () => {
  test.each<[string, () => Uint8Array | Promise<Uint8Array>, string | RegExp]>([
    ["nothing", () => new Uint8Array(), /it consists of packets $/],
    ["text", () => Buffer.from("hello"), /there is no packet where one has to begin/],
    [
      "armor",
      () => Buffer.from(armor(enums.armor.message, good)),
      /there is no packet where one has to begin/,
    ],
    ["a document without a signature", () => literal(document), "not signed"],
    ["a detached signature", () => wholes(good)[2], /it is a detached signature/],
    [
      "two signatures",
      () => {
        const [onePass, data, signature] = wholes(good);
        return join(onePass, onePass, data, signature, signature);
      },
      "Unexpected GPG signature count 2",
    ],
    [
      "a second document",
      () => {
        const [onePass, data, signature] = wholes(good);
        return join(onePass, data, data, signature);
      },
      /it consists of packets 4, 11, 11, 2/,
    ],
    ["something after the signature", () => join(good, packet(60)), /packets 4, 11, 2, 60/],
    ["a byte after the signature", () => join(good, Uint8Array.of(0)), /there is no packet/],
    ["a marker before the signature", () => join(packet(10, Buffer.from("PGP")), good), /10, 4/],
    ["the end missing", () => good.subarray(0, -1), /longer than what is there/],
    ["something encrypted", () => packet(18, Uint8Array.of(1), good), /it is encrypted/],
    [
      "compression in compression",
      () => packet(8, Uint8Array.of(0), packet(8, Uint8Array.of(0), good)),
      /it consists of packets 8/,
    ],
    [
      "something after the compression",
      () => join(packet(8, Uint8Array.of(0), good), packet(60)),
      /something follows the compressed packet/,
    ],
    [
      "something after the compressed data",
      () => packet(8, Uint8Array.of(1), deflateRawSync(good), Uint8Array.of(0)),
      /something follows the compressed data/,
    ],
    [
      "compressed data without an end",
      () => packet(8, Uint8Array.of(2), deflateSync(good).subarray(0, -2)),
      /it cannot be decompressed/,
    ],
    [
      "more than anybody signs",
      () => packet(8, Uint8Array.of(1), deflateRawSync(Buffer.alloc(limits.signatureBytes + 1))),
      /it decompresses to more than 4194304 bytes/,
    ],
    ["an unknown compression", () => packet(8, Uint8Array.of(9), good), /compression 9 is unknown/],
    ["a broken bzip2", () => packet(8, Uint8Array.of(3), good), /^Invalid GPG signature: /],
    [
      "a signature that was announced otherwise",
      () => {
        const [onePass, data, signature] = wholes(good);
        return join(Buffer.from(onePass).fill(1, 3, 4), data, signature);
      },
      /it announces another signature than it has/,
    ],
    [
      "a literal packet without a name",
      () => join(wholes(good)[2], packet(11, Buffer.from("b\xff", "latin1"))),
      /its literal packet is malformed/,
    ],
    [
      "a literal packet of a strange format",
      () => join(wholes(good)[2], packet(11, Buffer.from("m\0"), Buffer.alloc(4), document)),
      /its literal packet is malformed/,
    ],
    [
      "another document",
      () => {
        const [onePass, , signature] = wholes(good);
        return join(onePass, literal(Buffer.from("{}")), signature);
      },
      /^Invalid GPG signature: /,
    ],
    [
      "a signature of version 5",
      () => join(packet(2, Uint8Array.of(5, 0, 0, 0)), literal(document)),
      /signatures of version 5 are not known/,
    ],
    [
      "SHA-1",
      () => {
        const [onePass, data, signature] = wholes(good).map((each) => Buffer.from(each));
        // Behind the headers: version, class, hash; and version, class, key algorithm, hash.
        onePass?.writeUInt8(2, 2 + 2);
        signature?.writeUInt8(2, 2 + 3);
        return join(...[onePass, data, signature].filter((each) => each !== undefined));
      },
      /it rests on SHA-1, which is too weak/,
    ],
    [
      "a notation that has to be understood",
      () => {
        const notation = { name: "a@example.com", value: Buffer.from("b"), critical: true };
        return signedMessage(made.ed25519, document, {
          notations: [{ ...notation, humanReadable: true }],
        });
      },
      /Unknown critical notation: a@example.com/,
    ],
    [
      "a key that nobody knows",
      async () => signedMessage(await testKey(), document),
      /^Key not found for key ID [0-9A-F]{16} in signature$/,
    ],
  ])("refuses %s", async (_, make, message) => {
    const failure = await rejection(ring.verify(await make(), judgingDate));
    expect(["corrupt", "rejected"]).toContain(failure.code);
    expect(failure.message).toMatch(
      typeof message === "string" ? new RegExp(`^${message}$`) : message,
    );
    expect(failure.message).not.toContain('critical":');
  });

  test("gives nothing but the document, whatever byte is changed", async () => {
    for (let at = 0; at < good.length; at++) {
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      const read = await ring.verify(changed, judgingDate).catch(() => undefined);
      // What is not signed may change, but nothing of the document.
      if (read !== undefined) expect(Buffer.from(read.document)).toEqual(document);
    }
  });
});

describe("keys that are not good", () => {
  test.each<[string, () => Promise<readonly [ring: Uint8Array, message: Uint8Array]>, RegExp]>([
    [
      "that has expired",
      async () => {
        const key = await testKey({ keyExpirationTime: 45 * 24 * 3600 });
        return [key.ring, await signedMessage(key, document)];
      },
      /key [0-9A-F]{40} is not valid for signing: Primary key is expired$/,
    ],
    [
      "whose subkey has expired",
      async () => {
        const key = await testKey({
          subkeys: [{ sign: true, keyExpirationTime: 45 * 24 * 3600 }],
        });
        return [key.ring, await signedMessage(key, document)];
      },
      /key [0-9A-F]{40} is not valid for signing: /,
    ],
    [
      "that is revoked, even if only superseded, and later",
      async () => {
        const key = await testKey();
        const message = await signedMessage(key, document);
        const { publicKey } = await revokeKey({
          key: key.secret,
          date: new Date("2024-02-15T00:00:00Z"),
          reasonForRevocation: { flag: enums.reasonForRevocation.keySuperseded },
          format: "object",
        });
        return [publicKey.write(), message];
      },
      /is revoked|is not valid for signing/,
    ],
    [
      "of RSA with 1024 bits",
      async () => {
        const key = await testKey({ type: "rsa", rsaBits: 1024 });
        return [key.ring, await signedMessage(key, document)];
      },
      /^signature by key [0-9A-F]{40} is not accepted: RSA with 1024 bits is too weak$/,
    ],
    [
      "with a subkey of RSA with 1024 bits",
      async () => {
        const key = await testKey({ subkeys: [{ type: "rsa", rsaBits: 1024, sign: true }] });
        return [key.ring, await signedMessage(key, document)];
      },
      /RSA with 1024 bits is too weak$/,
    ],
    [
      "whose subkey may only encrypt",
      async () => {
        const key = await testKey({ type: "rsa", rsaBits: 2048, subkeys: [{}] });
        const [subkey] = key.secret.subkeys;
        if (subkey === undefined) throw new Error("no subkey");
        const as = {
          ...key,
          secret: Object.assign(Object.create(key.secret), {
            keyPacket: subkey.keyPacket,
            getKeyID: () => subkey.getKeyID(),
          }) as typeof key.secret,
        };
        return [key.ring, version3Message(as, document)];
      },
      /is not valid for signing/,
    ],
  ])("refuses a key %s", async (_, make, message) => {
    const [bytes, signed] = await make();
    const weak = await readKeyRing([bytes]);
    expect(weak.fingerprints).toHaveLength(1);
    const failure = await rejection(weak.verify(signed, judgingDate));
    expect(failure).toMatchObject({ code: "rejected", message: expect.stringMatching(message) });
  });

  test("refuses a key if any file says that it is revoked", async () => {
    const key = await testKey();
    const message = await signedMessage(key, document);
    const { publicKey } = await revokeKey({ key: key.secret, date: judgingDate, format: "object" });
    const rings = [key.ring, publicKey.write()];
    for (const files of [rings, rings.toReversed()]) {
      const both = await readKeyRing(files);
      expect(both.fingerprints).toEqual([key.fingerprint]);
      await expect(both.verify(message, judgingDate)).rejects.toMatchObject({ code: "rejected" });
    }
    expect(await (await readKeyRing([key.ring])).verify(message, judgingDate)).toMatchObject({
      primaryKey: key.fingerprint,
    });
  });

  test("judges a key that was good when it signed by what it is now", async () => {
    const key = await testKey({ keyExpirationTime: 45 * 24 * 3600 });
    const message = await signedMessage(key, document);
    const expiring = await readKeyRing([key.ring]);
    expect(await expiring.verify(message, signingDate)).toMatchObject({
      signingKey: expect.any(String),
    });
    await expect(expiring.verify(message, judgingDate)).rejects.toThrow("expired");
  });
});

describe("readKeyRing", () => {
  test("reads several keys of one file, and several files", async () => {
    const { rsa, p256, ed25519 } = made;
    const read = await readKeyRing([join(rsa.ring, p256.ring), ed25519.ring]);
    expect(read.fingerprints).toEqual([rsa, p256, ed25519].map(({ fingerprint }) => fingerprint));
  });

  test("reads armored keys with prose around them, and private keys for their public halves", async () => {
    const { rsa, p256 } = made;
    const text = `A vendor says:\n${armored(rsa)}\nand more\n${p256.secret.armor()}\nthe end`;
    const read = await readKeyRing([Buffer.from(text)]);
    expect(read.fingerprints).toEqual([rsa.fingerprint, p256.fingerprint]);
  });

  test("passes over keys that cannot be read", async () => {
    const broken = packet(6, Uint8Array.of(4, 0, 0, 0, 0, 1, 0xff, 0xff));
    const read = await readKeyRing([join(broken, made.rsa.ring), Uint8Array.of(0x99, 0xff)]);
    expect(read.fingerprints).toEqual([made.rsa.fingerprint]);
  });

  test.each([
    ["nothing", new Uint8Array()],
    ["text", Buffer.from("no key")],
    ["a keybox", Buffer.from("\0\0\0 \x01\x01\0\x02KBXf", "latin1")],
    ["half a block", Buffer.from("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n")],
  ])("finds no key in %s", async (_, bytes) => {
    expect((await readKeyRing([bytes])).fingerprints).toEqual([]);
  });
});

describe("KeyRing.findings", () => {
  const dayS = 24 * 3600;
  const findings = async (ring: Uint8Array) => (await readKeyRing([ring])).findings(judgingDate);

  test.each<[string, () => Promise<Uint8Array>, string]>([
    [
      "a key that has expired",
      async () => (await testKey({ keyExpirationTime: 45 * dayS })).ring,
      "error: key F has expired on 2024-02-15",
    ],
    [
      "a key that will expire soon",
      async () => (await testKey({ keyExpirationTime: 80 * dayS })).ring,
      "warning: key F expires on 2024-03-21",
    ],
    [
      "a subkey that will expire soon",
      async () => (await testKey({ subkeys: [{ sign: true, keyExpirationTime: 80 * dayS }] })).ring,
      "warning: key F expires on 2024-03-21",
    ],
    [
      "a weak key",
      async () => (await testKey({ type: "rsa", rsaBits: 1024 })).ring,
      "error: signature by key F is not accepted: RSA with 1024 bits is too weak",
    ],
    [
      "a revoked key",
      async () => {
        const { secret: key } = await testKey();
        const { publicKey } = await revokeKey({ key, date: judgingDate, format: "object" });
        return publicKey.write();
      },
      "error: key F is revoked",
    ],
  ])("tell of %s", async (_, make, expected) => {
    const found = await findings(await make());
    const said = found.map(({ severity, message }) => `${severity}: ${message}`);
    expect(said.map((line) => line.replace(/[0-9A-F]{40}/, "F"))).toEqual([expected]);
  });

  test("have nothing to tell of good keys", async () => {
    expect(await ring.findings(judgingDate)).toEqual([]);
    expect(await findings((await testKey({ keyExpirationTime: 400 * dayS })).ring)).toEqual([]);
  });
});

function armored(key: TestKey): string {
  return key.secret.toPublic().armor();
}

test("readUnverifiedMessage verifies nothing", async () => {
  const stranger = await testKey();
  const message = await readUnverifiedMessage(await signedMessage(stranger, document));
  expect(Buffer.from(message.unverifiedDocument)).toEqual(document);
  expect(message.signature.claimedKeyId).toBe(stranger.fingerprint.slice(-16));
  expect(testKeyOf(stranger.secret)).toEqual(stranger);
});
