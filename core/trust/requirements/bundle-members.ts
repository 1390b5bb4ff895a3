// Bundle members: what requirements about bundles have in common in policy.json.

import { type BuildExtension, buildExtensions } from "../sigstore/build-extensions.ts";
import type { CertificateIdentity, WantedSubject } from "../sigstore/certificate-identity.ts";
import { parseTextPattern } from "../sigstore/text-pattern.ts";
import { type Members, membersOf, type Placed, textIn, textOf, wrong } from "../strict-json.ts";
import type { AuthoritySources, BundleRule, BundleSigners } from "./bundle-rule.ts";
import { certificatesAt, keySourceNames, keySourcesAt, spelledSource } from "./key-source.ts";

/** The members that all requirements about bundles may have. */
export const bundleMembers: readonly string[] = [
  "type",
  "identity",
  ...keySourceNames("key"),
  "certificate",
  ...keySourceNames("rekorPublicKey"),
  "timestampAuthority",
  "predicateType",
];

/**
 * Parses who may have signed, and which logs have to have seen it. Fails with `config`, also unless the
 * policy says in so many words that no image is named.
 */
export function parseBundleTrust(
  requirement: Placed,
  members: Members,
): Pick<BundleRule, "signers" | "rekorKeys"> {
  if (textIn(members, "identity") !== "digestOnly") {
    throw wrong(
      requirement,
      `"identity": "digestOnly" must be specified, because a bundle carries no image name: whatever its signer has signed is accepted under any name`,
    );
  }
  const signers = signersOf(requirement, members);
  const [rekorKeys, ...more] = keySourcesAt(members, "rekorPublicKey");
  const names = keySourceNames("rekorPublicKey").join(", ");
  if (more.length > 0)
    throw wrong(requirement, `at most one of ${names} can be used simultaneously`);
  const log = rekorKeys === undefined ? {} : { rekorKeys };
  const timestamps = members.get("timestampAuthority");
  if (signers.kind === "keys") {
    if (timestamps === undefined) return { signers, ...log };
    throw wrong(requirement, "timestampAuthority is supported with certificate only");
  }
  if (timestamps !== undefined) {
    const timestampAuthority = authorityOf(timestamps);
    return { signers: { ...signers, timestampAuthority }, ...log };
  }
  if (rekorKeys !== undefined) return { signers, ...log };
  throw wrong(
    requirement,
    `timestampAuthority or one of ${names} must be specified with certificate, because it has to be known when that was good`,
  );
}

/** Returns what a rule wants, by names that a person understands. */
export function describeBundleRule(rule: BundleRule): Record<string, string> {
  const { signers, rekorKeys, predicateType, assertions } = rule;
  return {
    ...describeSigners(signers),
    ...(rekorKeys !== undefined && { "seen by a log of": spelledSource(rekorKeys) }),
    predicate: predicateType,
    ...Object.fromEntries([...assertions].map(([at, value]) => [at, String(value)])),
    identity: "digestOnly",
  };
}

function describeSigners(signers: BundleSigners): Record<string, string> {
  if (signers.kind === "keys") return { keys: spelledSource(signers.keys) };
  const { authorities, identity, timestampAuthority } = signers;
  const { subject, oidcIssuer, extensions } = identity;
  return {
    signer: subject.kind === "pattern" ? subject.pattern.source : subject.name,
    "known to": oidcIssuer,
    ...Object.fromEntries(extensions),
    authorities: spelledSource(authorities),
    ...(timestampAuthority !== undefined && {
      "seen by": spelledSource(timestampAuthority.authorities),
    }),
  };
}

function signersOf(requirement: Placed, members: Members): BundleSigners {
  const certificate = members.get("certificate");
  const keys = keySourcesAt(members, "key").map((each) => ({ kind: "keys", keys: each }) as const);
  const signers: readonly BundleSigners[] =
    certificate === undefined ? keys : [...keys, certificateOf(certificate)];
  const [only] = signers;
  if (only === undefined || signers.length > 1) {
    const names = [...keySourceNames("key"), "certificate"].join(", ");
    throw wrong(requirement, `exactly one of ${names} must be specified`);
  }
  return only;
}

const authorityNames = ["caPath", "caData", "caIntermediatesPath", "caIntermediatesData"];

function authorityOf(object: Placed): AuthoritySources {
  return authorityIn(object, membersOf(object, authorityNames));
}

function authorityIn(object: Placed, members: Members): AuthoritySources {
  const authorities = certificatesAt(object, members, "ca");
  if (authorities === undefined) {
    throw wrong(object, "At least one of caPath and caData must be specified");
  }
  const intermediates = certificatesAt(object, members, "caIntermediates");
  return { authorities, ...(intermediates !== undefined && { intermediates }) };
}

const subjectNames = ["subjectEmail", "subjectUri", "subjectRegex"] as const;
const extensionNames = Object.keys(buildExtensions) as readonly BuildExtension[];

function certificateOf(certificate: Placed): BundleSigners {
  const members = membersOf(certificate, [
    ...authorityNames,
    "oidcIssuer",
    ...subjectNames,
    ...extensionNames,
  ]);
  return {
    kind: "certificate",
    ...authorityIn(certificate, members),
    identity: identityOf(certificate, members),
  };
}

function identityOf(certificate: Placed, members: Members): CertificateIdentity {
  const oidcIssuer = textIn(members, "oidcIssuer");
  if (oidcIssuer === undefined) throw wrong(certificate, "oidcIssuer not specified");
  const extensions = new Map<BuildExtension, string>();
  for (const name of extensionNames) {
    const member = members.get(name);
    // An empty text would be taken for a wish that is always granted.
    if (member === undefined) continue;
    if (textOf(member) === "") throw wrong(member, `${name} is empty`);
    extensions.set(name, textOf(member));
  }
  return { oidcIssuer, subject: subjectOf(certificate, members), extensions };
}

function subjectOf(certificate: Placed, members: Members): WantedSubject {
  const said = subjectNames.filter((name) => textIn(members, name) !== undefined);
  const [name, ...more] = said;
  if (name === undefined || more.length > 0) {
    throw wrong(certificate, `exactly one of ${subjectNames.join(", ")} must be specified`);
  }
  const text = textIn(members, name) ?? "";
  switch (name) {
    case "subjectEmail":
      return { kind: "email", name: text };
    case "subjectUri":
      return { kind: "uri", name: text };
    case "subjectRegex":
      return { kind: "pattern", pattern: parseTextPattern(text) };
  }
}
