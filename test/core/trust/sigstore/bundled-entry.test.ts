import { describe, expect, test } from "bun:test";
import { generateKeyPairSync, type KeyObject } from "node:crypto";

import { parseBundle } from "../../../../core/trust/sigstore/bundle.ts";
import {
  bundleLogKeysOf,
  verifyBundledEntry,
} from "../../../../core/trust/sigstore/bundled-entry.ts";
import { publicKeyOf } from "../../../../core/trust/sigstore/public-key.ts";
import { authority, ecKeys, fulcioLeaf, noon } from "../../../support/authority.ts";
import { bundleOf, type BundleWish } from "../../../support/bundles.ts";
import { logKeys, signerKeys } from "../../../support/sigstore.ts";
import { TestLog } from "../../../support/test-log.ts";

const ed25519 = generateKeyPairSync("ed25519");
const leaf = fulcioLeaf(authority("root"));
const signer = signerKeys.publicKey.export({ format: "der", type: "spki" });

/** Verifies the entry of a bundle, which is signed with a certificate if the wish has one. */
function verify(wish: BundleWish, logKey: KeyObject = logKeys.publicKey): Date | undefined {
  const { envelope, entries } = parseBundle(bundleOf({ logged: true, ...wish }));
  const [entry] = entries;
  if (entry === undefined) throw new Error("there is no entry");
  const verifier = wish.leaf === undefined ? signer : wish.leaf.bytes;
  return verifyBundledEntry(entry, { ...envelope, verifier }, [logKey]);
}

function logOf(key: KeyObject): TestLog {
  const log = new TestLog(key);
  for (let index = 0; index < 6; index++) log.add(Buffer.from(`other ${index}`));
  return log;
}

const kinds = ["dsse 0.0.1", "dsse 0.0.2", "hashedrekord 0.0.2"] as const;

describe("verifyBundledEntry", () => {
  test.each(kinds)("takes %s by the log's promise, by its proof, and by both", (entry) => {
    for (const signed of [{}, { leaf }]) {
      const wish = { ...signed, entry };
      expect(verify(wish)).toEqual(noon);
      const changeEntry = (made: object) => ({ ...made, inclusionProof: undefined });
      expect(verify({ ...wish, changeEntry })).toEqual(noon);
      const log = logOf(ed25519.privateKey);
      expect(verify({ ...wish, log, promised: false }, ed25519.publicKey)).toBeUndefined();
      expect(verify({ ...wish, log }, ed25519.publicKey)).toEqual(noon);
    }
  });

  test("believes no time that the log has not signed", () => {
    const changeEntry = (made: object) => ({ ...made, integratedTime: "1781524800" });
    expect(verify({ promised: false, changeEntry })).toBeUndefined();
  });

  const proven: BundleWish = { promised: false };
  const stolen = (wish: BundleWish) =>
    (parse(bundleOf({ logged: true, ...wish })).verificationMaterial.tlogEntries ?? [])[0];
  const spec = (change: (text: string) => string) => (body: object) =>
    JSON.parse(change(JSON.stringify(body))) as object;

  test.each<[string, BundleWish, string]>([
    [
      "neither promise nor proof",
      {
        changeEntry: (made) => ({
          ...made,
          inclusionProof: undefined,
          inclusionPromise: undefined,
        }),
      },
      "neither a promise (SET) nor a proof",
    ],
    [
      "a good proof beside a promise of another log",
      {
        changeEntry: (made) => ({
          ...made,
          inclusionPromise: { signedEntryTimestamp: "AAAA" },
        }),
      },
      "Rekor SET failed",
    ],
    [
      "a good promise beside a proof of another log",
      {
        changeEntry: (made) => {
          const strange = logOf(ecKeys().privateKey);
          return { ...made, inclusionProof: strange.prove(3) };
        },
      },
      "not signed with a key that is trusted",
    ],
    [
      "a good promise beside a proof of something else",
      {
        changeEntry: (made) => ({ ...made, inclusionProof: logOf(logKeys.privateKey).prove(3) }),
      },
      "does not lead to the root",
    ],
    [
      "a body that was changed after it was logged",
      {
        ...proven,
        changeEntry: (made) => ({
          ...made,
          canonicalizedBody: Buffer.from("{}").toString("base64"),
        }),
      },
      "does not lead to the root",
    ],
    [
      "the entry of another signature",
      { ...proven, changeEntry: () => stolen({ promised: false }) ?? {} },
      "signature in log entry does not match",
    ],
    [
      "the entry of another key",
      { ...proven, changeEntry: () => stolen({ promised: false, leaf }) ?? {} },
      "publicKey in log entry does not match",
    ],
    ["an unknown kind", { ...proven, body: () => ({ kind: "x", apiVersion: "1" }) }, '"x 1"'],
    [
      "a kind of another version",
      { ...proven, body: (body) => ({ ...body, apiVersion: "0.0.3" }) },
      'unsupported log entry "dsse 0.0.3"',
    ],
  ])("refuses %s", (_, wish, why) => {
    expect(() => verify(wish)).toThrow(why);
  });

  test.each<[string, (text: string) => string, string]>([
    ["another hash", (text) => text.replace(/("digest":")./, "$1_"), "base64"],
    [
      "the hash of something else",
      (text) =>
        text.replace(/"digest":"[^"]*"/, `"digest":"${Buffer.alloc(32).toString("base64")}"`),
      "payload in log entry does not match",
    ],
    ["an odd hash", (text) => text.replace("SHA2_256", "SHA2_512"), "unexpected hash algorithm"],
    [
      "no hash",
      (text) => text.replace("SHA2_256", "").replace('"digest"', '"x"'),
      "hash algorithm",
    ],
    [
      "another signature",
      (text) => text.replace(/"content":"[^"]*"/, '"content":"AAAA"'),
      "signature in log entry does not match",
    ],
    [
      "another key",
      (text) => text.replace(/"rawBytes":"[^"]*"/, '"rawBytes":"AAAA"'),
      "publicKey in log entry does not match",
    ],
    [
      "no key",
      (text) => text.replace('"publicKey"', '"x"'),
      "not exactly one of key and certificate",
    ],
    [
      "a key and a certificate",
      (text) => text.replace('"publicKey"', '"x509Certificate":{"rawBytes":"AAAA"},"publicKey"'),
      "not exactly one of key and certificate",
    ],
    ["no content", (text) => text.replace(/V002/g, "V003"), "not exactly one"],
  ])("refuses newer entries with %s", (_, change, why) => {
    for (const entry of ["dsse 0.0.2", "hashedrekord 0.0.2"] as const) {
      expect(() => verify({ ...proven, entry, body: spec(change) })).toThrow(why);
    }
  });

  test("refuses newer envelopes with more than one signature", () => {
    const body = spec((text) => text.replace('"signatures":[', '"signatures":[{},'));
    expect(() => verify({ ...proven, entry: "dsse 0.0.2", body })).toThrow("exactly one signature");
  });
});

function parse(bundle: Uint8Array) {
  return JSON.parse(new TextDecoder().decode(bundle)) as {
    verificationMaterial: { tlogEntries?: object[] };
  };
}

test("bundleLogKeysOf takes keys of ECDSA and Ed25519, and counts", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
  const all = [logKeys.publicKey, ed25519.publicKey, rsa].map(publicKeyOf);
  expect(bundleLogKeysOf(all.slice(0, 2))).toHaveLength(2);
  expect(() => bundleLogKeysOf(all)).toThrow(
    "Rekor public key 3 is neither of ECDSA nor of Ed25519",
  );
});
