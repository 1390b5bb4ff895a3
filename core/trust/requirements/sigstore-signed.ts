// sigstoreSigned: a sigstore signature by one of these keys, or with a certificate of theirs.

import type { PolicyRequirement } from "../gate.ts";
import { defaultIdentity, parseSignedIdentity } from "../identity.ts";
import { type Members, membersOf, type Placed, textIn, wrong } from "../strict-json.ts";
import {
  certificatesAt,
  keySourceNames,
  keySourcesAt,
  type KeySource,
  spelledSource,
} from "./key-source.ts";
import type { FulcioTrust, PkiTrust, SigstoreRule, SigstoreTrust } from "./sigstore-rule.ts";

/** Wants a signature that `trust` vouches for and that gives the image a fitting name. */
export interface SigstoreSigned extends PolicyRequirement, SigstoreRule {
  readonly type: "sigstoreSigned";
}

/** Parses a sigstoreSigned requirement, and reads no key. Fails with `config`, in the original's words. */
export function parseSigstoreSigned(requirement: Placed): SigstoreSigned {
  const members = membersOf(requirement, [
    "type",
    ...keySourceNames("key"),
    "fulcio",
    "pki",
    ...keySourceNames("rekorPublicKey"),
    "signedIdentity",
  ]);
  const trust = trustOf(requirement, members);
  const rekorKeys = rekorKeysOf(requirement, members, trust);
  const identity = members.get("signedIdentity");
  const rule = {
    type: "sigstoreSigned",
    verifiesSignatures: true,
    trust,
    ...(rekorKeys !== undefined && { rekorKeys }),
    signedIdentity: identity === undefined ? defaultIdentity : parseSignedIdentity(identity),
  } as const;
  return {
    ...rule,
    wants: wantsOf(rule),
    async checkKeys(now) {
      const { sigstoreKeyFindings } = await import("./sigstore-keys.ts");
      return sigstoreKeyFindings(rule, now);
    },
    async decide(candidate, judging) {
      const { decideSigstoreSigned } = await import("./sigstore-verdict.ts");
      return decideSigstoreSigned(rule, candidate, judging);
    },
  };
}

function wantsOf({ trust, rekorKeys, signedIdentity }: SigstoreRule): Record<string, string> {
  return {
    ...signersOf(trust),
    ...(rekorKeys !== undefined && { "seen by a log of": spelledSource(rekorKeys) }),
    "signed identity": signedIdentity.kind,
  };
}

function signersOf(trust: SigstoreTrust): Record<string, string> {
  switch (trust.kind) {
    case "keys":
      return { keys: spelledSource(trust.keys) };
    case "fulcio": {
      const { authorities, subjectEmail, oidcIssuer } = trust;
      return {
        signer: subjectEmail,
        "known to": oidcIssuer,
        authorities: spelledSource(authorities),
      };
    }
    case "pki": {
      const { roots, subjectEmail, subjectHostname } = trust;
      return {
        ...(subjectEmail !== undefined && { signer: subjectEmail }),
        ...(subjectHostname !== undefined && { host: subjectHostname }),
        authorities: spelledSource(roots),
      };
    }
  }
}

function trustOf(requirement: Placed, members: Members): SigstoreTrust {
  const fulcio = members.get("fulcio");
  const pki = members.get("pki");
  const trusts: SigstoreTrust[] = [
    ...keySourcesAt(members, "key").map((keys) => ({ kind: "keys", keys }) as const),
    ...(fulcio === undefined ? [] : [fulcioOf(fulcio)]),
    ...(pki === undefined ? [] : [pkiOf(pki)]),
  ];
  const [trust] = trusts;
  if (trust === undefined || trusts.length > 1) {
    throw wrong(
      requirement,
      "exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio, and pki must be specified",
    );
  }
  return trust;
}

function rekorKeysOf(
  requirement: Placed,
  members: Members,
  trust: SigstoreTrust,
): KeySource | undefined {
  const sources = keySourcesAt(members, "rekorPublicKey");
  const [keys] = sources;
  if (sources.length > 1) {
    throw wrong(requirement, `at most one of ${rekorNames} can be used simultaneously`);
  }
  if (trust.kind === "fulcio" && keys === undefined) {
    throw wrong(requirement, `At least one of ${rekorNames} must be specified if fulcio is used`);
  }
  if (trust.kind === "pki" && keys !== undefined) {
    throw wrong(requirement, `${rekorNames} are not supported for pki`);
  }
  return keys;
}

const rekorNames =
  "rekorPublickeyPath, rekorPublicKeyPaths, rekorPublickeyData and rekorPublicKeyDatas";

function fulcioOf(fulcio: Placed): FulcioTrust {
  const members = membersOf(fulcio, ["caPath", "caData", "oidcIssuer", "subjectEmail"]);
  const authorities = certificatesAt(fulcio, members, "ca");
  if (authorities === undefined) {
    throw wrong(fulcio, "At least one of caPath and caData must be specified");
  }
  const oidcIssuer = textIn(members, "oidcIssuer");
  if (oidcIssuer === undefined) throw wrong(fulcio, "oidcIssuer not specified");
  const subjectEmail = textIn(members, "subjectEmail");
  if (subjectEmail === undefined) throw wrong(fulcio, "subjectEmail not specified");
  return { kind: "fulcio", authorities, oidcIssuer, subjectEmail };
}

function pkiOf(pki: Placed): PkiTrust {
  const members = membersOf(pki, [
    "caRootsPath",
    "caRootsData",
    "caIntermediatesPath",
    "caIntermediatesData",
    "subjectEmail",
    "subjectHostname",
  ]);
  const roots = certificatesAt(pki, members, "caRoots");
  if (roots === undefined) {
    throw wrong(pki, "At least one of caRootsPath and caRootsData must be specified");
  }
  const intermediates = certificatesAt(pki, members, "caIntermediates");
  const subjectEmail = textIn(members, "subjectEmail");
  const subjectHostname = textIn(members, "subjectHostname");
  if (subjectEmail === undefined && subjectHostname === undefined) {
    throw wrong(pki, "At least one of subjectEmail, subjectHostname must be specified");
  }
  return {
    kind: "pki",
    roots,
    ...(intermediates !== undefined && { intermediates }),
    ...(subjectEmail !== undefined && { subjectEmail }),
    ...(subjectHostname !== undefined && { subjectHostname }),
  };
}
