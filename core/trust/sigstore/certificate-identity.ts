// Certificate identity: who has signed, and where, in the words of a certificate of Fulcio's.
//
// See https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md

import { Failure } from "../../failure.ts";
import { quoted } from "../../foreign-text.ts";
import { type Certificate, textExtension } from "./certificate.ts";
import { type BuildExtension, buildExtensions } from "./build-extensions.ts";
import { issuerOf } from "./fulcio.ts";
import type { TextPattern } from "./text-pattern.ts";

/** What a certificate has to say. */
export interface CertificateIdentity {
  /** The provider that vouched for the subject. */
  readonly oidcIssuer: string;
  readonly subject: WantedSubject;
  /** What extensions have to say, to the letter, by the names of `buildExtensions`. */
  readonly extensions: ReadonlyMap<BuildExtension, string>;
}

/** Who the subject has to be. */
export type WantedSubject =
  | { readonly kind: "email" | "uri"; readonly name: string }
  /** One of its e-mail addresses or URIs has to fit. */
  | { readonly kind: "pattern"; readonly pattern: TextPattern };

/**
 * Returns the subject of a certificate in words, if it is who is wanted.
 *
 * Fails with `rejected`, and says what was found. The path of the certificate has to be verified before.
 */
export function verifyIdentity(certificate: Certificate, wanted: CertificateIdentity): string {
  const issuer = issuerOf(certificate);
  if (issuer !== wanted.oidcIssuer) {
    const found = issuer === undefined ? "none" : quoted(issuer);
    throw rejected(`identity provider ${quoted(wanted.oidcIssuer)} is wanted, found ${found}`);
  }
  for (const [name, value] of wanted.extensions) {
    const found = textExtension(certificate, buildExtensions[name]);
    if (found === value) continue;
    const said = found === undefined ? "nothing" : quoted(found);
    throw rejected(`${name} ${quoted(value)} is wanted, found ${said}`);
  }
  return `${subjectOf(certificate, wanted.subject)}, known to ${issuer}`;
}

function subjectOf({ names }: Certificate, wanted: WantedSubject): string {
  const all = [...names.emails, ...names.uris];
  const found = all.map((each) => quoted(each)).join(" ");
  switch (wanted.kind) {
    case "email":
      if (names.emails.includes(wanted.name)) return wanted.name;
      throw rejected(`subject ${quoted(wanted.name)} is wanted, found [${found}]`);
    case "uri":
      if (names.uris.includes(wanted.name)) return wanted.name;
      throw rejected(`subject ${quoted(wanted.name)} is wanted, found [${found}]`);
    case "pattern": {
      const name = all.find((each) => wanted.pattern.fits(each));
      if (name !== undefined) return name;
      const source = quoted(wanted.pattern.source);
      throw rejected(`a subject that fits ${source} is wanted, found [${found}]`);
    }
  }
}

function rejected(why: string): Failure {
  return new Failure("rejected", why);
}
