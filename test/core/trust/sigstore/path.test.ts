import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import { parseCertificate } from "../../../../core/trust/sigstore/certificate.ts";
import { verifyPath } from "../../../../core/trust/sigstore/path.ts";
import {
  authority,
  certificate,
  forCode,
  forServers,
  isAuthority,
  type Issued,
  mayCertify,
  mayOnlySign,
  minutes,
  noon,
  purposes,
} from "../../../support/authority.ts";
import { sequence } from "../../../support/der-bytes.ts";

const root = authority("root");
const middle = authority("middle", { issuer: root });
const leaf = certificate({ issuer: middle, extensions: [forCode, mayOnlySign] });

interface Wish {
  readonly between?: Issued[];
  readonly roots?: Issued[];
  readonly at?: Date;
}

const path = (end: Issued, { between = [], roots = [root], at = noon }: Wish) =>
  verifyPath({
    leaf: parseCertificate(end.bytes),
    intermediates: between.map(({ bytes }) => parseCertificate(bytes)),
    roots: roots.map(({ bytes }) => parseCertificate(bytes)),
    at,
  }).length;

describe("verifyPath", () => {
  test("leads from the leaf to a root", () => {
    expect(path(leaf, { between: [middle] })).toBe(3);
    expect(path(certificate({ issuer: root }), {})).toBe(2);
  });

  test("takes a certificate that is trusted itself", () => {
    const own = certificate({ subject: "own" });
    expect(path(own, { roots: [own] })).toBe(1);
  });

  test("takes an intermediate for a root where the policy says so", () => {
    expect(path(leaf, { roots: [middle] })).toBe(2);
  });

  test("finds its way among namesakes", () => {
    const other = authority("middle", { issuer: authority("root") });
    expect(path(leaf, { between: [other, middle], roots: [authority("root"), root] })).toBe(3);
  });

  test("ends where certificates vouch for each other", () => {
    const a = authority("a");
    const b = authority("b", { issuer: a });
    const again = authority("a", {
      issuer: b,
      keys: { privateKey: a.key, publicKey: a.publicKey },
    });
    const end = certificate({ issuer: b });
    expect(() => path(end, { between: [b, again, a] })).toThrow("unknown authority");
  });

  const anyPurpose = purposes("2.5.29.37.0");
  test.each([
    ["no purpose at all", []],
    ["any purpose", [anyPurpose]],
    ["code and servers", [purposes("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3")]],
    ["certificate policies that are critical", [["2.5.29.32", true, sequence()] as const]],
  ])("takes a leaf with %s", (_, extensions) => {
    expect(path(certificate({ issuer: root, extensions }), {})).toBe(2);
  });

  const issuedBy = (wish: Parameters<typeof authority>[1]) => {
    const between = authority("between", { issuer: root, ...wish });
    const end: readonly [Issued, Wish] = [certificate({ issuer: between }), { between: [between] }];
    return end;
  };
  const deep = Array.from({ length: 12 }).reduce<Issued[]>(
    (chain, _, index) => [...chain, authority(`deep ${index}`, { issuer: chain.at(-1) ?? root })],
    [],
  );
  const narrow = authority("narrow", { extensions: [isAuthority(0), mayCertify] });
  const below = authority("below", { issuer: narrow });
  const weak = authority("weak", { keys: generateKeyPairSync("rsa", { modulusLength: 1024 }) });

  const refused: readonly (readonly [string, Issued, Wish, string])[] = [
    ["no intermediate", leaf, {}, "unknown authority"],
    ["another root", leaf, { between: [middle], roots: [authority("root")] }, "unknown authority"],
    ["itself only", certificate({ subject: "own" }), {}, "unknown authority"],
    ["a leaf not yet valid", leaf, { between: [middle], at: minutes(-11) }, "not yet valid"],
    ["a leaf no longer valid", leaf, { between: [middle], at: minutes(11) }, "has expired"],
    ["an intermediate out of date", ...issuedBy({ to: minutes(-1) }), "has expired"],
    ["an issuer that is none", ...issuedBy({ extensions: [] }), "not authorized"],
    [
      "an issuer that says no",
      ...issuedBy({ extensions: [isAuthority(0, false)] }),
      "not authorized",
    ],
    [
      "an issuer with another usage",
      ...issuedBy({ extensions: [isAuthority(), mayOnlySign] }),
      "not authorized",
    ],
    [
      "an issuer for servers",
      ...issuedBy({ extensions: [isAuthority(), mayCertify, forServers] }),
      "incompatible key usage",
    ],
    [
      "an issuer with name constraints",
      ...issuedBy({ extensions: [isAuthority(), ["2.5.29.30", true, sequence()]] }),
      "name constraints",
    ],
    [
      "a leaf for servers",
      certificate({ issuer: root, extensions: [forServers] }),
      {},
      "incompatible key usage",
    ],
    [
      "an unknown critical extension",
      certificate({ issuer: root, extensions: [["1.2.3.4", true, sequence()]] }),
      {},
      "unhandled critical extension 1.2.3.4",
    ],
    [
      "too many below an authority",
      certificate({ issuer: below }),
      { between: [below], roots: [narrow] },
      "too many intermediates",
    ],
    [
      "a path that is too long",
      certificate({ issuer: deep.at(-1) ?? root }),
      { between: deep },
      "more than 10 certificates",
    ],
    [
      "a weak authority",
      certificate({ issuer: weak }),
      { roots: [weak] },
      "RSA key of 1024 bits is too weak",
    ],
  ];
  test.each(refused)("refuses %s", (_, end, wish, why) => {
    expect(() => path(end, wish)).toThrow(why);
  });

  test("refuses a root out of date that did sign", () => {
    const old = authority("old", { to: minutes(-1) });
    expect(() => path(certificate({ issuer: old }), { roots: [old] })).toThrow("has expired");
  });

  test("gives up after many signatures", () => {
    const namesakes = Array.from({ length: 101 }, () => authority("root"));
    expect(() => path(leaf, { between: [middle], roots: namesakes })).toThrow("more than 100");
  });
});
