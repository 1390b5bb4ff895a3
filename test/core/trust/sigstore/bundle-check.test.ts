import { describe, expect, test } from "bun:test";

import { parseBundle } from "../../../../core/trust/sigstore/bundle.ts";
import { type BundleTrust, verifyBundle } from "../../../../core/trust/sigstore/bundle-check.ts";
import { parseCertificate } from "../../../../core/trust/sigstore/certificate.ts";
import { parsePublicKey } from "../../../../core/trust/sigstore/public-key.ts";
import {
  authority,
  ecKeys,
  emailName,
  forServers,
  fulcioLeaf,
  minutes,
  providerText,
} from "../../../support/authority.ts";
import { type BundleJson, bundleOf, type BundleWish } from "../../../support/bundles.ts";
import { testWith } from "../../../support/needs.ts";
import { timestampIssuer, timestampOf } from "../../../support/timestamps.ts";
import { logKeys, publicPem, signerKeys } from "../../../support/sigstore.ts";

const withOpenssl = testWith("openssl");
const verify = (bundle: Uint8Array, trust: BundleTrust) => verifyBundle(parseBundle(bundle), trust);
const own = parsePublicKey(publicPem(signerKeys.publicKey));
const other = parsePublicKey(publicPem(ecKeys().publicKey));
const byKey: BundleTrust = { kind: "keys", keys: [other, own] };
const byLoggedKey: BundleTrust = { ...byKey, logKeys: [logKeys.publicKey] };

const root = authority("root");
const middle = authority("middle", { issuer: root });
const leaf = fulcioLeaf(middle);
const certified: BundleWish = { leaf, chain: [middle, root], logged: true };
const byCertificate: BundleTrust = {
  kind: "certificate",
  roots: [parseCertificate(root.bytes)],
  between: [],
  identity: {
    oidcIssuer: "https://login.example.com",
    subject: { kind: "email", name: "jo@example.com" },
    extensions: new Map(),
  },
  logKeys: [logKeys.publicKey],
};

describe("verifyBundle with keys", () => {
  test("returns what is stated, and by whom", () => {
    expect(verify(bundleOf(), byKey)).toMatchObject({
      by: expect.stringMatching(/^key ECDSA prime256v1 sha256:/),
      subjects: ["0".repeat(64)],
    });
    verify(bundleOf({ logged: true }), byLoggedKey);
    verify(bundleOf({ logged: true, promised: false }), byLoggedKey);
  });

  const flipped = bundleOf({
    change: (bundle) => ({
      ...bundle,
      dsseEnvelope: {
        ...bundle.dsseEnvelope,
        payload: Buffer.from("{}").toString("base64"),
      },
    }),
  });
  test.each<[string, Uint8Array, BundleTrust, string]>([
    [
      "another key",
      bundleOf({ key: ecKeys().privateKey }),
      byKey,
      "it is of no key that is trusted",
    ],
    ["a changed payload", flipped, byKey, "it is of no key that is trusted"],
    ["a certificate", bundleOf(certified), byKey, "with a certificate, not with a key"],
    [
      "an envelope of something else",
      bundleOf({ payloadType: "text/plain" }),
      byKey,
      'type "text/plain" holds no statement',
    ],
    ["a statement that is none", bundleOf({ statement: {} }), byKey, "malformed in-toto statement"],
    ["no log", bundleOf(), byLoggedKey, "no transparency log has seen it"],
    [
      "another log",
      bundleOf({ logged: true, logKey: ecKeys().privateKey }),
      byLoggedKey,
      "cryptographic signature verification of Rekor SET failed",
    ],
  ])("refuses %s", (_, bundle, trust, why) => {
    expect(() => verify(bundle, trust)).toThrow(why);
  });
});

describe("verifyBundle with timestamps", () => {
  const issuer = timestampIssuer();
  const now = (minutesFromNow: number) => new Date(Date.now() + minutesFromNow * 60_000);
  const wide = { from: now(-60), to: now(60) };
  const current = authority("current", wide);
  const stamped: BundleWish = {
    leaf: fulcioLeaf(current, {}, { from: now(-5), to: now(5) }),
    timestamp: (signature) => timestampOf(signature, issuer),
  };
  const { logKeys: _, ...rest } = byCertificate as Extract<BundleTrust, { kind: "certificate" }>;
  const byTimestamp: BundleTrust = {
    ...rest,
    roots: [parseCertificate(current.bytes)],
    timestampAuthority: { roots: [parseCertificate(issuer.root.bytes)], between: [] },
  };
  const byBoth: BundleTrust = { ...byTimestamp, logKeys: [logKeys.publicKey] };

  withOpenssl("takes an authority's word for a log's, and both where both are wanted", () => {
    verify(bundleOf(stamped), byTimestamp);
    verify(bundleOf({ ...stamped, logged: true, loggedAt: now(0) }), byBoth);
  });

  withOpenssl("takes a log that signs no time together with the authority that does", () => {
    const proven = {
      ...stamped,
      logged: true,
      promised: false,
      entry: "hashedrekord 0.0.2",
    } as const;
    verify(bundleOf(proven), byBoth);
    const late = { ...proven, leaf: fulcioLeaf(current, {}, { from: now(-50), to: now(-40) }) };
    expect(() => verify(bundleOf(late), byBoth)).toThrow("has expired");
    const { timestamp: _, ...alone } = proven;
    expect(() => verify(bundleOf(alone), byBoth)).toThrow("no timestamp authority has seen it");
  });

  withOpenssl("refuses what one of them has not seen, or saw at another time", () => {
    const { timestamp: _, ...bare } = stamped;
    const late = { ...stamped, leaf: fulcioLeaf(current, {}, { from: now(-50), to: now(-40) }) };
    for (const [wish, trust, why] of [
      [bare, byTimestamp, "no timestamp authority has seen it"],
      [stamped, byBoth, "no transparency log has seen it"],
      [{ ...bare, logged: true, loggedAt: now(0) }, byBoth, "no timestamp authority has seen it"],
      [{ ...stamped, logged: true, loggedAt: now(-30) }, byBoth, "has expired or is not yet valid"],
      [late, byTimestamp, "has expired"],
      [
        { ...stamped, timestamp: () => timestampOf(Buffer.from("x"), issuer) },
        byTimestamp,
        "of another signature",
      ],
      [{ ...stamped, timestamp: () => Buffer.from("x") }, byTimestamp, "malformed DER"],
    ] as const) {
      expect(() => verify(bundleOf(wish), trust)).toThrow(why);
    }
  });
});

describe("verifyBundle with certificates", () => {
  test("returns whom the provider knew, long after the certificate has expired", () => {
    expect(verify(bundleOf(certified), byCertificate).by).toBe(
      "jo@example.com, known to https://login.example.com",
    );
    const between = { ...byCertificate, between: [parseCertificate(middle.bytes)] };
    verify(bundleOf({ leaf, logged: true }), between);
  });

  test("takes one good entry among others", () => {
    const twice = (bundle: BundleJson) => {
      const [entry = {}] = bundle.verificationMaterial.tlogEntries ?? [];
      const tlogEntries = [{ ...entry, logIndex: "8" }, entry];
      return { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries } };
    };
    verify(bundleOf({ ...certified, change: twice }), byCertificate);
  });

  const server = fulcioLeaf(
    middle,
    {},
    {
      extensions: [
        forServers,
        emailName("jo@example.com"),
        providerText("https://login.example.com"),
      ],
    },
  );
  const another = fulcioLeaf(middle);
  const entry = (change: object) => (bundle: BundleJson) => ({
    ...bundle,
    verificationMaterial: {
      ...bundle.verificationMaterial,
      tlogEntries: [{ ...bundle.verificationMaterial.tlogEntries?.[0], ...change }],
    },
  });
  test.each<[string, BundleWish, string]>([
    ["a key", {}, "with a key, not with a certificate"],
    [
      "another key than that of the certificate",
      { ...certified, key: ecKeys().privateKey },
      "it is not of its certificate",
    ],
    ["a purpose for servers", { ...certified, leaf: server }, "incompatible key usage"],
    [
      "another e-mail",
      { ...certified, leaf: fulcioLeaf(middle, { email: "joe@example.com" }) },
      'subject "jo@example.com" is wanted, found ["joe@example.com"]',
    ],
    [
      "another provider",
      { ...certified, leaf: fulcioLeaf(middle, { provider: "https://evil" }) },
      'found "https://evil"',
    ],
    ["no chain", { leaf, logged: true }, "certificate signed by unknown authority"],
    ["no log", { leaf, chain: [middle, root] }, "no transparency log has seen it"],
    [
      "neither a promise nor a proof",
      { ...certified, change: entry({ inclusionPromise: undefined, inclusionProof: undefined }) },
      "has given neither a promise (SET) nor a proof",
    ],
    [
      "no promise, and thereby no time",
      { ...certified, change: entry({ inclusionPromise: undefined }) },
      "the transparency log has signed no time",
    ],
    [
      "a changed time",
      { ...certified, change: entry({ integratedTime: "1781524801" }) },
      "verification of Rekor SET failed",
    ],
    [
      "a time outside of the certificate",
      { ...certified, loggedAt: minutes(11) },
      "certificate has expired",
    ],
    [
      "an entry of another kind",
      { ...certified, body: (body) => ({ ...body, kind: "intoto" }) },
      'unsupported log entry "intoto 0.0.1"',
    ],
    [
      "an entry without a signature",
      { ...certified, body: (body) => ({ ...body, spec: { ...body.spec, signatures: [] } }) },
      "not exactly one signature",
    ],
    [
      "an entry of another certificate",
      {
        ...certified,
        body: (body) => ({
          ...body,
          spec: {
            ...body.spec,
            signatures: [
              { ...body.spec.signatures[0], verifier: Buffer.from(another.pem).toString("base64") },
            ],
          },
        }),
      },
      "publicKey in log entry does not match",
    ],
    [
      "an entry of another signature",
      {
        ...certified,
        body: (body) => ({
          ...body,
          spec: { ...body.spec, signatures: [{ ...body.spec.signatures[0], signature: "YQ==" }] },
        }),
      },
      "signature in log entry does not match",
    ],
    [
      "an entry of another payload",
      {
        ...certified,
        body: (body) => ({
          ...body,
          spec: { ...body.spec, payloadHash: { algorithm: "sha256", value: "00" } },
        }),
      },
      "payload in log entry does not match",
    ],
    [
      "an entry by another hash",
      {
        ...certified,
        body: (body) => ({
          ...body,
          spec: { ...body.spec, payloadHash: { ...body.spec.payloadHash, algorithm: "sha1" } },
        }),
      },
      '"sha1"',
    ],
  ])("refuses %s", (_, wish, why) => {
    expect(() => verify(bundleOf(wish), byCertificate)).toThrow(why);
  });
});
