// Sigstore signer: makes signatures of cosign's kind, with a key or a certificate.

import { createPublicKey, type KeyObject, sign } from "node:crypto";

import { encodeSignatureBlob } from "../../content/signature-blob.ts";
import type { Signer, SigningWish } from "../signer.ts";
import type { Signature } from "../../image/source.ts";
import { encodePayload, payloadMediaType } from "./payload.ts";
import { publicKeyOf } from "./public-key.ts";
import { sigstoreAnnotations } from "./signature.ts";

/** What signatures are made with. */
export interface SigningKey {
  readonly key: KeyObject;
  /** PEM of the certificate of the key, and of those above it; absent where it has none. */
  readonly certificate?: string;
  readonly chain?: string;
}

/** Makes a log keep a signature, and returns its promise. */
export type LogEntry = (entry: {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly verifier: string;
}) => Promise<string>;

/** How a signer signs. */
export interface SigstoreSigning {
  /** Returns the key, which may be another one later; asked before anything is written, too. */
  readonly key: () => Promise<SigningKey>;
  /** Absent: no log is told. */
  readonly log?: LogEntry;
  /** The program that signs. */
  readonly creator: string;
  readonly now: () => Date;
}

/** Returns who signs images. */
export function sigstoreSigner(signing: SigstoreSigning): Signer {
  return {
    form: "sigstore",
    activity: "Signing image using a sigstore signature",
    async prepare() {
      publicPart(await signing.key());
    },
    sign: (wish) => signImage(wish, signing),
  };
}

/** Nobody is helped by a signature that is refused everywhere. */
function publicPart({ key }: SigningKey): KeyObject {
  return publicKeyOf(createPublicKey(key)).key;
}

async function signImage(
  { digest, reference }: SigningWish,
  { key: findKey, log, creator, now }: SigstoreSigning,
): Promise<Signature> {
  const payload = encodePayload({ digest, reference, creator, at: now() });
  const found = await findKey();
  const { key, certificate, chain } = found;
  const signature = sign(key.asymmetricKeyType === "ed25519" ? null : "sha256", payload, key);
  const publicKey = publicPart(found);
  const verifier = certificate ?? publicKey.export({ format: "pem", type: "spki" }).toString();
  const set = await log?.({ payload, signature, verifier });
  const {
    signature: signatureName,
    set: setName,
    certificate: leafName,
    chain: chainName,
  } = sigstoreAnnotations;
  return encodeSignatureBlob({
    kind: "sigstore",
    mediaType: payloadMediaType,
    payload,
    annotations: {
      [signatureName]: signature.toString("base64"),
      ...(set !== undefined && { [setName]: set }),
      ...(certificate !== undefined && { [leafName]: certificate }),
      ...(chain !== undefined && chain !== "" && { [chainName]: chain }),
    },
  });
}
