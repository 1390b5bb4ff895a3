// Whole messages with such signatures are tested in openpgp.test.ts; here is what numbers may look like.

import { beforeAll, describe, expect, test } from "bun:test";

import { readSignedMessage } from "../../../core/trust/openpgp-message.ts";
import { checkVersion3 } from "../../../core/trust/openpgp-version-3.ts";
import { failureOf } from "../../support/failure-of.ts";
import { signingDate, type TestKey, testKey, version3Message } from "../../support/openpgp.ts";

const document = Buffer.from("{}");
let rsa: TestKey;

beforeAll(async () => {
  rsa = await testKey({ type: "rsa", rsaBits: 2048 });
});

async function signedBy(key: TestKey) {
  const signed = await readSignedMessage(version3Message(key, document), async () => document);
  return { signed, packet: key.secret.toPublic().keyPacket.write() };
}

describe("checkVersion3", () => {
  test("says when the signature was made", async () => {
    const { signed, packet } = await signedBy(rsa);
    expect(checkVersion3(signed, packet)).toEqual(signingDate);
  });

  test("takes numbers with leading zeros, which one signature in 256 has", async () => {
    const usual = version3Message(rsa, document).length;
    for (let round = 0; ; round++) {
      // The number's length is in its bits, so the packet gets shorter.
      const message = version3Message(rsa, document, { date: new Date(round * 1000) });
      if (message.length >= usual) continue;
      const signed = await readSignedMessage(message, async () => document);
      const { packet } = await signedBy(rsa);
      return expect(checkVersion3(signed, packet)).toEqual(new Date(round * 1000));
    }
  });

  test.each<[string, (body: Buffer) => Buffer, RegExp]>([
    ["a longer number", (body) => Buffer.concat([body, Uint8Array.of(0)]), /it is malformed/],
    ["a shorter number", (body) => body.subarray(0, -1), /it is malformed/],
    ["no number", (body) => body.subarray(0, 19), /it is malformed/],
    ["a changed number", (body) => changed(body, body.length - 1), /not what was signed/],
    ["a changed time", (body) => changed(body, 4), /not what was signed/],
    ["a changed start of the hash", (body) => changed(body, 17), /not what was signed/],
  ])("refuses %s", async (_, change, message) => {
    const { signed, packet } = await signedBy(rsa);
    const body = change(Buffer.from(signed.signature.body));
    const broken = { ...signed, signature: { ...signed.signature, body } };
    expect(failureOf(() => checkVersion3(broken, packet))).toMatchObject({
      code: "rejected",
      message: expect.stringMatching(message),
    });
  });

  test("refuses keys and signatures that are not RSA", async () => {
    const { signed, packet } = await signedBy(rsa);
    const dsa = { ...signed, signature: { ...signed.signature, keyAlgorithm: 17 } };
    expect(failureOf(() => checkVersion3(dsa, packet))).toMatchObject({
      message: expect.stringContaining("only known with RSA"),
    });
    const other = (await testKey()).secret.toPublic().keyPacket.write();
    expect(failureOf(() => checkVersion3(signed, other))).toMatchObject({
      message: expect.stringContaining("only known with RSA"),
    });
  });
});

function changed(body: Buffer, at: number): Buffer {
  body.writeUInt8(body.readUInt8(at) ^ 1, at);
  return body;
}
