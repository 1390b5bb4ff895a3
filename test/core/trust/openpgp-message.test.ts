// What a message has to look like is tested whole in openpgp.test.ts; here is what stands in a signature.

import { describe, expect, test } from "bun:test";

import { readSignedMessage } from "../../../core/trust/openpgp-message.ts";
import { literal, packet } from "../../support/openpgp.ts";
import { rejection } from "../../support/rejection.ts";

const none = async () => new Uint8Array();
const document = Buffer.from("{}");
const subpacket = (type: number, content: Uint8Array) =>
  Buffer.concat([Uint8Array.of(content.length + 1, type), content]);
const area = (...subpackets: readonly Uint8Array[]) => {
  const content = Buffer.concat(subpackets);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length);
  return Buffer.concat([length, content]);
};

function signature(hashed: Uint8Array, others: Uint8Array, kind = 0): Uint8Array {
  const body = Buffer.concat([Uint8Array.of(4, kind, 22, 8), hashed, others, Buffer.alloc(2)]);
  return Buffer.concat([packet(2, body), literal(document)]);
}

const keyId = Buffer.from("0123456789abcdef", "hex");
const fingerprint = Buffer.concat([Uint8Array.of(4), Buffer.alloc(12), keyId]);

describe("readSignedMessage", () => {
  test.each<[string, Uint8Array, Uint8Array, string]>([
    ["a key ID", area(), area(subpacket(16, keyId)), "0123456789ABCDEF"],
    ["a hashed key ID", area(subpacket(16, keyId)), area(), "0123456789ABCDEF"],
    ["a critical key ID", area(subpacket(0x90, keyId)), area(), "0123456789ABCDEF"],
    ["a fingerprint", area(subpacket(33, fingerprint)), area(), "0123456789ABCDEF"],
    ["nobody", area(), area(), ""],
    ["a key ID that is none", area(subpacket(16, keyId.subarray(1))), area(), ""],
  ])("finds who is said to have signed: %s", async (_, hashed, others, claimedKeyId) => {
    const message = await readSignedMessage(signature(hashed, others), none);
    expect(message.signature).toMatchObject({
      version: 4,
      kind: "binary",
      keyAlgorithm: 22,
      hash: 8,
      claimedKeyId,
    });
    expect(Buffer.from(message.unverifiedDocument)).toEqual(document);
  });

  test("reads subpackets with lengths of every kind", async () => {
    const long = Buffer.concat([Uint8Array.of(192, 0x10, 20), Buffer.alloc(0xcf)]);
    const longest = Buffer.concat([Uint8Array.of(255, 0, 0, 0, 2, 20, 0)]);
    const message = await readSignedMessage(
      signature(area(long, longest, subpacket(16, keyId)), area()),
      none,
    );
    expect(message.signature.claimedKeyId).toBe("0123456789ABCDEF");
  });

  test.each<[string, Uint8Array]>([
    ["a subpacket beyond the end", area(Uint8Array.of(9, 16))],
    ["a subpacket of no length", area(Uint8Array.of(0))],
    ["an area beyond the end", Uint8Array.of(0xff, 0xff)],
  ])("refuses %s", async (_, hashed) => {
    expect((await rejection(readSignedMessage(signature(hashed, area()), none))).message).toBe(
      "Invalid GPG signature: its signature is malformed",
    );
  });

  test.each([2, 0x10, 0x1f, 0x30, 0x40])("refuses a signature of class %p", async (kind) => {
    const failure = await rejection(readSignedMessage(signature(area(), area(), kind), none));
    expect(failure.message).toMatch(/its signature is of class 0x[0-9a-f]{2}$/);
  });
});
