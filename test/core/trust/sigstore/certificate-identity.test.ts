import { describe, expect, test } from "bun:test";

import { parseCertificate } from "../../../../core/trust/sigstore/certificate.ts";
import {
  type CertificateIdentity,
  verifyIdentity,
} from "../../../../core/trust/sigstore/certificate-identity.ts";
import { parseTextPattern } from "../../../../core/trust/sigstore/text-pattern.ts";
import { certificate, names, providerText } from "../../../support/authority.ts";
import { text } from "../../../support/der-bytes.ts";

const flow = "https://github.com/org/app/.github/workflows/release.yml@refs/heads/main";
const oidcIssuer = "https://token.actions.githubusercontent.com";
const extension = (number: number, value: string) =>
  [`1.3.6.1.4.1.57264.1.${number}`, false, text(0x0c, value)] as const;

const built = parseCertificate(
  certificate({
    extensions: [
      names(text(0x86, flow), text(0x81, "jo@example.com")),
      providerText(oidcIssuer),
      extension(9, "https://github.com/org/builder"),
      extension(12, "https://github.com/org/app"),
    ],
  }).bytes,
);

const verify = (wish: Partial<CertificateIdentity>) =>
  verifyIdentity(built, {
    oidcIssuer,
    subject: { kind: "uri", name: flow },
    extensions: new Map(),
    ...wish,
  });
const fitting = (source: string) =>
  ({ kind: "pattern", pattern: parseTextPattern(source) }) as const;

describe("verifyIdentity", () => {
  test.each<[Partial<CertificateIdentity>, string]>([
    [{}, flow],
    [{ subject: { kind: "email", name: "jo@example.com" } }, "jo@example.com"],
    [{ subject: fitting("https://github\\.com/org/.*") }, flow],
    [{ extensions: new Map([["buildSignerUri", "https://github.com/org/builder"]]) }, flow],
    [{ extensions: new Map([["sourceRepositoryUri", "https://github.com/org/app"]]) }, flow],
  ])("accepts %j", (wish, subject) => {
    expect(verify(wish)).toBe(`${subject}, known to ${oidcIssuer}`);
  });

  test.each<[Partial<CertificateIdentity>, string]>([
    [
      { oidcIssuer: "https://other" },
      `identity provider "https://other" is wanted, found "${oidcIssuer}"`,
    ],
    [
      { subject: { kind: "uri", name: `${flow}x` } },
      `is wanted, found ["jo@example.com" "${flow}"]`,
    ],
    [{ subject: { kind: "uri", name: "jo@example.com" } }, 'subject "jo@example.com" is wanted'],
    [{ subject: { kind: "email", name: flow } }, "is wanted"],
    [
      { subject: fitting("https://github\\.com/org") },
      'a subject that fits "https://github\\\\.com/org" is wanted',
    ],
    [
      { extensions: new Map([["buildSignerUri", "https://github.com/org/app"]]) },
      'buildSignerUri "https://github.com/org/app" is wanted, found "https://github.com/org/builder"',
    ],
    [
      { extensions: new Map([["buildTrigger", "push"]]) },
      'buildTrigger "push" is wanted, found nothing',
    ],
  ])("refuses %j", (wish, why) => {
    expect(() => verify(wish)).toThrow(why);
  });

  test("refuses a certificate that names no provider", () => {
    const bare = parseCertificate(certificate({ extensions: [names(text(0x86, flow))] }).bytes);
    const wanted = {
      oidcIssuer,
      subject: { kind: "uri", name: flow },
      extensions: new Map(),
    } as const;
    expect(() => verifyIdentity(bare, wanted)).toThrow("found none");
  });
});
