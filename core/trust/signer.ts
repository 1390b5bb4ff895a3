// Signer: somebody who signs images, by whatever means.

import type { Digest } from "../content/digest.ts";
import type { SignatureForm } from "../content/signature-blob.ts";
import type { Signature } from "../image/source.ts";

/** What a new signature says: the manifest with this digest is this image. */
export interface SigningWish {
  /** Of the manifest as it was written. */
  readonly digest: Digest;
  /** The full name of the image, with its tag or digest. */
  readonly reference: string;
}

/** Signs images. */
export interface Signer {
  /** What its signatures are. */
  readonly form: SignatureForm;
  /** What it does, in words that complete `Creating signature: …`. */
  readonly activity: string;
  /** Fails where it is clear already that signing cannot succeed. Asked before anything is written. */
  prepare?(): Promise<void>;
  /** Whether that makes others do something that lasts, such as issue a certificate; absent: it does not. */
  readonly preparesForGood?: boolean;
  /** Returns a new signature, in the signature blob format. */
  sign(wish: SigningWish): Promise<Signature>;
}
