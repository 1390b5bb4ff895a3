// signedBy: an OpenPGP signature by one of these keys.

import type { SignatureContent } from "../../content/signature-blob.ts";
import { asFailure, Failure } from "../../failure.ts";
import type { Candidate, Judging, PolicyRequirement, Verdict } from "../gate.ts";
import {
  defaultIdentity,
  describeIdentity,
  parseSignedIdentity,
  type SignedIdentity,
} from "../identity.ts";
import type { KeyRing } from "../openpgp.ts";
import { parseSimpleSigning } from "../simple-signing.ts";
import { type Members, membersOf, type Placed, quoted, textOf, wrong } from "../strict-json.ts";
import {
  contentAt,
  fileAt,
  filesAt,
  type KeySource,
  readKeySource,
  spelledSource,
} from "./key-source.ts";
import type { SignatureAttempt } from "./signed.ts";

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
  const signedIdentity = identity === undefined ? defaultIdentity : parseSignedIdentity(identity);
  const wish = { keyType: keyTypeOf(requirement, members), keys, signedIdentity };
  return {
    type: "signedBy",
    verifiesSignatures: true,
    ...wish,
    wants: { keys: spelledSource(keys), identity: describeIdentity(signedIdentity) },
    decide: (candidate, judging) => decide(wish, candidate, judging),
    checkKeys: async (now) => {
      try {
        return await (await ringOf(wish)).findings(now);
      } catch (error) {
        return [{ severity: "error", message: asFailure(error).message }];
      }
    },
  };
}

type Wish = Pick<SignedBy, "keyType" | "keys" | "signedIdentity">;

async function decide(wish: Wish, candidate: Candidate, judging: Judging): Promise<Verdict> {
  const { decideBySignatures } = await import("./signed.ts");
  let read: Promise<KeyRing> | undefined;
  // Not before there is a signature: whoever has none is told so, whatever is wrong with the keys.
  const ring = () => (read ??= ringOf(wish));
  return decideBySignatures(candidate, judging, {
    signedIdentity: wish.signedIdentity,
    attempt: (content) => attempt(content, ring, judging.now),
  });
}

function attempt(
  content: SignatureContent,
  ring: () => Promise<KeyRing>,
  now: Date,
): SignatureAttempt {
  if (content.kind !== "simple-signing") return { form: "sigstore" };
  const verify = async () => {
    const { document, primaryKey, signingKey } = await (await ring()).verify(content.message, now);
    const by = signingKey === primaryKey ? primaryKey : `${signingKey} of ${primaryKey}`;
    return { ...parseSimpleSigning(document), by: `key ${by}` };
  };
  return { form: "simple signing", verify };
}

async function ringOf({ keyType, keys }: Wish): Promise<KeyRing> {
  if (keyType !== "GPGKeys") {
    throw new Failure("rejected", `Unimplemented "keyType" value ${quoted(keyType)}`);
  }
  const files = await readKeySource(keys);
  const { readKeyRing } = await import("../openpgp.ts");
  const ring = await readKeyRing(files);
  if (ring.fingerprints.length > 0) return ring;
  throw new Failure("rejected", "No public keys imported");
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
