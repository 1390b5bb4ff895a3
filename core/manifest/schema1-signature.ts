// Signatures of schema 1: what registries of old insist on, though it proves nothing.
//
// The key is made for one signature and thrown away. So a signature says that the manifest was not cut
// off on its way, and nothing about who made it.

import { digestHex, digestOf } from "../content/digest.ts";
import { manifestTypes } from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { RawManifest } from "../image/source.ts";
import { encodeJson, encodeJsonBytes } from "../json.ts";

/**
 * Signs a schema 1 manifest that has no signature yet and is written on one line, with a key that is
 * made for it. `time` is when.
 *
 * See https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-1.md#signed-manifests
 */
export async function signSchema1(unsigned: Uint8Array, time: Date): Promise<RawManifest> {
  const formatLength = unsigned.length - 1;
  const formatTail = unsigned.subarray(formatLength);
  if (formatTail[0] !== closingBrace) {
    throw new Failure("bug", "A schema 1 manifest that was to be signed does not end with a brace");
  }
  const header = {
    formatLength,
    formatTail: base64url(formatTail),
    time: `${time.toISOString().slice(0, 19)}Z`,
  };
  const protectedHeader = base64url(encodeJsonBytes(header));
  const key = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const signed = Buffer.from(`${protectedHeader}.${base64url(unsigned)}`);
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    key.privateKey,
    signed,
  );
  const signatures = [
    {
      header: { jwk: await publicKey(key.publicKey), alg: "ES256" },
      signature: base64url(new Uint8Array(signature)),
      protected: protectedHeader,
    },
  ];
  const bytes = Buffer.concat([
    unsigned.subarray(0, formatLength),
    Buffer.from(`,"signatures":${encodeJson(signatures)}`),
    formatTail,
  ]);
  return { mediaType: manifestTypes.schema1Signed, bytes };
}

const closingBrace = 0x7d;
const curve = { name: "ECDSA", namedCurve: "P-256" };

async function publicKey(key: CryptoKey): Promise<object> {
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", key);
  const kid = keyId(new Uint8Array(await crypto.subtle.exportKey("spki", key)));
  return { crv, kid, kty, x, y };
}

/** The fingerprint that libtrust gives a key: twelve groups of four letters. */
function keyId(spki: Uint8Array): string {
  const hash = Uint8Array.fromHex(digestHex(digestOf(spki)));
  const groups = base32(hash.subarray(0, 30)).match(/.{4}/g) ?? [];
  return groups.join(":");
}

/** As RFC 4648 says, without padding: thirty bytes need none. */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = bits.match(/.{5}/g) ?? [];
  return letters.map((letter) => alphabet[Number.parseInt(letter, 2)]).join("");
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
