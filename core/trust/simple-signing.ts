// Simple signing: the document inside an OpenPGP signature of an image.

import { type Digest, digestFault, isDigest } from "../content/digest.ts";
import { asFailure, Failure } from "../failure.ts";
import { encodeJsonBytes } from "../json.ts";
import {
  entriesOf,
  membersOf,
  needed,
  parseDocument,
  type Placed,
  quoted,
  textOf,
  wrong,
} from "./strict-json.ts";

/** What a document says: the manifest with this digest is this image. Claims, until it is verified. */
export interface SimpleSigningPayload {
  readonly digest: Digest;
  /** The name of the image, as somebody wrote it. */
  readonly reference: string;
  /** The program that made it; absent if it does not say. */
  readonly creator?: string;
  /** When it was made, in seconds; absent if it does not say. */
  readonly timestamp?: number;
}

const payloadType = "atomic container signature";

/** Writes a document, byte for byte as the original does. */
export function encodeSimpleSigning(payload: Required<SimpleSigningPayload>): Uint8Array {
  const { digest, reference, creator, timestamp } = payload;
  if (reference === "") throw new Failure("usage", "Unexpected empty signature content");
  return encodeJsonBytes({
    critical: {
      identity: { "docker-reference": reference },
      image: { "docker-manifest-digest": digest },
      type: payloadType,
    },
    optional: { creator, timestamp },
  });
}

/**
 * Reads a document, whose signature has to be verified before: nothing may be missing, unknown, repeated
 * or of another type. Fails with `corrupt`, in the original's words.
 */
export function parseSimpleSigning(document: Uint8Array): SimpleSigningPayload {
  try {
    return payloadIn(parseDocument(document));
  } catch (error) {
    const { message, hint } = asFailure(error);
    throw new Failure("corrupt", message, { hint, cause: error });
  }
}

function payloadIn(document: Placed): SimpleSigningPayload {
  const top = membersOf(document, ["critical", "optional"]);
  const critical = needed(document, top, "critical");
  const optional = needed(document, top, "optional");
  const members = membersOf(critical, ["type", "image", "identity"]);
  const type = textOf(needed(critical, members, "type"));
  if (type !== payloadType) throw wrong(critical, `Unrecognized signature type ${type}`);
  const image = needed(critical, members, "image");
  const digest = only(image, "docker-manifest-digest");
  const reference = only(needed(critical, members, "identity"), "docker-reference");
  return {
    digest: digestOf(digest),
    reference: textOf(reference),
    ...extrasOf(optional),
  };
}

function only(object: Placed, name: string): Placed {
  return needed(object, membersOf(object, [name]), name);
}

function digestOf(member: Placed): Digest {
  const text = textOf(member);
  if (isDigest(text)) return text;
  throw wrong(member, `invalid docker-manifest-digest value ${quoted(text)}: ${digestFault(text)}`);
}

/** Anybody may add what they like here. */
function extrasOf(optional: Placed): Pick<SimpleSigningPayload, "creator" | "timestamp"> {
  const members = entriesOf(optional);
  const creator = members.get("creator");
  const timestamp = members.get("timestamp");
  return {
    ...(creator !== undefined && { creator: textOf(creator) }),
    ...(timestamp !== undefined && { timestamp: secondsOf(timestamp) }),
  };
}

function secondsOf(member: Placed): number {
  const { value } = member;
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw wrong(member, "Field optional.timestamp is not an integer");
}
