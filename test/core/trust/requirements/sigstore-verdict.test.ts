import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import {
  encodeSignatureBlob,
  type SignatureContent,
  type SigstoreSignature,
} from "../../../../core/content/signature-blob.ts";
import { Candidate } from "../../../../core/trust/gate.ts";
import type { JsonObject } from "../../../../core/json.ts";
import { parseSigstoreSigned } from "../../../../core/trust/requirements/sigstore-signed.ts";
import {
  authority,
  ecKeys,
  emailName,
  forServers,
  fulcioLeaf,
  minutes,
  noon,
  providerText,
} from "../../../support/authority.ts";
import { judging } from "../../../support/judging.ts";
import { sampleImage } from "../../../support/sample-images.ts";
import {
  logBody,
  logKeys,
  payloadOf,
  publicPem,
  sigstoreSignature,
  signedTimestamp,
  signerKeys,
} from "../../../support/sigstore.ts";
import { sourceOf } from "../../../support/source-of.ts";

const { manifest } = sampleImage({ layers: [] });
const { digest } = manifest;
const reference = "registry.example.com/app:1";
const payload = payloadOf({ digest, reference });

const data = (text: string) => Buffer.from(text).toString("base64");
const signer = { keyData: data(publicPem(signerKeys.publicKey)) };
const log = { rekorPublicKeyData: data(publicPem(logKeys.publicKey)) };

const ruleOf = (members: JsonObject) =>
  parseSigstoreSigned({ value: { type: "sigstoreSigned", ...members }, at: "" });

/** Returns why an image with these signatures is refused; undefined if it is not. */
async function reasonFor(
  members: JsonObject,
  signatures: readonly SignatureContent[],
  docker: string | null = reference,
): Promise<string | undefined> {
  const requirement = ruleOf(members);
  const source = sourceOf(docker === null ? {} : { docker }, {
    readManifest: async () => manifest,
    readSignatures: async () => signatures.map(encodeSignatureBlob),
  });
  const verdict = await requirement.decide(new Candidate(source), judging(noon));
  return verdict.allowed ? undefined : verdict.reason;
}

const good = sigstoreSignature({ payload });
const wrongDigest = sigstoreSignature({
  payload: payloadOf({ digest: `sha256:${"1".repeat(64)}`, reference }),
});
const stranger = sigstoreSignature({ payload, key: ecKeys().privateKey });
const without = ({ annotations, ...rest }: SigstoreSignature, name: string): SigstoreSignature => ({
  ...rest,
  annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== name)),
});
const changed = (signature: SigstoreSignature, annotations: Record<string, string>) => ({
  ...signature,
  annotations: { ...signature.annotations, ...annotations },
});
const signatureName = "dev.cosignproject.cosign/signature";
const setName = "dev.sigstore.cosign/bundle";
const certificateName = "dev.sigstore.cosign/certificate";
const chainName = "dev.sigstore.cosign/chain";
const openPgp: SignatureContent = { kind: "simple-signing", message: Uint8Array.of(0x90, 1) };
const attachment = { ...good, mediaType: "text/plain" };

describe("sigstoreSigned with keys", () => {
  test.each([
    ["of one key", signer],
    ["of one of several keys", { keyDatas: [data(publicPem(ecKeys().publicKey)), signer.keyData] }],
  ])("accepts a signature %s", async (_, members) => {
    expect(await reasonFor(members, [good])).toBeUndefined();
  });

  test.each([
    ["RSA", generateKeyPairSync("rsa", { modulusLength: 2048 })],
    ["Ed25519", generateKeyPairSync("ed25519")],
    ["P-384", ecKeys("P-384")],
  ])("accepts one of %s", async (_, { privateKey, publicKey }) => {
    const members = { keyData: data(publicPem(publicKey)) };
    expect(
      await reasonFor(members, [sigstoreSignature({ payload, key: privateKey })]),
    ).toBeUndefined();
    expect(await reasonFor(members, [good])).toBe(
      "cryptographic signature verification failed: it is not of this key",
    );
  });

  test("accepts an image by one good signature among others", async () => {
    expect(
      await reasonFor(signer, [openPgp, attachment, stranger, wrongDigest, good]),
    ).toBeUndefined();
  });

  test("takes a digest of another algorithm", async () => {
    const sha512 = `sha512:${Bun.CryptoHasher.hash("sha512", manifest.bytes, "hex")}`;
    const signature = sigstoreSignature({ payload: payloadOf({ digest: sha512, reference }) });
    expect(await reasonFor(signer, [signature])).toBeUndefined();
  });

  const none = "A signature was required, but no signature exists";
  test.each<[string, readonly SignatureContent[], string]>([
    ["no signature", [], none],
    [
      "none of the kind",
      [openPgp, openPgp, attachment],
      `${none} (2 non-sigstore signatures, 1 sigstore non-signature attachments)`,
    ],
    [
      "another key",
      [stranger],
      "cryptographic signature verification failed: it is not of this key",
    ],
    [
      "a changed payload",
      [{ ...good, payload: good.payload.with(40, 0) }],
      "cryptographic signature verification failed: it is not of this key",
    ],
    [
      "a signature that is no base64",
      [changed(good, { [signatureName]: "!" })],
      "base64 decoding: illegal base64 data",
    ],
    [
      "a signature that is cut",
      [changed(good, { [signatureName]: "MEUC" })],
      "cryptographic signature verification failed: it is not of this key",
    ],
    [
      "no signature in it",
      [without(good, signatureName)],
      "missing dev.cosignproject.cosign/signature annotation",
    ],
    [
      "another digest",
      [wrongDigest],
      `Signature for digest sha256:${"1".repeat(64)} does not match`,
    ],
    [
      "another name",
      [
        sigstoreSignature({
          payload: payloadOf({ digest, reference: "registry.example.com/app:2" }),
        }),
      ],
      'Signature for identity "registry.example.com/app:2" is not accepted',
    ],
    [
      "a name that is none",
      [sigstoreSignature({ payload: payloadOf({ digest, reference: "A b" }) })],
      'Signature for identity "A b" is not accepted',
    ],
    [
      "no tag, as cosign signs",
      [
        sigstoreSignature({
          payload: payloadOf({ digest, reference: "registry.example.com/app", optional: null }),
        }),
      ],
      'Signature for identity "registry.example.com/app" is not accepted: it has no tag, as cosign signs, and only matchRepository or exactRepository take that',
    ],
    [
      "a payload of the other kind",
      [
        sigstoreSignature({
          payload: payloadOf({ digest, reference, type: "atomic container signature" }),
        }),
      ],
      "Unrecognized signature type atomic container signature",
    ],
    [
      "several that are wrong",
      [stranger, wrongDigest],
      `None of the signatures were accepted, reasons: cryptographic signature verification failed: it is not of this key; Signature for digest sha256:${"1".repeat(64)} does not match`,
    ],
  ])("refuses %s", async (_, signatures, why) => {
    expect(await reasonFor(signer, signatures)).toBe(why);
  });

  test("G6: refuses a payload that says something twice, though its signature is good", async () => {
    const twice = new TextDecoder()
      .decode(payload)
      .replace('"critical"', '"critical":{},"critical"');
    const signature = sigstoreSignature({ payload: new TextEncoder().encode(twice) });
    expect(await reasonFor(signer, [signature])).toBe('Duplicate key "critical"');
  });

  test("G8: shows nothing of a payload whose signature is wrong", async () => {
    const secret = payloadOf({ digest, reference: "registry.example.com/secret:1" });
    const why = await reasonFor(signer, [
      sigstoreSignature({ payload: secret, key: ecKeys().privateKey }),
    ]);
    expect(why).not.toContain("secret");
  });

  test("G8: digest comes before identity", async () => {
    const both = payloadOf({ digest: `sha256:${"2".repeat(64)}`, reference: "other" });
    expect(await reasonFor(signer, [sigstoreSignature({ payload: both })])).toStartWith(
      "Signature for digest",
    );
  });

  test("wants no name where the policy names one", async () => {
    const exact = { signedIdentity: { type: "exactReference", dockerReference: reference } };
    expect(await reasonFor({ ...signer, ...exact }, [good], null)).toBeUndefined();
    expect(await reasonFor(signer, [good], null)).toBe(
      `Signature for identity "${reference}" is not accepted`,
    );
  });
});

test.each<[string, JsonObject, string]>([
  [
    "a key file that is missing",
    { keyPath: "/missing" },
    "open /missing: no such file or directory",
  ],
  ["a key that is none", { keyData: data("x") }, "parsing public key 1: PEM decoding failed"],
  [
    "one of two keys that is none",
    { keyDatas: [signer.keyData, data("x")] },
    "parsing public key 2: PEM decoding failed",
  ],
  [
    "a weak key",
    { keyData: data(publicPem(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey)) },
    "parsing public key 1: RSA key of 1024 bits is too weak, 2048 are the least",
  ],
  [
    "a log key that is none",
    { ...signer, rekorPublicKeyData: data("x") },
    "parsing Rekor public key 1: PEM decoding failed",
  ],
  [
    "a log key of another kind",
    { ...signer, rekorPublicKeyData: data(publicPem(generateKeyPairSync("ed25519").publicKey)) },
    "Rekor public key 1 is not using ECDSA",
  ],
  [
    "no authority",
    { fulcio: { caData: data("x"), oidcIssuer: "i", subjectEmail: "e" }, ...log },
    "parsing CA certificates: no usable certificate in it",
  ],
])("G4: sigstoreSigned refuses with %s", async (_, members, why) => {
  expect(await reasonFor(members, [good])).toBe(why);
});

describe("sigstoreSigned with keys and a log", () => {
  const logged = sigstoreSignature({ payload, logged: true });
  const members = { ...signer, ...log };

  test("accepts what the log has seen, by one of several keys", async () => {
    expect(await reasonFor(members, [logged])).toBeUndefined();
    const several = { keyDatas: [data(publicPem(ecKeys().publicKey)), signer.keyData] };
    expect(await reasonFor({ ...several, ...log }, [logged])).toBeUndefined();
  });

  test.each<[string, JsonObject, SigstoreSignature, string]>([
    ["no SET", members, good, "missing dev.sigstore.cosign/bundle annotation"],
    [
      "a SET of another log",
      { ...signer, rekorPublicKeyData: data(publicPem(ecKeys().publicKey)) },
      logged,
      "No public key verified against the RekorSET: cryptographic signature verification of Rekor SET failed",
    ],
    [
      "a SET of another signature",
      members,
      changed(good, {
        [setName]: sigstoreSignature({ payload, logged: true }).annotations[setName] ?? "",
      }),
      "No public key verified against the RekorSET: signature in Rekor SET does not match",
    ],
    [
      "a key that the log did not see",
      { keyData: data(publicPem(ecKeys().publicKey)), ...log },
      logged,
      "No public key verified against the RekorSET: publicKey in Rekor SET does not match",
    ],
    [
      "a changed SET",
      members,
      changed(logged, {
        [setName]: (logged.annotations[setName] ?? "").replace('"logIndex":42', '"logIndex":43'),
      }),
      "No public key verified against the RekorSET: cryptographic",
    ],
  ])("refuses %s", async (_, rule, signature, why) => {
    expect(await reasonFor(rule, [signature])).toStartWith(why);
  });
});

describe("sigstoreSigned with Fulcio", () => {
  const root = authority("root");
  const middle = authority("middle", { issuer: root });
  const leaf = fulcioLeaf(middle);
  const chain = [middle, root];
  const fulcio = {
    caData: data(root.pem),
    oidcIssuer: "https://login.example.com",
    subjectEmail: "jo@example.com",
  };
  const members = { fulcio, ...log };
  const certified = sigstoreSignature({ payload, leaf, chain, logged: true });
  const made = (wish: Parameters<typeof fulcioLeaf>[2], said = {}) =>
    sigstoreSignature({ payload, leaf: fulcioLeaf(middle, said, wish), chain, logged: true });

  test("accepts the good signature", async () => {
    expect(await reasonFor(members, [certified])).toBeUndefined();
  });

  test("accepts it long after the certificate has expired: the log's time counts", async () => {
    const from = minutes(-100_000);
    const old = fulcioLeaf(middle, {}, { from, to: minutes(-99_990) });
    const ancient = authority("root2", { from, to: minutes(0) });
    const own = fulcioLeaf(ancient, {}, { from, to: minutes(-99_990) });
    const signature = sigstoreSignature({
      payload,
      leaf: own,
      logged: true,
      loggedAt: minutes(-99_995),
    });
    const rule = { fulcio: { ...fulcio, caData: data(ancient.pem) }, ...log };
    expect(await reasonFor(rule, [signature])).toBeUndefined();
    expect(
      await reasonFor(members, [
        sigstoreSignature({ payload, leaf: old, chain, logged: true, loggedAt: minutes(-99_995) }),
      ]),
    ).toContain("certificate has expired or is not yet valid");
  });

  const setOf = (other: SigstoreSignature) => ({ [setName]: other.annotations[setName] ?? "" });
  const another = fulcioLeaf(middle);
  const raw = Buffer.from(certified.annotations[signatureName] ?? "", "base64");
  test.each<[string, SigstoreSignature, string]>([
    [
      "no usage but that of servers",
      made({
        extensions: [
          forServers,
          emailName("jo@example.com"),
          providerText("https://login.example.com"),
        ],
      }),
      "veryfing leaf certificate failed: x509: certificate specifies an incompatible key usage",
    ],
    [
      "another e-mail",
      made({}, { email: "joe@example.com" }),
      'Required email "jo@example.com" not found (got ["joe@example.com"])',
    ],
    [
      "another issuer",
      made({}, { provider: "https://evil.example.com" }),
      'Unexpected Fulcio OIDC issuer "https://evil.example.com"',
    ],
    [
      "no chain",
      without(certified, chainName),
      "veryfing leaf certificate failed: x509: certificate signed by unknown authority",
    ],
    [
      "no certificate",
      without(certified, certificateName),
      "missing dev.sigstore.cosign/certificate annotation",
    ],
    [
      "two certificates",
      changed(certified, { [certificateName]: leaf.pem + root.pem }),
      "parsing leaf certificate: 2 certificates where one was expected",
    ],
    ["no SET", without(certified, setName), "missing dev.sigstore.cosign/bundle annotation"],
    [
      "a SET of another certificate",
      changed(certified, {
        [setName]: signedTimestamp(logBody({ payload, signature: raw, verifier: another.pem })),
      }),
      "publicKey in Rekor SET does not match",
    ],
    [
      "a SET of another signature",
      changed(certified, setOf(sigstoreSignature({ payload, leaf, chain, logged: true }))),
      "signature in Rekor SET does not match",
    ],
    [
      "a SET with changed time",
      changed(certified, {
        [setName]: (certified.annotations[setName] ?? "").replace(
          /"integratedTime":\d+/,
          '"integratedTime":1781524860',
        ),
      }),
      "cryptographic signature verification of Rekor SET failed",
    ],
    [
      "a log time outside of the certificate",
      sigstoreSignature({ payload, leaf, chain, logged: true, loggedAt: minutes(11) }),
      "veryfing leaf certificate failed: x509: certificate has expired or is not yet valid",
    ],
    [
      "a signature of another key",
      sigstoreSignature({ payload, leaf, key: ecKeys().privateKey, chain, logged: true }),
      "cryptographic signature verification failed: it is not of this key",
    ],
    [
      "a chain that is malformed",
      changed(certified, { [chainName]: `-----BEGIN CERTIFICATE-----\n` }),
      "PEM block CERTIFICATE does not end",
    ],
  ])("refuses %s", async (_, signature, why) => {
    expect(await reasonFor(members, [signature])).toStartWith(why);
  });
});

describe("sigstoreSigned with PKI", () => {
  const root = authority("root");
  const middle = authority("middle", { issuer: root });
  const leaf = fulcioLeaf(middle);
  const pki = { caRootsData: data(root.pem), subjectEmail: "jo@example.com" };
  const certified = sigstoreSignature({ payload, leaf, chain: [middle, root] });

  test("accepts the good signature, without any log", async () => {
    expect(await reasonFor({ pki }, [certified])).toBeUndefined();
    const between = { ...pki, caIntermediatesData: data(middle.pem) };
    expect(await reasonFor({ pki: between }, [without(certified, chainName)])).toBeUndefined();
  });

  test.each<[string, JsonObject, SigstoreSignature, string]>([
    ["another e-mail", { ...pki, subjectEmail: "joe@example.com" }, certified, "Required email"],
    [
      "another host",
      { ...pki, subjectHostname: "example.com" },
      certified,
      "Unexpected subject hostname",
    ],
    ["no chain", pki, without(certified, chainName), "veryfing leaf certificate failed"],
    [
      "a certificate that has expired",
      pki,
      sigstoreSignature({
        payload,
        leaf: fulcioLeaf(middle, {}, { to: minutes(-1) }),
        chain: [middle, root],
      }),
      "veryfing leaf certificate failed: x509: certificate has expired or is not yet valid",
    ],
    [
      "another root",
      { ...pki, caRootsData: data(authority("root").pem) },
      certified,
      "veryfing leaf certificate failed: x509: certificate signed by unknown authority",
    ],
  ])("refuses %s", async (_, rule, signature, why) => {
    expect(await reasonFor({ pki: rule }, [signature])).toStartWith(why);
  });
});

test("sigstoreSigned tells how each signature fared, and quotes only what is verified", async () => {
  const told = judging(noon);
  const source = sourceOf(
    { docker: reference },
    {
      readManifest: async () => manifest,
      readSignatures: async () =>
        [openPgp, attachment, stranger, good, good].map(encodeSignatureBlob),
    },
  );
  const rule = ruleOf({ ...signer, ...log });
  const simple = ruleOf(signer);
  await simple.decide(new Candidate(source), told);
  expect(told.trials).toEqual([
    { number: 1, form: "simple signing", outcome: { kind: "ignored", reason: expect.any(String) } },
    {
      number: 2,
      form: "sigstore attachment",
      outcome: { kind: "ignored", reason: expect.any(String) },
    },
    {
      number: 3,
      form: "sigstore",
      outcome: {
        kind: "refused",
        reason: "cryptographic signature verification failed: it is not of this key",
      },
    },
    {
      number: 4,
      form: "sigstore",
      outcome: {
        kind: "accepted",
        by: expect.stringMatching(/^key ECDSA prime256v1 sha256:/),
        reference,
      },
    },
  ]);
  expect(rule.wants).toEqual({
    keys: "in the policy",
    "seen by a log of": "in the policy",
    "signed identity": "matchRepoDigestOrExact",
  });
});
