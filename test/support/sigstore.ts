// Sigstore: signatures, and the promises of a log about them, made in a test.

import { createHash, type KeyObject, sign } from "node:crypto";

import type { SigstoreSignature } from "../../core/content/signature-blob.ts";
import { encodePem } from "../../core/trust/sigstore/pem.ts";
import { ecKeys, type Issued, noon } from "./authority.ts";

/** Keys that are there to be used by all tests that do not care which. */
export const signerKeys = ecKeys();
export const logKeys = ecKeys();

/** Returns a public key as policies have it. */
export function publicPem(key: KeyObject): string {
  return key.export({ format: "pem", type: "spki" }).toString();
}

/** Signs as cosign does: over SHA-256, but with Ed25519. */
export function rawSignature(bytes: Uint8Array, key: KeyObject): Uint8Array {
  return sign(key.asymmetricKeyType === "ed25519" ? null : "sha256", bytes, key);
}

/** What a payload is to say. */
export interface PayloadWish {
  readonly digest?: string;
  readonly reference?: string;
  readonly type?: string;
  readonly optional?: object | null;
}

/** Returns a payload. */
export function payloadOf(wish: PayloadWish = {}): Uint8Array {
  const { reference = "registry.example.com/app:1", optional = { creator: "test" } } = wish;
  const critical = {
    identity: { "docker-reference": reference },
    image: { "docker-manifest-digest": wish.digest ?? `sha256:${"0".repeat(64)}` },
    type: wish.type ?? "cosign container image signature",
  };
  return new TextEncoder().encode(JSON.stringify({ critical, optional }));
}

/** What is logged: which signature over what, and the PEM of what it is verified with. */
export interface Logged {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly verifier: string;
}

/** Returns the body of a log entry. */
export function logBody({ payload, signature, verifier }: Logged): object {
  const value = createHash("sha256").update(payload).digest("hex");
  return {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: {
      data: { hash: { algorithm: "sha256", value } },
      signature: {
        content: base64(signature),
        publicKey: { content: base64(new TextEncoder().encode(verifier)) },
      },
    },
  };
}

/** Returns the promise of a log to keep an entry, as cosign keeps it with a signature. */
export function signedTimestamp(
  body: object,
  { at = noon, key = logKeys.privateKey }: { at?: Date; key?: KeyObject } = {},
): string {
  const payload = {
    body: base64(new TextEncoder().encode(JSON.stringify(body))),
    integratedTime: Math.floor(at.getTime() / 1000),
    logID: "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d",
    logIndex: 42,
  };
  // These are in the order of the alphabet already.
  const signed = new TextEncoder().encode(JSON.stringify(payload));
  return JSON.stringify({
    SignedEntryTimestamp: base64(sign("sha256", signed, key)),
    Payload: payload,
  });
}

/** What a signature is to be like. */
export interface SignatureWish {
  readonly payload?: Uint8Array;
  readonly key?: KeyObject;
  /** The certificate of the key, and those above it. */
  readonly leaf?: Issued;
  readonly chain?: readonly Issued[];
  /** The public key in the log; with a leaf, that stands there. Absent: nothing was logged. */
  readonly logged?: boolean;
  readonly loggedAt?: Date;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly mediaType?: string;
}

/** Makes a signature. */
export function sigstoreSignature(wish: SignatureWish = {}): SigstoreSignature {
  const { payload = payloadOf(), leaf, chain = [] } = wish;
  const key = wish.key ?? leaf?.key ?? signerKeys.privateKey;
  const signature = rawSignature(payload, key);
  const verifier = leaf?.pem ?? publicPem(signerKeys.publicKey);
  const set = signedTimestamp(logBody({ payload, signature, verifier }), {
    ...(wish.loggedAt !== undefined && { at: wish.loggedAt }),
  });
  return {
    kind: "sigstore",
    mediaType: wish.mediaType ?? "application/vnd.dev.cosign.simplesigning.v1+json",
    payload,
    annotations: {
      "dev.cosignproject.cosign/signature": base64(signature),
      ...(wish.logged === true && { "dev.sigstore.cosign/bundle": set }),
      ...(leaf !== undefined && { "dev.sigstore.cosign/certificate": leaf.pem }),
      ...(chain.length > 0 && {
        "dev.sigstore.cosign/chain": chain.map(({ pem }) => pem).join(""),
      }),
      ...wish.annotations,
    },
  };
}

/** Returns a certificate's PEM under another label, which no reader should take. */
export function relabelled({ bytes }: Issued, label: string): string {
  return encodePem({ label, bytes });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
