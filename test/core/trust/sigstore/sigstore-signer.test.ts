import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import { parseDigest } from "../../../../core/content/digest.ts";
import { parseSignatureBlob } from "../../../../core/content/signature-blob.ts";
import { parsePublicKey } from "../../../../core/trust/sigstore/public-key.ts";
import { verifySignature } from "../../../../core/trust/sigstore/signature.ts";
import { sigstoreSigner } from "../../../../core/trust/sigstore/sigstore-signer.ts";
import { ecKeys, noon } from "../../../support/authority.ts";
import { rejection } from "../../../support/rejection.ts";
import { publicPem } from "../../../support/sigstore.ts";

const wish = {
  digest: parseDigest(`sha256:${"a".repeat(64)}`),
  reference: "registry.example.com/app:1",
};
const marks = { creator: "test", now: () => noon };

test.each([
  ["P-256", ecKeys()],
  ["P-521", ecKeys("P-521")],
  ["RSA", generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ["Ed25519", generateKeyPairSync("ed25519")],
])("sigstoreSigner signs with %s", async (_, { privateKey, publicKey }) => {
  const signer = sigstoreSigner({ key: async () => ({ key: privateKey }), ...marks });
  expect(signer).toMatchObject({
    form: "sigstore",
    activity: "Signing image using a sigstore signature",
  });
  await signer.prepare?.();
  const signature = parseSignatureBlob(await signer.sign(wish));
  if (signature.kind !== "sigstore") throw new Error("another form");
  const keys = [parsePublicKey(publicPem(publicKey))];
  expect(verifySignature(signature, { kind: "keys", keys }, noon)).toMatchObject(wish);
  expect(Object.keys(signature.annotations)).toEqual(["dev.cosignproject.cosign/signature"]);
});

test("sigstoreSigner keeps certificates, and what the log says", async () => {
  const key = { key: ecKeys().privateKey, certificate: "leaf", chain: "above" };
  const seen: string[] = [];
  const signer = sigstoreSigner({
    key: async () => key,
    log: async ({ verifier }) => {
      seen.push(verifier);
      return "promise";
    },
    ...marks,
  });
  const signature = parseSignatureBlob(await signer.sign(wish));
  expect(seen).toEqual(["leaf"]);
  expect(signature).toMatchObject({
    annotations: {
      "dev.sigstore.cosign/bundle": "promise",
      "dev.sigstore.cosign/certificate": "leaf",
      "dev.sigstore.cosign/chain": "above",
    },
  });
});

test("sigstoreSigner signs with no weak key", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const signer = sigstoreSigner({ key: async () => ({ key: privateKey }), ...marks });
  const weak = "RSA key of 1024 bits is too weak";
  expect((await rejection((async () => signer.prepare?.())())).message).toContain(weak);
  expect((await rejection(signer.sign(wish))).message).toContain(weak);
});
