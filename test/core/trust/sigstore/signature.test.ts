import { expect, test } from "bun:test";

import { parsePublicKey } from "../../../../core/trust/sigstore/public-key.ts";
import { verifySignature } from "../../../../core/trust/sigstore/signature.ts";
import { noon } from "../../../support/authority.ts";
import { payloadOf, publicPem, sigstoreSignature, signerKeys } from "../../../support/sigstore.ts";

const keys = [parsePublicKey(publicPem(signerKeys.publicKey))];

// The many ways to be wrong are tried where a whole requirement decides.
test("verifySignature returns what was signed, and nothing of what was not", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const signature = sigstoreSignature({ payload: payloadOf({ digest, reference: "a/b:1" }) });
  const root = { kind: "keys", keys } as const;
  expect(verifySignature(signature, root, noon)).toMatchObject({
    digest,
    reference: "a/b:1",
  } as never);
  const other = { ...signature, payload: payloadOf({ digest, reference: "a/b:2" }) };
  expect(() => verifySignature(other, root, noon)).toThrow("signature verification failed");
  expect(() => verifySignature(signature, { kind: "keys", keys: [] }, noon)).toThrow(
    "none of 0 keys",
  );
});

test("verifySignature takes no annotation from an object's prototype", () => {
  const signature = { ...sigstoreSignature(), annotations: {} };
  expect(() => verifySignature(signature, { kind: "keys", keys }, noon)).toThrow(
    "missing dev.cosignproject.cosign/signature annotation",
  );
});
