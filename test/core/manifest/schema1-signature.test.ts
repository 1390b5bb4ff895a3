import { describe, expect, test } from "bun:test";
import { createHash, createPublicKey, verify } from "node:crypto";

import { manifestTypes } from "../../../core/content/media-types.ts";
import { manifestDigest, parseManifest } from "../../../core/manifest/manifest.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { payloadOfSchema1 } from "../../../core/manifest/schema1.ts";
import { signSchema1 } from "../../../core/manifest/schema1-signature.ts";
import { rejection } from "../../support/rejection.ts";
import { schema1Sample } from "../../support/sample-manifests.ts";

const unsigned = new TextEncoder().encode(JSON.stringify(schema1Sample({ name: "ünï/cödé" })));
const time = new Date("2024-03-01T12:00:00.999Z");

async function signed() {
  const manifest = await signSchema1(unsigned, time);
  const document = JSON.parse(new TextDecoder().decode(manifest.bytes));
  return { manifest, signature: document.signatures[0], count: document.signatures.length };
}

function decoded(text: string): Buffer {
  return Buffer.from(text, "base64url");
}

describe("signSchema1", () => {
  test("says what was signed, and when", async () => {
    const { signature, count } = await signed();
    expect(count).toBe(1);
    expect(JSON.parse(decoded(signature.protected).toString())).toEqual({
      formatLength: unsigned.length - 1,
      formatTail: "fQ",
      time: "2024-03-01T12:00:00Z",
    });
  });

  test("signs so that the key it names verifies it, and nothing else", async () => {
    const { signature } = await signed();
    const { jwk, alg } = signature.header;
    expect(alg).toBe("ES256");
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const verifies = (payload: Uint8Array): boolean =>
      verify(
        "sha256",
        Buffer.from(`${signature.protected}.${Buffer.from(payload).toString("base64url")}`),
        { key, dsaEncoding: "ieee-p1363" },
        decoded(signature.signature),
      );
    expect(verifies(unsigned)).toBe(true);
    expect(verifies(unsigned.with(5, 0))).toBe(false);
  });

  test("names the key by its fingerprint", async () => {
    const { signature } = await signed();
    const { jwk } = signature.header;
    expect(Object.keys(jwk)).toEqual(["crv", "kid", "kty", "x", "y"]);
    const spki = createPublicKey({ key: jwk, format: "jwk" }).export({
      type: "spki",
      format: "der",
    });
    const hash = createHash("sha256").update(spki).digest().subarray(0, 30);
    expect(jwk.kid).toMatch(/^([A-Z2-7]{4}:){11}[A-Z2-7]{4}$/);
    expect(fromBase32(jwk.kid.replaceAll(":", ""))).toEqual(hash.toString("hex"));
  });

  test("changes nothing but to add signatures, and keeps the digest", async () => {
    const { manifest } = await signed();
    expect(manifest.mediaType).toBe(manifestTypes.schema1Signed);
    expect(Buffer.from(payloadOfSchema1(manifest.bytes))).toEqual(Buffer.from(unsigned));
    expect(manifestDigest(manifest.bytes)).toBe(digestOf(unsigned));
    expect(parseManifest(manifest).kind).toBe("image");
  });

  test("makes a key for each signature", async () => {
    const [first, second] = [await signed(), await signed()];
    expect(first.signature.header.jwk.kid).not.toBe(second.signature.header.jwk.kid);
  });

  test("finds a bug in a manifest that does not end where it should", async () => {
    const spaced = new Uint8Array([...unsigned, 0x0a]);
    expect(await rejection(signSchema1(spaced, time))).toMatchObject({ code: "bug" });
  });
});

function fromBase32(text: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let value = 0n;
  for (const letter of text) value = value * 32n + BigInt(letters.indexOf(letter));
  return value.toString(16).padStart(60, "0");
}
