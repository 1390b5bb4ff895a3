import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import { parseCertificate } from "../../../../core/trust/sigstore/certificate.ts";
import { issuerOf, verifyFulcioCertificate } from "../../../../core/trust/sigstore/fulcio.ts";
import {
  authority,
  certificate,
  emailName,
  forCode,
  forServers,
  fulcioLeaf,
  type Issued,
  minutes,
  names,
  noon,
  providerBytes,
  providerText,
} from "../../../support/authority.ts";
import { text } from "../../../support/der-bytes.ts";

const root = authority("root");
const middle = authority("middle", { issuer: root });
const provider = "https://login.example.com";
const email = "jo@example.com";

const key = (leaf: Issued, { between = [middle], at = noon } = {}) =>
  verifyFulcioCertificate(
    {
      leaf: parseCertificate(leaf.bytes),
      intermediates: between.map(({ bytes }) => parseCertificate(bytes)),
    },
    { roots: [parseCertificate(root.bytes)], oidcIssuer: provider, subjectEmail: email },
    at,
  );

describe("verifyFulcioCertificate", () => {
  test("returns the key of whoever was to sign", () => {
    const leaf = fulcioLeaf(middle);
    expect(key(leaf).bytes).toEqual(leaf.publicKey.export({ format: "der", type: "spki" }));
  });

  test.each([
    ["both forms of the provider", [providerText(provider), providerBytes(provider)]],
    ["the older form only", [providerBytes(provider)]],
  ])("takes %s", (_, said) => {
    key(certificate({ issuer: middle, extensions: [forCode, emailName(email), ...said] }));
  });

  test("takes names that are critical, and one of several", () => {
    const [id, , value] = names(text(0x86, "https://x"), text(0x81, "a@b"), text(0x81, email));
    const extensions = [forCode, [id, true, value] as const, providerText(provider)];
    key(certificate({ issuer: middle, extensions }));
  });

  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
  test.each<[string, Issued, Parameters<typeof key>[1], string]>([
    [
      "another e-mail",
      fulcioLeaf(middle, { email: "Jo@example.com" }),
      {},
      'Required email "jo@example.com" not found (got ["Jo@example.com"])',
    ],
    [
      "no name",
      certificate({ issuer: middle, extensions: [forCode, providerText(provider)] }),
      {},
      "(got [])",
    ],
    [
      "another provider",
      fulcioLeaf(middle, { provider: `${provider}/` }),
      {},
      'Unexpected Fulcio OIDC issuer "https://login.example.com/"',
    ],
    [
      "no provider",
      certificate({ issuer: middle, extensions: [forCode, emailName(email)] }),
      {},
      "Fulcio certificate is missing the issuer extension",
    ],
    [
      "two providers",
      certificate({
        issuer: middle,
        extensions: [
          forCode,
          emailName(email),
          providerText(provider),
          providerBytes("https://other"),
        ],
      }),
      {},
      "inconsistent OIDC issuer extension values",
    ],
    [
      "a purpose for servers",
      certificate({
        issuer: middle,
        extensions: [forServers, emailName(email), providerText(provider)],
      }),
      {},
      "veryfing leaf certificate failed: x509: certificate specifies an incompatible key usage",
    ],
    [
      "no chain",
      fulcioLeaf(middle),
      { between: [] },
      "veryfing leaf certificate failed: x509: certificate signed by unknown authority",
    ],
    [
      "a time outside of its validity",
      fulcioLeaf(middle),
      { at: minutes(11) },
      "veryfing leaf certificate failed: x509: certificate has expired or is not yet valid",
    ],
    ["a weak key", fulcioLeaf(middle, {}, { keys: weak }), {}, "RSA key of 1024 bits is too weak"],
  ])("refuses %s", (_, leaf, wish, why) => {
    expect(() => key(leaf, wish)).toThrow(why);
  });
});

test("issuerOf refuses text with more behind it", () => {
  const [id, critical, value] = providerText(provider);
  const longer = Buffer.concat([value, text(0x0c, "x")]);
  const leaf = certificate({ extensions: [[id, critical, longer]] });
  expect(() => issuerOf(parseCertificate(leaf.bytes))).toThrow("behind the end");
});
