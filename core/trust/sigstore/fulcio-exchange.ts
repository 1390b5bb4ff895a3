// Fulcio exchange: a new key, and a certificate that says whose it is.

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

import { Failure } from "../../failure.ts";
import { encodeJson } from "../../json.ts";
import { type Certificate, keyOf } from "./certificate.ts";
import { parseLeaf } from "./authorities.ts";
import type { IdentityToken } from "./identity-token.ts";
import { encodePem, parsePem } from "./pem.ts";
import { ask, below, type ServiceAccess, unwanted } from "./service.ts";

/** A key that is used for a few minutes, and whose it is. */
export interface CertifiedKey {
  readonly key: KeyObject;
  /** PEM of the one certificate, and of those above it. */
  readonly certificate: string;
  readonly chain: string;
  readonly notAfter: Date;
}

/** Makes a key, proves that it is ours, and has it certified for whomever the token is about. */
export async function certifiedKey(
  { token, claimedSubject }: IdentityToken,
  server: URL,
  access: ServiceAccess,
): Promise<CertifiedKey> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const proof = sign("sha256", Buffer.from(claimedSubject), privateKey);
  const content = publicKey.export({ format: "der", type: "spki" });
  const url = below(server, "/api/v1/signingCert");
  const request = {
    publicKey: { content: content.toString("base64"), algorithm: "ecdsa" },
    signedEmailAddress: proof.toString("base64"),
  };
  const answer = await ask(
    {
      method: "POST",
      url,
      headers: { Authorization: `Bearer ${token}`, Accept: "application/pem-certificate-chain" },
      body: { mediaType: "application/json", text: encodeJson(request) },
    },
    access,
  );
  if (answer.status !== 200 && answer.status !== 201) throw unwanted(answer, url, [token]);
  const [leaf, ...above] = parsePem(answer.bytes).filter(({ label }) => label === "CERTIFICATE");
  if (leaf === undefined)
    throw new Failure("refused", `${url.host} answered without a certificate`);
  const certificate = encodePem(leaf);
  const parsed = parseLeaf(certificate);
  checkOwn(parsed, content, url);
  const chain = above.map(encodePem).join("");
  return { key: privateKey, certificate, chain, notAfter: parsed.notAfter };
}

function checkOwn(certificate: Certificate, content: Uint8Array, url: URL): void {
  const own = keyOf(certificate).export({ format: "der", type: "spki" });
  if (Buffer.compare(own, content) === 0) return;
  throw new Failure("refused", `${url.host} certified another key than ours`);
}
