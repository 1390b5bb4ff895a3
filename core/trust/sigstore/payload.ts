// Payload: what a sigstore signature of cosign's kind says about an image.

import { type Digest, digestFault, isDigest } from "../../content/digest.ts";
import { Failure } from "../../failure.ts";
import { encodeJsonBytes } from "../../json.ts";
import {
  entriesOf,
  membersOf,
  needed,
  parseDocument,
  type Placed,
  quoted,
  textOf,
} from "../strict-json.ts";

/** What is said of an image: a fact only once the signature over it is verified. */
export interface PayloadClaim {
  readonly digest: Digest;
  /** The image's name as the signer spelled it; perhaps none at all. */
  readonly reference: string;
}

/** The `type` in a payload of this kind. */
export const cosignType = "cosign container image signature";

/** The media type of a payload of this kind. */
export const payloadMediaType = "application/vnd.dev.cosign.simplesigning.v1+json";

/** Parses a payload, in which nothing may be unknown or missing. Fails with `config`. */
export function parsePayload(bytes: Uint8Array): PayloadClaim {
  const document = parseDocument(bytes);
  const members = exactly(document, ["critical", "optional"]);
  const critical = needed(document, members, "critical");
  const parts = exactly(critical, ["type", "image", "identity"]);
  const type = textOf(needed(critical, parts, "type"));
  if (type !== cosignType) throw wrong(`Unrecognized signature type ${type}`);
  const image = needed(critical, parts, "image");
  const imageParts = exactly(image, ["docker-manifest-digest"]);
  const digest = textOf(needed(image, imageParts, "docker-manifest-digest"));
  if (!isDigest(digest)) {
    throw wrong(`invalid docker-manifest-digest value ${quoted(digest)}: ${digestFault(digest)}`);
  }
  const identity = needed(critical, parts, "identity");
  const identityParts = exactly(identity, ["docker-reference"]);
  const reference = textOf(needed(identity, identityParts, "docker-reference"));
  checkOptional(needed(document, members, "optional"));
  return { digest, reference };
}

function exactly(object: Placed, names: readonly string[]): ReadonlyMap<string, Placed> {
  const members = membersOf(object, names);
  for (const name of names) needed(object, members, name);
  return members;
}

/** Anything may be in it, or there may be nothing; but two members have a type if they are there. */
function checkOptional(optional: Placed): void {
  if (optional.value === null) return;
  const members = entriesOf(optional);
  const creator = members.get("creator");
  if (creator !== undefined) textOf(creator);
  const timestamp = members.get("timestamp");
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp.value)) {
    throw wrong("Field optional.timestamp is not an integer");
  }
}

/** What is to be signed. */
export interface PayloadWish extends PayloadClaim {
  /** The program that signs. */
  readonly creator: string;
  readonly at: Date;
}

/** Writes a payload as the original does: on one line, with sorted keys. */
export function encodePayload({ digest, reference, creator, at }: PayloadWish): Uint8Array {
  if (reference === "") throw new Failure("bug", "Unexpected empty signature content");
  return encodeJsonBytes({
    critical: {
      identity: { "docker-reference": reference },
      image: { "docker-manifest-digest": digest },
      type: cosignType,
    },
    optional: { creator, timestamp: Math.floor(at.getTime() / 1000) },
  });
}

function wrong(message: string): Failure {
  return new Failure("config", message);
}
