import { describe, expect, test } from "bun:test";

import { streamOf } from "../../../../core/blob/stream.ts";
import { digestOf } from "../../../../core/content/digest.ts";
import type { JsonObject } from "../../../../core/json.ts";
import { Candidate, type PolicyRequirement } from "../../../../core/trust/gate.ts";
import { decideByBundles } from "../../../../core/trust/requirements/bundle-verdict.ts";
import { parseSigstoreAttestation } from "../../../../core/trust/requirements/sigstore-attestation.ts";
import { parseSigstoreBundle } from "../../../../core/trust/requirements/sigstore-bundle.ts";
import { parseSigstoreSigned } from "../../../../core/trust/requirements/sigstore-signed.ts";
import { authority, ecKeys, fulcioLeaf } from "../../../support/authority.ts";
import { bundleOf, type BundleWish, referrerOf } from "../../../support/bundles.ts";
import { judging } from "../../../support/judging.ts";
import { hexOf, sampleImage } from "../../../support/sample-images.ts";
import { logKeys, publicPem, signerKeys } from "../../../support/sigstore.ts";
import { sourceOf } from "../../../support/source-of.ts";

const { manifest } = sampleImage({ layers: [] });
const hex = hexOf(manifest.digest);
const data = (text: string) => Buffer.from(text).toString("base64");
const common = { identity: "digestOnly", keyData: data(publicPem(signerKeys.publicKey)) };
const place = (value: JsonObject) => ({ value, at: "" });
const bundle = (members: JsonObject = {}) =>
  parseSigstoreBundle(place({ type: "sigstoreBundle", ...common, ...members }));
const attestation = (members: JsonObject = {}) =>
  parseSigstoreAttestation(
    place({ type: "sigstoreAttestation", ...common, predicateType: "provenance", ...members }),
  );

function candidate(bundles: readonly Uint8Array[]): Candidate {
  const subject = { digest: manifest.digest, size: manifest.bytes.length };
  return new Candidate(
    sourceOf(
      { docker: "registry.example.com/app:1" },
      {
        readManifest: async () => manifest,
        readReferrers: async () =>
          bundles.map((each) => ({ bytes: referrerOf(subject, each), mediaType: "" })),
        openBlob: async ({ digest }) =>
          streamOf(bundles.find((each) => digestOf(each) === digest) ?? new Uint8Array()),
      },
    ),
  );
}

async function reasonFor(
  rule: PolicyRequirement,
  ...wishes: readonly BundleWish[]
): Promise<string | undefined> {
  const bundles = wishes.map((wish) => bundleOf({ subjects: [hex], ...wish }));
  const verdict = await rule.decide(candidate(bundles), judging());
  return verdict.allowed ? undefined : verdict.reason;
}

describe("sigstoreBundle", () => {
  test("accepts an image by one good bundle among others", async () => {
    const stranger = { key: ecKeys().privateKey };
    expect(await reasonFor(bundle(), stranger, { predicateType: "other" }, {})).toBeUndefined();
  });

  test("accepts a certificate that says the right things", async () => {
    const root = authority("root");
    const leaf = fulcioLeaf(root);
    const certificate = {
      caData: data(root.pem),
      oidcIssuer: "https://login.example.com",
      subjectRegex: ".*@example\\.com",
    };
    const rule = parseSigstoreBundle(
      place({
        type: "sigstoreBundle",
        identity: "digestOnly",
        certificate,
        rekorPublicKeyData: data(publicPem(logKeys.publicKey)),
      }),
    );
    expect(await reasonFor(rule, { leaf, logged: true })).toBeUndefined();
    expect(await reasonFor(rule, { leaf })).toBe("no transparency log has seen it");
  });

  const other = "1".repeat(64);
  test.each<[string, readonly BundleWish[], string]>([
    [
      "another key",
      [{ key: ecKeys().privateKey }],
      "cryptographic signature verification failed: it is of no key that is trusted",
    ],
    ["another image", [{ subjects: [other] }], `Statement about "${other}" does not match`],
    ["two images", [{ subjects: [hex, other] }], "Statement about 2 subjects is not accepted"],
    [
      "something that has no digest",
      [
        {
          statement: {
            _type: "https://in-toto.io/Statement/v1",
            subject: [{}],
            predicateType: "x",
          },
        },
      ],
      'Statement about "something else" does not match',
    ],
    [
      "an attestation",
      [{ predicateType: "provenance" }],
      'Statement of type "provenance" is not accepted, "https://sigstore.dev/cosign/sign/v1" is wanted',
    ],
    [
      "a bundle that is none",
      [{ change: () => ({}) }],
      'malformed Sigstore bundle: media type "" is not',
    ],
    [
      "several",
      [{ subjects: [other] }, { predicateType: "x" }],
      `None of the Sigstore bundles were accepted, reasons: Statement about "${other}" does not match; Statement of type "x"`,
    ],
  ])("refuses %s", async (_, wishes, why) => {
    expect(await reasonFor(bundle(), ...wishes)).toStartWith(why);
  });

  test("G4: refuses with a key that is none", async () => {
    const deciding = reasonFor(bundle({ keyData: data("x") }), {});
    expect(deciding).rejects.toThrow("parsing public key 1: PEM decoding failed");
  });

  test("G8: shows nothing of a statement whose signature is wrong", async () => {
    const why = await reasonFor(bundle(), { key: ecKeys().privateKey, predicateType: "secret" });
    expect(why).not.toContain("secret");
  });
});

describe("sigstoreAttestation", () => {
  const predicate = { builder: { id: "https://builder" }, runs: [{ ok: true }], count: 3 };
  const attested = { predicateType: "provenance", predicate };

  test("accepts a statement that holds what is wanted, also about several things", async () => {
    const assertions = {
      "/predicate/builder/id": "https://builder",
      "/predicate/runs/0/ok": true,
      "/predicate/count": 3,
    };
    expect(await reasonFor(attestation({ assertions }), attested)).toBeUndefined();
    const subjects = ["1".repeat(64), hex];
    expect(await reasonFor(attestation(), { ...attested, subjects })).toBeUndefined();
  });

  test.each<[JsonObject, BundleWish, string]>([
    [
      { "/predicate/builder/id": "https://other" },
      attested,
      'Statement has "https://builder" at "/predicate/builder/id", "https://other" is wanted',
    ],
    [{ "/predicate/count": "3" }, attested, 'Statement has 3 at "/predicate/count", "3" is wanted'],
    [
      { "/predicate/runs/1/ok": true },
      attested,
      'Statement has nothing at "/predicate/runs/1/ok", true is wanted',
    ],
    [{}, { ...attested, predicateType: "other" }, 'Statement of type "other" is not accepted'],
    [
      {},
      { ...attested, subjects: ["1".repeat(64)] },
      `Statement about "${"1".repeat(64)}" does not match`,
    ],
    [{}, { ...attested, key: ecKeys().privateKey }, "cryptographic signature verification failed"],
  ])("refuses %j of a bundle that differs", async (assertions, wish, why) => {
    expect(await reasonFor(attestation({ assertions }), wish)).toStartWith(why);
  });
});

test("decideByBundles tells how each bundle fared", async () => {
  const told = judging();
  const bundles = [
    bundleOf({ subjects: [hex], key: ecKeys().privateKey }),
    bundleOf({ subjects: [hex] }),
  ];
  await decideByBundles(bundle(), candidate(bundles), told);
  expect(told.trials).toMatchObject([
    { number: 1, form: "sigstore bundle", outcome: { kind: "refused" } },
    {
      number: 2,
      form: "sigstore bundle",
      outcome: { kind: "accepted", reference: manifest.digest },
    },
  ]);
});

test("a policy that asks for signatures says that there are bundles", async () => {
  const rule = parseSigstoreSigned(place({ type: "sigstoreSigned", keyData: common.keyData }));
  expect(await reasonFor(rule, {})).toBe(
    "A signature was required, but no signature exists: 1 Sigstore bundle found, which carries no image name",
  );
});
