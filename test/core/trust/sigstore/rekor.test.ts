import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import { parsePublicKey, publicKeyOf } from "../../../../core/trust/sigstore/public-key.ts";
import { logKeysOf, verifySet } from "../../../../core/trust/sigstore/rekor.ts";
import { ecKeys, minutes, noon } from "../../../support/authority.ts";
import {
  logBody,
  logKeys,
  payloadOf,
  publicPem,
  rawSignature,
  signedTimestamp,
  signerKeys,
} from "../../../support/sigstore.ts";

const payload = payloadOf();
const signature = rawSignature(payload, signerKeys.privateKey);
const verifier = publicPem(signerKeys.publicKey);
const logged = { payload, signature, verifier: parsePublicKey(verifier).bytes };
const good = logBody({ payload, signature, verifier });
const set = signedTimestamp(good);
const keys = [ecKeys().publicKey, logKeys.publicKey];

/** Returns a body with one member changed: `path` leads to it. */
function changed(path: readonly string[], value: unknown): object {
  const copy = structuredClone(good);
  let at = copy as Record<string, unknown>;
  for (const name of path.slice(0, -1)) at = at[name] as Record<string, unknown>;
  at[path.at(-1) ?? ""] = value;
  return copy;
}

const parsed = () =>
  JSON.parse(set) as { SignedEntryTimestamp: string; Payload: Record<string, unknown> };
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("verifySet", () => {
  test("returns when the log took the signature", () => {
    expect(verifySet(set, logged, keys)).toEqual(noon);
  });

  const other = rawSignature(payload, signerKeys.privateKey);
  const key = ["spec", "signature", "publicKey", "content"];
  test.each([
    ["kind", changed(["kind"], "intoto"), "unsupported Rekor SET Payload kind"],
    ["no version", changed(["apiVersion"], ""), "missing Rekor SET Payload API version"],
    [
      "version",
      changed(["apiVersion"], "0.0.2"),
      'unsupported Rekor SET Payload hashedrekord version "0.0.2"',
    ],
    [
      "another key",
      changed(key, base64(publicPem(ecKeys().publicKey))),
      "publicKey in Rekor SET does not match",
    ],
    ["two keys", changed(key, base64(verifier + verifier)), "is not one PEM block"],
    ["no key", changed(["spec"], {}), "is not one PEM block"],
    [
      "another signature",
      changed(["spec", "signature", "content"], Buffer.from(other).toString("base64")),
      "signature in Rekor SET does not match: ",
    ],
    [
      "another hash",
      changed(["spec", "data", "hash", "value"], "00"),
      "payload in Rekor SET does not match",
    ],
    [
      "another algorithm",
      changed(["spec", "data", "hash", "algorithm"], "sha512"),
      'unexpected "data.hash.algorithm" value "sha512"',
    ],
  ])("refuses an entry with %s", (_, body, why) => {
    expect(() => verifySet(signedTimestamp(body), logged, keys)).toThrow(why);
  });

  test.each([
    ["no log is known", set, [], "cryptographic signature verification of Rekor SET failed"],
    [
      "it is of another log",
      set,
      [ecKeys().publicKey],
      "cryptographic signature verification of Rekor SET failed",
    ],
    [
      "its time was changed",
      JSON.stringify({
        ...parsed(),
        Payload: { ...parsed().Payload, integratedTime: minutes(1).getTime() / 1000 },
      }),
      keys,
      "cryptographic signature verification of Rekor SET failed",
    ],
    ["a member is unknown", JSON.stringify({ ...parsed(), more: 1 }), keys, 'Unknown key "more"'],
    [
      "a member is missing",
      JSON.stringify({ Payload: parsed().Payload }),
      keys,
      'Key "SignedEntryTimestamp" missing',
    ],
    [
      "a member stands there twice",
      set.replace('"Payload"', '"SignedEntryTimestamp":"","Payload"'),
      keys,
      'Duplicate key "SignedEntryTimestamp"',
    ],
    [
      "a number is none",
      JSON.stringify({ ...parsed(), Payload: { ...parsed().Payload, logIndex: 1.5 } }),
      keys,
      "logIndex in Rekor SET is no integer",
    ],
    ["it is no JSON", "{", keys, "unexpected end of JSON input"],
    ["more stands behind it", `${set}{}`, keys, "Unexpected data after JSON object"],
  ])("refuses it if %s", (_, text, log, why) => {
    expect(() => verifySet(text, logged, log)).toThrow(why);
  });

  test.each([
    ["signature", { ...logged, signature: other }, "signature in Rekor SET does not match"],
    [
      "payload",
      { ...logged, payload: payloadOf({ reference: "x" }) },
      "payload in Rekor SET does not match",
    ],
    [
      "key",
      { ...logged, verifier: parsePublicKey(publicPem(ecKeys().publicKey)).bytes },
      "publicKey in Rekor SET does not match",
    ],
  ])("refuses it for another %s", (_, about, why) => {
    expect(() => verifySet(set, about, keys)).toThrow(why);
  });
});

test("logKeysOf takes keys of ECDSA only, and counts", () => {
  const ed25519 = publicKeyOf(generateKeyPairSync("ed25519").publicKey);
  const ec = publicKeyOf(logKeys.publicKey);
  expect(logKeysOf([ec])).toHaveLength(1);
  expect(() => logKeysOf([ec, ed25519])).toThrow("Rekor public key 2 is not using ECDSA");
});
