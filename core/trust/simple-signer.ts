// Simple signer: makes simple signing's signatures with whoever signs documents.

import { encodeSignatureBlob } from "../content/signature-blob.ts";
import type { Signer } from "./signer.ts";
import { encodeSimpleSigning } from "./simple-signing.ts";

/** Signs whatever it is given, as one binary OpenPGP message with the document inside. */
export interface DocumentSigner {
  /** Fails where it is clear already that signing cannot succeed. */
  prepare(): Promise<void>;
  signDocument(document: Uint8Array): Promise<Uint8Array>;
}

/** What a signature says of its making. */
export interface SigningMarks {
  /** The program that makes it. */
  readonly creator: string;
  readonly now: () => Date;
}

/** Returns who signs images. */
export function simpleSigner(signer: DocumentSigner, { creator, now }: SigningMarks): Signer {
  return {
    form: "simple-signing",
    activity: "Signing image using simple signing",
    prepare: () => signer.prepare(),
    async sign({ digest, reference }) {
      const timestamp = Math.floor(now().getTime() / 1000);
      const document = encodeSimpleSigning({ digest, reference, creator, timestamp });
      const message = await signer.signDocument(document);
      return encodeSignatureBlob({ kind: "simple-signing", message });
    },
  };
}
