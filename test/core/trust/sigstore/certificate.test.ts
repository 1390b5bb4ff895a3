import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import {
  isSignedBy,
  keyOf,
  parseCertificate,
  textExtension,
  utf8Of,
} from "../../../../core/trust/sigstore/certificate.ts";
import {
  authority,
  certificate,
  type CertificateWish,
  emailName,
  forCode,
  isAuthority,
  mayCertify,
  mayOnlySign,
  minutes,
  names,
  providerText,
} from "../../../support/authority.ts";
import { bitString, der, integer, oid, sequence, text } from "../../../support/der-bytes.ts";
import { randomBytes } from "../../../support/random.ts";

const parse = (wish: CertificateWish) => parseCertificate(certificate(wish).bytes);

describe("parseCertificate", () => {
  test("reads all that certificates are judged by", () => {
    const root = authority("root");
    const read = parse({
      issuer: root,
      subject: "leaf",
      extensions: [
        forCode,
        mayOnlySign,
        names(
          text(0x81, "jo@example.com"),
          text(0x82, "host.example.com"),
          text(0x86, "https://example.com/flow"),
          der(0x87, Uint8Array.of(192, 0, 2, 1)),
          der(0xa0, oid("1.2.3")),
        ),
        providerText("https://login.example.com"),
      ],
    });
    expect(read).toMatchObject({
      notBefore: minutes(-10),
      notAfter: minutes(10),
      purposes: ["1.3.6.1.5.5.7.3.3"],
      signsCertificates: false,
      names: {
        emails: ["jo@example.com"],
        hosts: ["host.example.com"],
        uris: ["https://example.com/flow"],
        addresses: [Uint8Array.of(192, 0, 2, 1)],
      },
    });
    expect(Buffer.compare(read.issuer, parseCertificate(root.bytes).subject)).toBe(0);
    expect(textExtension(read, "1.3.6.1.4.1.57264.1.8")).toBe("https://login.example.com");
    expect(textExtension(read, "1.2.3")).toBeUndefined();
    expect(read.authority).toBeUndefined();
  });

  test("reads what authorities say", () => {
    expect(parse({ extensions: [isAuthority(3), mayCertify] })).toMatchObject({
      authority: { isAuthority: true, pathLength: 3 },
      signsCertificates: true,
    });
    expect(parse({ extensions: [isAuthority(undefined, false)] }).authority).toEqual({
      isAuthority: false,
    });
  });

  test.each<[string, CertificateWish, string]>([
    ["of version 1", { version: 1 }, "version 1"],
    ["with an extension twice", { extensions: [forCode, forCode] }, "twice"],
    [
      "with a name that is not ASCII",
      { extensions: [names(text(0x81, "jö@example.com"))] },
      "not ASCII",
    ],
    [
      "with odd purposes",
      { extensions: [["2.5.29.37", false, sequence(integer(1))]] },
      "odd extended",
    ],
    [
      "with odd usage",
      { extensions: [["2.5.29.15", false, bitString(Uint8Array.of(1), 9)]] },
      "odd key usage",
    ],
    [
      "with names and more",
      { extensions: [["2.5.29.17", false, Uint8Array.of(0x30, 0, 0)]] },
      "behind the end",
    ],
  ])("refuses one %s", (_, wish, why) => {
    expect(() => parse(wish)).toThrow(why);
  });

  test("refuses text in another form, or with more behind it", () => {
    const id = "1.3.6.1.4.1.57264.1.8";
    const printable = parse({ extensions: [[id, false, text(0x13, "x")]] });
    expect(() => textExtension(printable, id)).toThrow("malformed");
    const longer = parse({
      extensions: [[id, false, Buffer.concat([text(0x0c, "x"), text(0x0c, "y")])]],
    });
    expect(() => textExtension(longer, id)).toThrow("behind the end");
  });

  test("refuses text that is not UTF-8", () => {
    const id = "1.3.6.1.4.1.57264.1.8";
    const broken = parse({ extensions: [[id, false, der(0x0c, Uint8Array.of(0xff))]] });
    expect(() => textExtension(broken, id)).toThrow("not UTF-8");
    expect(() => utf8Of(Uint8Array.of(0xc3))).toThrow("not UTF-8");
    expect(utf8Of(new TextEncoder().encode("ü"))).toBe("ü");
  });

  test("fails, and never in another way, on whatever is changed or cut", () => {
    const { bytes } = certificate({ extensions: [forCode, emailName("jo@example.com")] });
    const noise = randomBytes("certificate", 6000);
    for (let round = 0; round < 2000; round++) {
      const [high = 0, low = 0, value = 0] = noise.subarray(round * 3);
      const at = (high * 256 + low) % bytes.length;
      const changed = round % 4 === 0 ? bytes.subarray(0, at) : bytes.with(at, value);
      try {
        parseCertificate(changed);
      } catch (error) {
        expect(error).toMatchObject({ code: "corrupt" });
      }
    }
  });
});

describe("isSignedBy", () => {
  test.each([
    ["ec", generateKeyPairSync("ec", { namedCurve: "P-384" })],
    ["rsa", generateKeyPairSync("rsa", { modulusLength: 2048 })],
    ["ed25519", generateKeyPairSync("ed25519")],
  ])("knows signatures of %s, and others from them", (_, keys) => {
    const root = authority("root", { keys });
    const leaf = parseCertificate(certificate({ issuer: root }).bytes);
    expect(isSignedBy(leaf, keyOf(parseCertificate(root.bytes)))).toBe(true);
    expect(isSignedBy(leaf, keyOf(parseCertificate(authority("root").bytes)))).toBe(false);
    const changed = { ...leaf, signed: { ...leaf.signed, bytes: leaf.signed.bytes.with(40, 1) } };
    expect(isSignedBy(changed, root.publicKey)).toBe(false);
  });

  test("takes no weak or unknown algorithm", () => {
    const root = authority("root", { keys: generateKeyPairSync("rsa", { modulusLength: 2048 }) });
    const leaf = parseCertificate(certificate({ issuer: root }).bytes);
    const sha1 = { ...leaf, signed: { ...leaf.signed, algorithm: "1.2.840.113549.1.1.5" } };
    expect(isSignedBy(sha1, root.publicKey)).toBe(false);
  });
});
