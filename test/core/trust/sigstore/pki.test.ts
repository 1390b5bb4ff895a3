import { describe, expect, test } from "bun:test";

import { parseCertificate } from "../../../../core/trust/sigstore/certificate.ts";
import { type PkiIdentity, verifyPkiCertificate } from "../../../../core/trust/sigstore/pki.ts";
import {
  authority,
  certificate,
  emailName,
  forCode,
  type Issued,
  minutes,
  names,
  noon,
} from "../../../support/authority.ts";
import { der, text } from "../../../support/der-bytes.ts";

const root = authority("root");
const middle = authority("middle", { issuer: root });
const parsed = ({ bytes }: Issued) => parseCertificate(bytes);
const leaf = certificate({
  issuer: middle,
  extensions: [
    forCode,
    names(
      text(0x81, "jo@example.com"),
      text(0x82, "sign.example.com"),
      text(0x82, "*.wild.example.com"),
      text(0x82, "a*.part.example.com"),
      der(0x87, Uint8Array.of(192, 0, 2, 1)),
      der(0x87, Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 1])),
    ),
  ],
});

const verify = (
  identity: Partial<PkiIdentity>,
  { end = leaf, at = noon, chain = [] as Issued[] } = {},
) =>
  verifyPkiCertificate(
    { leaf: parsed(end), intermediates: chain.map(parsed) },
    { roots: [parsed(root)], intermediates: [parsed(middle)], ...identity },
    at,
  );

describe("verifyPkiCertificate", () => {
  test.each([
    { subjectEmail: "jo@example.com" },
    { subjectHostname: "sign.example.com" },
    { subjectHostname: "SIGN.example.com." },
    { subjectHostname: "a.wild.example.com" },
    { subjectHostname: "192.0.2.1" },
    { subjectHostname: "2001:db8::1" },
    { subjectHostname: "[2001:db8::1]" },
    { subjectEmail: "jo@example.com", subjectHostname: "sign.example.com" },
  ])("takes %j", (identity) => {
    expect(verify(identity).bytes).toEqual(leaf.publicKey.export({ format: "der", type: "spki" }));
  });

  test("takes intermediates that come with the signature, too", () => {
    verify({ subjectEmail: "jo@example.com", intermediates: [] }, { chain: [middle] });
  });

  test.each([
    [
      { subjectEmail: "jo@example.org" },
      'Required email "jo@example.org" not found (got ["jo@example.com"])',
    ],
    [{ subjectHostname: "example.com" }, "Unexpected subject hostname: certificate is valid for"],
    [{ subjectHostname: "wild.example.com" }, "Unexpected subject hostname"],
    [{ subjectHostname: "a.b.wild.example.com" }, "Unexpected subject hostname"],
    [{ subjectHostname: "ab.part.example.com" }, "Unexpected subject hostname"],
    [{ subjectHostname: "192.0.2.2" }, "Unexpected subject hostname"],
    [{ subjectHostname: "::ffff:192.0.2.1" }, "Unexpected subject hostname"],
    [{ subjectHostname: "leaf" }, "Unexpected subject hostname"],
    [{ subjectHostname: "" }, "Unexpected subject hostname"],
    [{ subjectEmail: "jo@example.com", subjectHostname: "other" }, "Unexpected subject hostname"],
    [
      { subjectEmail: "jo@example.com", intermediates: [] },
      "veryfing leaf certificate failed: x509: certificate signed by unknown authority",
    ],
  ])("refuses %j", (identity, why) => {
    expect(() => verify(identity)).toThrow(why);
  });

  test("judges by the time that it is given", () => {
    const late = () => verify({ subjectEmail: "jo@example.com" }, { at: minutes(11) });
    expect(late).toThrow("certificate has expired");
    const end = certificate({ issuer: middle, extensions: [emailName("jo@example.com")] });
    verify({ subjectEmail: "jo@example.com" }, { end });
  });
});
