// Bundles: signed statements about images, made in a test.

import { createHash, createPublicKey, type KeyObject } from "node:crypto";

import { type Issued, noon } from "./authority.ts";
import { addSample } from "./push.ts";
import type { Repository } from "./registry-store.ts";
import type { SampleImage } from "./sample-images.ts";
import { logKeys, publicPem, rawSignature, signerKeys } from "./sigstore.ts";
import { TestLog } from "./test-log.ts";

export const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
export const signingPredicate = "https://sigstore.dev/cosign/sign/v1";

/** What a bundle is to be like. */
export interface BundleWish {
  /** Hexadecimal SHA-256 of what it is about. */
  readonly subjects?: readonly string[];
  readonly predicateType?: string;
  readonly predicate?: object;
  readonly statement?: object;
  readonly payloadType?: string;
  readonly key?: KeyObject;
  readonly leaf?: Issued;
  /** Certificates above it; the chain is in the bundle only if there are some. */
  readonly chain?: readonly Issued[];
  readonly logged?: boolean;
  readonly loggedAt?: Date;
  readonly logKey?: KeyObject;
  /** The log; absent: one that has no other entry. */
  readonly log?: TestLog;
  /** Whether the log has promised to keep the entry, too, and signed the time; it has if absent. */
  readonly promised?: boolean;
  /** Of which kind the entry is; absent: `dsse 0.0.1`. */
  readonly entry?: keyof typeof entryKinds;
  /** Changes the entry when it is in the log. */
  readonly changeEntry?: (entry: Record<string, unknown>) => object;
  /** Returns what a timestamp authority answers about the signature; absent: none was asked. */
  readonly timestamp?: (signature: Uint8Array) => Uint8Array;
  /** Changes the body of the log entry before the log signs it. */
  readonly body?: (body: LogBody) => object;
  /** Changes the bundle when all is done. */
  readonly change?: (bundle: BundleJson) => object;
}

/** A log entry about an envelope. */
export interface LogBody {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly envelopeHash: { readonly algorithm: string; readonly value: string };
    readonly payloadHash: { readonly algorithm: string; readonly value: string };
    readonly signatures: readonly { readonly signature: string; readonly verifier: string }[];
  };
}

/** A bundle as it is written. */
export interface BundleJson {
  readonly mediaType: string;
  readonly verificationMaterial: Readonly<Record<string, unknown>> & {
    readonly tlogEntries?: readonly object[];
  };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
}

/** Makes a bundle. */
export function bundleOf(wish: BundleWish = {}): Uint8Array {
  const { payloadType = "application/vnd.in-toto+json", leaf, chain = [] } = wish;
  const payload = Buffer.from(JSON.stringify(wish.statement ?? statementOf(wish)));
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `;
  const key = wish.key ?? leaf?.key ?? signerKeys.privateKey;
  const signed = Buffer.concat([Buffer.from(head), payload]);
  const signature = base64(rawSignature(signed, key));
  const logged = { payload, signed, signature, wish };
  const entry = wish.logged === true ? [entryOf(logged)] : undefined;
  const timestamp = wish.timestamp?.(Buffer.from(signature, "base64"));
  const bundle: BundleJson = {
    mediaType: bundleType,
    verificationMaterial: {
      ...(leaf === undefined
        ? { publicKey: { hint: "x" } }
        : chain.length === 0
          ? { certificate: { rawBytes: base64(leaf.bytes) } }
          : {
              x509CertificateChain: {
                certificates: [leaf, ...chain].map(({ bytes }) => ({ rawBytes: base64(bytes) })),
              },
            }),
      ...(entry !== undefined && { tlogEntries: entry }),
      ...(timestamp !== undefined && {
        timestampVerificationData: {
          rfc3161Timestamps: [{ signedTimestamp: base64(timestamp) }],
        },
      }),
    },
    dsseEnvelope: {
      payload: base64(payload),
      payloadType,
      signatures: [{ sig: signature }],
    },
  };
  return new TextEncoder().encode(JSON.stringify(wish.change?.(bundle) ?? bundle));
}

/** Returns a statement of the newer version. */
export function statementOf({
  subjects = ["0".repeat(64)],
  predicateType = signingPredicate,
  predicate = {},
}: BundleWish = {}): object {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects.map((sha256) => ({ digest: { sha256 } })),
    predicateType,
    predicate,
  };
}

/** What an entry is about. */
interface Logged {
  readonly payload: Uint8Array;
  readonly signed: Uint8Array;
  readonly signature: string;
  readonly wish: BundleWish;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes);

function pemOf({ wish: { leaf } }: Logged): string {
  return base64(Buffer.from(leaf?.pem ?? publicPem(signerKeys.publicKey)));
}

function newerSignature({ wish: { leaf }, signature }: Logged): object {
  const der = signerKeys.publicKey.export({ format: "der", type: "spki" });
  const verifier =
    leaf === undefined
      ? { publicKey: { rawBytes: base64(der) } }
      : { x509Certificate: { rawBytes: base64(leaf.bytes) } };
  return {
    content: signature,
    verifier: { keyDetails: "PKIX_ECDSA_P256_SHA_256", ...verifier },
  };
}

/** What kinds of entries say. */
const entryKinds = {
  "dsse 0.0.1": (logged: Logged) => ({
    envelopeHash: { algorithm: "sha256", value: "a".repeat(64) },
    payloadHash: { algorithm: "sha256", value: sha256(logged.payload).digest("hex") },
    signatures: [{ signature: logged.signature, verifier: pemOf(logged) }],
  }),
  "dsse 0.0.2": (logged: Logged) => ({
    dsseV002: {
      payloadHash: { algorithm: "SHA2_256", digest: sha256(logged.payload).digest("base64") },
      signatures: [newerSignature(logged)],
    },
  }),
  "hashedrekord 0.0.2": (logged: Logged) => ({
    hashedRekordV002: {
      data: { algorithm: "SHA2_256", digest: sha256(logged.signed).digest("base64") },
      signature: newerSignature(logged),
    },
  }),
} as const;

function entryOf(logged: Logged): object {
  const { wish } = logged;
  const { loggedAt = noon, logKey = logKeys.privateKey, entry = "dsse 0.0.1" } = wish;
  const { promised = true, changeEntry = (made: object) => made } = wish;
  // By the number, others tell older logs from newer ones.
  const log = wish.log ?? new TestLog(logKey, { origin: "log.example.com - 4711" });
  const [kind = "", apiVersion = ""] = entry.split(" ");
  const body = { apiVersion, kind, spec: entryKinds[entry](logged) };
  const said = wish.body?.(body as LogBody) ?? body;
  const bytes = Buffer.from(JSON.stringify(said));
  const index = log.add(bytes);
  const integratedTime = Math.floor(loggedAt.getTime() / 1000);
  const signed = JSON.stringify({
    body: base64(bytes),
    integratedTime,
    logID: log.id.toString("hex"),
    logIndex: index,
  });
  return changeEntry({
    logIndex: String(index),
    logId: { keyId: log.id.toString("base64") },
    kindVersion: { kind, version: apiVersion },
    ...(promised && {
      integratedTime: String(integratedTime),
      inclusionPromise: {
        signedEntryTimestamp: base64(rawSignature(Buffer.from(signed), log.key)),
      },
    }),
    inclusionProof: log.prove(index),
    canonicalizedBody: base64(bytes),
  });
}

/** Returns whom others are to trust, as cosign wants to be told. */
export function trustedRoot(
  authorities: readonly Issued[],
  log: Pick<TestLog, "key" | "id" | "name">,
  timestamps: readonly Issued[] = [],
): object {
  const validFor = { start: "2020-01-01T00:00:00Z" };
  return {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [
      {
        baseUrl: `https://${log.name}`,
        hashAlgorithm: "SHA2_256",
        publicKey: {
          rawBytes: base64(createPublicKey(log.key).export({ format: "der", type: "spki" })),
          keyDetails:
            log.key.asymmetricKeyType === "ed25519" ? "PKIX_ED25519" : "PKIX_ECDSA_P256_SHA_256",
          validFor,
        },
        logId: { keyId: log.id.toString("base64") },
      },
    ],
    timestampAuthorities:
      timestamps.length === 0
        ? []
        : [
            {
              subject: { organization: "test", commonName: "timestamps" },
              certChain: {
                certificates: timestamps.map(({ bytes }) => ({ rawBytes: base64(bytes) })),
              },
              validFor,
            },
          ],
    certificateAuthorities: [
      {
        subject: { organization: "test", commonName: "root" },
        certChain: {
          certificates: authorities.map(({ bytes }) => ({ rawBytes: base64(bytes) })),
        },
        validFor,
      },
    ],
  };
}

/** A manifest that leads to a bundle, and says what that is about. */
export function referrerOf(
  subject: { readonly digest: string; readonly size: number },
  bundle: Uint8Array,
  change: object = {},
): Uint8Array {
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: bundleType,
    config: {
      mediaType: "application/vnd.oci.empty.v1+json",
      digest: `sha256:${createHash("sha256").update("{}").digest("hex")}`,
      size: 2,
    },
    layers: [
      {
        mediaType: bundleType,
        digest: `sha256:${createHash("sha256").update(bundle).digest("hex")}`,
        size: bundle.length,
      },
    ],
    subject: { mediaType: "application/vnd.oci.image.manifest.v1+json", ...subject },
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": signingPredicate,
    },
    ...change,
  };
  return new TextEncoder().encode(JSON.stringify(manifest));
}

/** Puts an image and bundles about it into a repository, as cosign leaves them without a referrers API. */
export function addBundles(
  repository: Repository,
  image: SampleImage,
  bundles: readonly Uint8Array[],
): void {
  addSample(repository, "1", image);
  const { digest, bytes } = image.manifest;
  const type = "application/vnd.oci.image.manifest.v1+json";
  repository.addBlob(new TextEncoder().encode("{}"));
  const manifests = bundles.map((bundle) => {
    repository.addBlob(bundle);
    const manifest = referrerOf({ digest, size: bytes.length }, bundle);
    const artifactType = "application/vnd.oci.empty.v1+json";
    const own = repository.addManifest(manifest, type);
    return { mediaType: type, digest: own, size: manifest.length, artifactType };
  });
  const index = "application/vnd.oci.image.index.v1+json";
  const list = { schemaVersion: 2, mediaType: index, manifests };
  const text = new TextEncoder().encode(JSON.stringify(list));
  repository.addManifest(text, index, digest.replace(":", "-"));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
