// Sigstore table: images with signatures good and bad, and policies that want some of them.

import { generateKeyPairSync } from "node:crypto";

import { type Digest, digestOf } from "../../core/content/digest.ts";
import type { SigstoreSignature } from "../../core/content/signature-blob.ts";
import {
  authority,
  certificate,
  ecKeys,
  emailName,
  forServers,
  fulcioLeaf,
  names,
  providerText,
} from "./authority.ts";
import { text } from "./der-bytes.ts";
import type { SomeRequirement } from "./refusals.ts";
import { pushBlob, pushManifest, type PushTarget } from "./push.ts";
import {
  logBody,
  logKeys,
  payloadOf,
  publicPem,
  signedTimestamp,
  signerKeys,
  sigstoreSignature,
} from "./sigstore.ts";

/** Signatures by the name of the repository that is to have them; made for an image of `digest`. */
export function signatureTable(
  host: string,
  digest: string,
): {
  readonly images: Readonly<Record<string, readonly SigstoreSignature[]>>;
  readonly policies: Readonly<Record<string, SomeRequirement>>;
  readonly files: Readonly<Record<string, string>>;
} {
  const at = (minutes: number) => new Date(Date.now() + minutes * 60_000);
  const wide = { from: at(-600), to: at(600) };
  const root = authority("root", wide);
  const middle = authority("middle", { issuer: root, ...wide });
  const leaf = (said = {}, wish = {}) => fulcioLeaf(middle, said, { ...wide, ...wish });
  const chain = [middle, root];
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ed25519 = generateKeyPairSync("ed25519");
  const p384 = ecKeys("P-384");
  const other = ecKeys();
  const payload = (name: string, wish = {}) =>
    payloadOf({ digest, reference: `${host}/${name}:1`, ...wish });
  const logged = { logged: true, loggedAt: at(0) };
  const good = (name: string, wish = {}) => sigstoreSignature({ payload: payload(name), ...wish });
  const certified = (name: string, wish = {}) =>
    good(name, { leaf: leaf(), chain, ...logged, ...wish });
  const changed = (signature: SigstoreSignature, annotations: Record<string, string>) => ({
    ...signature,
    annotations: { ...signature.annotations, ...annotations },
  });
  const without = ({ annotations, ...rest }: SigstoreSignature, ...gone: string[]) => ({
    ...rest,
    annotations: Object.fromEntries(
      Object.entries(annotations).filter(([name]) => !gone.includes(name)),
    ),
  });
  const set = "dev.sigstore.cosign/bundle";
  const raw = (signature: SigstoreSignature) =>
    Buffer.from(signature.annotations["dev.cosignproject.cosign/signature"] ?? "", "base64");
  const another = certified("set-of-another");
  const decoded = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const bytes = (value: string) => new TextEncoder().encode(value);
  const serving = leaf(
    {},
    {
      extensions: [
        forServers,
        emailName("jo@example.com"),
        providerText("https://login.example.com"),
      ],
    },
  );
  const purposeless = leaf(
    {},
    { extensions: [emailName("jo@example.com"), providerText("https://login.example.com")] },
  );
  const hosted = certificate({
    issuer: middle,
    ...wide,
    extensions: [names(text(0x82, "sign.example.com"))],
  });
  const images: Record<string, readonly SigstoreSignature[]> = {
    unsigned: [],
    good: [good("good")],
    stranger: [good("stranger", { key: other.privateKey })],
    tagless: [
      sigstoreSignature({
        payload: payloadOf({ digest, reference: `${host}/tagless`, optional: null }),
      }),
    ],
    "other-digest": [
      sigstoreSignature({
        payload: payload("other-digest", { digest: `sha256:${"1".repeat(64)}` }),
      }),
    ],
    "other-name": [good("good")],
    "other-tag": [
      sigstoreSignature({ payload: payloadOf({ digest, reference: `${host}/other-tag:2` }) }),
    ],
    "other-type": [
      sigstoreSignature({ payload: payload("other-type", { type: "atomic container signature" }) }),
    ],
    forged: [{ ...good("forged"), payload: payload("forged", { optional: {} }) }],
    several: [good("several", { key: other.privateKey }), good("good"), good("several")],
    "several-bad": [good("several-bad", { key: other.privateKey }), good("good")],
    attachment: [{ ...good("attachment"), mediaType: "text/plain" }],
    "more-members": [
      sigstoreSignature({
        payload: bytes(
          decoded(payload("more-members")).replace('{"critical":{', '{"critical":{"more":1,'),
        ),
      }),
    ],
    twice: [
      sigstoreSignature({
        payload: bytes(
          decoded(payload("twice")).replace('{"critical"', '{"critical":{},"critical"'),
        ),
      }),
    ],
    "no-base64": [changed(good("no-base64"), { "dev.cosignproject.cosign/signature": "!" })],
    "no-signature": [without(good("no-signature"), "dev.cosignproject.cosign/signature")],
    rsa: [good("rsa", { key: rsa.privateKey })],
    ed25519: [good("ed25519", { key: ed25519.privateKey })],
    p384: [good("p384", { key: p384.privateKey })],
    logged: [good("logged", logged)],
    "logged-other": [
      changed(good("logged-other"), { [set]: good("logged-other", logged).annotations[set] ?? "" }),
    ],
    "logged-changed": [good("logged-changed", logged)].map((each) =>
      changed(each, {
        [set]: (each.annotations[set] ?? "").replace('"logIndex":42', '"logIndex":43'),
      }),
    ),
    "log-time": [good("log-time", { logged: true, loggedAt: at(-6000) })],
    certified: [certified("certified")],
    "certified-purposeless": [certified("certified-purposeless", { leaf: purposeless })],
    "certified-serving": [certified("certified-serving", { leaf: serving })],
    "certified-email": [certified("certified-email", { leaf: leaf({ email: "joe@example.com" }) })],
    "certified-provider": [
      certified("certified-provider", { leaf: leaf({ provider: "https://other.example.com" }) }),
    ],
    "certified-no-chain": [without(certified("certified-no-chain"), "dev.sigstore.cosign/chain")],
    "certified-no-set": [without(certified("certified-no-set"), set)],
    "certified-set": [
      changed(another, {
        [set]: signedTimestamp(
          logBody({
            payload: payload("set-of-another"),
            signature: raw(another),
            verifier: leaf().pem,
          }),
          { at: at(0) },
        ),
      }),
    ],
    "certified-time": [
      changed(certified("certified-time"), {
        [set]: (certified("certified-time").annotations[set] ?? "").replace(
          /"integratedTime":\d+/,
          '"integratedTime":1781524860',
        ),
      }),
    ],
    "certified-late": [certified("certified-late", { loggedAt: at(6000) })],
    "certified-expired": [
      certified("certified-expired", {
        leaf: leaf({}, { from: at(-60), to: at(-30) }),
        loggedAt: at(-45),
      }),
    ],
    "certified-hosted": [certified("certified-hosted", { leaf: hosted })],
    "certified-key": [certified("certified-key", { key: other.privateKey })],
  };
  const files = {
    "own.pub": publicPem(signerKeys.publicKey),
    "other.pub": publicPem(other.publicKey),
    "third.pub": publicPem(ecKeys().publicKey),
    "rsa.pub": publicPem(rsa.publicKey),
    "ed25519.pub": publicPem(ed25519.publicKey),
    "p384.pub": publicPem(p384.publicKey),
    "log.pub": publicPem(logKeys.publicKey),
    "garbage.pub": "no key\n",
    "ca.pem": root.pem,
    "middle.pem": middle.pem,
    "other-ca.pem": authority("root", wide).pem,
  };
  const key = { type: "sigstoreSigned", keyPath: "own.pub" };
  const identity = (type: string, members = {}) => ({ signedIdentity: { type, ...members } });
  const fulcio = {
    caPath: "ca.pem",
    oidcIssuer: "https://login.example.com",
    subjectEmail: "jo@example.com",
  };
  const log = { rekorPublicKeyPath: "log.pub" };
  const policies = {
    key,
    keys: { type: "sigstoreSigned", keyPaths: ["third.pub", "other.pub", "own.pub"] },
    "key-data": {
      type: "sigstoreSigned",
      keyData: Buffer.from(files["own.pub"]).toString("base64"),
    },
    exact: { ...key, ...identity("matchExact") },
    repository: { ...key, ...identity("matchRepository") },
    reference: { ...key, ...identity("exactReference", { dockerReference: `${host}/good:1` }) },
    "some-repository": {
      ...key,
      ...identity("exactRepository", { dockerRepository: `${host}/good` }),
    },
    remapped: {
      ...key,
      ...identity("remapIdentity", { prefix: `${host}/other-name`, signedPrefix: `${host}/good` }),
    },
    logged: { ...key, ...log },
    "logged-keys": { type: "sigstoreSigned", keyPaths: ["third.pub", "own.pub"], ...log },
    fulcio: { type: "sigstoreSigned", fulcio, ...log },
    "fulcio-other-ca": {
      type: "sigstoreSigned",
      fulcio: { ...fulcio, caPath: "other-ca.pem" },
      ...log,
    },
    pki: { type: "sigstoreSigned", pki: { caRootsPath: "ca.pem", subjectEmail: "jo@example.com" } },
    "pki-between": {
      type: "sigstoreSigned",
      pki: {
        caRootsPath: "ca.pem",
        caIntermediatesPath: "middle.pem",
        subjectEmail: "jo@example.com",
      },
    },
    "pki-host": {
      type: "sigstoreSigned",
      pki: { caRootsPath: "ca.pem", subjectHostname: "sign.example.com" },
    },
    rsa: { type: "sigstoreSigned", keyPath: "rsa.pub" },
    ed25519: { type: "sigstoreSigned", keyPath: "ed25519.pub" },
    p384: { type: "sigstoreSigned", keyPath: "p384.pub" },
    missing: { type: "sigstoreSigned", keyPath: "missing.pub" },
    garbage: { type: "sigstoreSigned", keyPath: "garbage.pub" },
  };
  return { images, policies, files };
}

/** Puts signatures beside an image, as tools keep them there. */
export async function pushSignatures(
  target: Omit<PushTarget, "tag">,
  digest: string,
  signatures: readonly SigstoreSignature[],
): Promise<void> {
  const put = async (bytes: Uint8Array): Promise<Digest> => {
    const own = digestOf(bytes);
    await pushBlob(target, { digest: own, bytes });
    return own;
  };
  const layers: object[] = [];
  for (const { mediaType, payload, annotations } of signatures) {
    layers.push({ mediaType, digest: await put(payload), size: payload.length, annotations });
  }
  const config = new TextEncoder().encode("{}");
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: await put(config),
      size: config.length,
    },
    layers,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  const own = { mediaType, bytes, digest: digestOf(bytes) };
  await pushManifest(target, own, `${digest.replace(":", "-")}.sig`);
}
