// signedBy: an OpenPGP signature by one of these keys.

import type { PolicyRequirement } from "../gate.ts";
import { defaultIdentity, parseSignedIdentity, type SignedIdentity } from "../identity.ts";
import { type Members, membersOf, type Placed, quoted, textOf, wrong } from "../strict-json.ts";
import { contentAt, fileAt, filesAt, type KeySource } from "./key-source.ts";

const keyTypes = ["GPGKeys", "signedByGPGKeys", "X509Certificates", "signedByX509CAs"] as const;

/** Wants a signature by one of `keys` that gives the image a fitting name. */
export interface SignedBy extends PolicyRequirement {
  readonly type: "signedBy";
  /** Only `GPGKeys` has ever had a meaning. */
  readonly keyType: (typeof keyTypes)[number];
  readonly keys: KeySource;
  readonly signedIdentity: SignedIdentity;
}

/** Parses a signedBy requirement, and reads no key. Fails with `config`, in the original's words. */
export function parseSignedBy(requirement: Placed): SignedBy {
  const known = ["type", "keyType", ...sourceNames, "signedIdentity"];
  const members = membersOf(requirement, known);
  const keys = keysOf(requirement, members);
  const identity = members.get("signedIdentity");
  return {
    type: "signedBy",
    verifiesSignatures: true,
    keyType: keyTypeOf(requirement, members),
    keys,
    signedIdentity: identity === undefined ? defaultIdentity : parseSignedIdentity(identity),
    decide: async () => ({
      allowed: false,
      reason: "Requirement signedBy cannot be met: this version verifies no OpenPGP signatures",
    }),
  };
}

const sourceNames = ["keyPath", "keyPaths", "keyData"];

function keysOf(requirement: Placed, members: Members): KeySource {
  const rule = "xactly one of keyPath, keyPaths and keyData must be specified";
  const present = sourceNames.filter((name) => members.has(name)).length;
  if (present === 0) throw wrong(requirement, `E${rule}, none of them present`);
  if (present > 1) throw wrong(requirement, `E${rule}, more than one present`);
  const keys =
    fileAt(members.get("keyPath")) ??
    filesAt(members.get("keyPaths")) ??
    contentAt(members.get("keyData"));
  // The one that is there is an empty path.
  if (keys === undefined) throw wrong(requirement, `e${rule}`);
  return keys;
}

function keyTypeOf(requirement: Placed, members: Members): SignedBy["keyType"] {
  const member = members.get("keyType");
  if (member === undefined) throw wrong(requirement, `invalid keyType ""`);
  const text = textOf(member);
  const keyType = keyTypes.find((known) => known === text);
  if (keyType === undefined) throw wrong(member, `Unrecognized keyType value ${quoted(text)}`);
  return keyType;
}
