// OpenPGP messages: one signed document in the one shape that a signature of an image may have.
//
// What libraries make of stranger shapes has been the way around signatures more than once. So the shape is
// judged here, by a short grammar, and a library only ever sees the signature and the document.

import { inflateRawSync, inflateSync } from "node:zlib";

import { Failure } from "../failure.ts";
import { limits } from "../limits.ts";
import { numberIn, type Packet, packetTags, readPackets } from "./openpgp-packets.ts";

/** A document and a signature. Nothing about them is verified. */
export interface SignedMessage {
  /** What was signed, byte for byte as it stands in the message. */
  readonly unverifiedDocument: Uint8Array;
  readonly signature: SignaturePacket;
}

/** A signature, and what it says of itself. */
export interface SignaturePacket {
  /** Header and all. */
  readonly whole: Uint8Array;
  readonly body: Uint8Array;
  readonly version: 3 | 4;
  /** Whether line ends were normalised before signing. */
  readonly kind: "binary" | "text";
  readonly keyAlgorithm: number;
  readonly hash: number;
  /** The ID of the key that is said to have signed, in 16 upper-case hex digits; empty if it is not said. */
  readonly claimedKeyId: string;
}

/** Undoes the one compression that the runtime does not know, of a whole packet, and within a limit. */
export type Bunzip = (packet: Uint8Array, limitBytes: number) => Promise<Uint8Array>;

/**
 * Takes a signed message apart.
 *
 * Fails with `corrupt`, saying why, unless it is: at most one compression around one signature and one
 * literal packet, in either of the two orders, and not a byte else.
 */
export async function readSignedMessage(
  message: Uint8Array,
  bunzip: Bunzip,
): Promise<SignedMessage> {
  const packets = await unwrapped(readPackets(message), bunzip);
  const tags = packets.map(({ tag }) => tag).join(" ");
  const [first, second, third] = packets;
  if (first === undefined || second === undefined) throw notSigned(packets);
  if (tags === `${packetTags.signature} ${packetTags.literal}`) {
    return { unverifiedDocument: literalIn(second), signature: signatureIn(first) };
  }
  const onePass = `${packetTags.onePassSignature} ${packetTags.literal} ${packetTags.signature}`;
  if (tags !== onePass || third === undefined) throw notSigned(packets);
  const signature = signatureIn(third);
  checkAnnouncement(first.body, signature);
  return { unverifiedDocument: literalIn(second), signature };
}

function notSigned(packets: readonly Packet[]): Failure {
  const signatures = packets.filter(({ tag }) => tag === packetTags.signature).length;
  if (signatures > 1) return invalid(`Unexpected GPG signature count ${signatures}`);
  const tags = packets.map(({ tag }) => tag);
  if (tags.length === 1 && tags[0] === packetTags.literal) return invalid("not signed");
  if (tags.length === 1 && tags[0] === packetTags.signature) {
    return shapeless("it is a detached signature");
  }
  if (tags.some((tag) => encrypted.has(tag))) return shapeless("it is encrypted");
  return shapeless(`it consists of packets ${tags.join(", ")}`);
}

/** Keys of sessions, and what is encrypted with them. */
const encrypted: ReadonlySet<number> = new Set([1, 3, 9, 18, 20]);

async function unwrapped(packets: readonly Packet[], bunzip: Bunzip): Promise<readonly Packet[]> {
  const [wrapper] = packets;
  if (wrapper?.tag !== packetTags.compressed) return packets;
  if (packets.length > 1) throw shapeless("something follows the compressed packet");
  const [algorithm] = wrapper.body;
  const content = wrapper.body.subarray(1);
  switch (algorithm) {
    case 0:
      return readPackets(content);
    case 1:
      return readPackets(inflated(content, inflateRawSync));
    case 2:
      return readPackets(inflated(content, inflateSync));
    case 3:
      return readPackets(await bunzip(wrapper.whole, limits.signatureBytes));
    default:
      throw shapeless(`its compression ${algorithm} is unknown`);
  }
}

function inflated(content: Uint8Array, inflate: typeof inflateSync): Uint8Array {
  const { signatureBytes } = limits;
  try {
    const result: unknown = inflate(content, { maxOutputLength: signatureBytes, info: true });
    const { buffer, engine } = result as InflateResult;
    if (engine.bytesWritten === content.length) return buffer;
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    throw tooLarge
      ? shapeless(`it decompresses to more than ${signatureBytes} bytes`)
      : shapeless("it cannot be decompressed", error);
  }
  throw shapeless("something follows the compressed data");
}

/** What `info` makes of the result. */
interface InflateResult {
  readonly buffer: Uint8Array;
  /** Counts the bytes that were decompressed. */
  readonly engine: { readonly bytesWritten: number };
}

/** A format, a file name with its length, and a date stand before the document. */
function literalIn({ body }: Packet): Uint8Array {
  const [format = 0, nameLength = 0] = body;
  const start = 2 + nameLength + 4;
  if (body.length < start || !literalFormats.has(format)) {
    throw shapeless("its literal packet is malformed");
  }
  return body.subarray(start);
}

/** Binary, text, and UTF-8. */
const literalFormats: ReadonlySet<number> = new Set([0x62, 0x74, 0x75]);

function signatureIn({ body, whole }: Packet): SignaturePacket {
  const [version] = body;
  switch (version) {
    case 3:
      return version3(body, whole);
    case 4:
      return version4(body, whole);
    default:
      throw shapeless(`signatures of version ${version} are not known`);
  }
}

/** Version, length 5, class, time, key, key algorithm, hash, 16 bits, numbers. */
function version3(body: Uint8Array, whole: Uint8Array): SignaturePacket {
  const [, hashed, kind = -1] = body;
  if (hashed !== 5 || body.length < 19) throw shapeless("its signature is malformed");
  const [keyAlgorithm = 0, hash = 0] = body.subarray(15);
  return {
    whole,
    body,
    version: 3,
    kind: kindOf(kind),
    keyAlgorithm,
    hash,
    claimedKeyId: hexOf(body.subarray(7, 15)),
  };
}

/** Version, class, key algorithm, hash, hashed and other subpackets, 16 bits, numbers. */
function version4(body: Uint8Array, whole: Uint8Array): SignaturePacket {
  const [, kind = -1, keyAlgorithm = 0, hash = 0] = body;
  const hashed = subpacketsIn(body, 4);
  const others = subpacketsIn(body, hashed.end);
  if (body.length < others.end + 2) throw shapeless("its signature is malformed");
  return {
    whole,
    body,
    version: 4,
    kind: kindOf(kind),
    keyAlgorithm,
    hash,
    claimedKeyId: claimedKeyId([...hashed.subpackets, ...others.subpackets]),
  };
}

function kindOf(kind: number): SignaturePacket["kind"] {
  if (kind === 0) return "binary";
  if (kind === 1) return "text";
  throw shapeless(`its signature is of class 0x${kind.toString(16).padStart(2, "0")}`);
}

interface Subpacket {
  readonly type: number;
  readonly content: Uint8Array;
}

function subpacketsIn(
  body: Uint8Array,
  at: number,
): { readonly subpackets: readonly Subpacket[]; readonly end: number } {
  const length = numberIn(body.subarray(at, at + 2));
  const end = at + 2 + length;
  if (end > body.length) throw shapeless("its signature is malformed");
  const subpackets: Subpacket[] = [];
  for (let from = at + 2; from < end;) {
    const [first = 0, second = 0] = body.subarray(from, end);
    const lengthBytes = first < 192 ? 1 : first < 255 ? 2 : 5;
    const size =
      first < 192
        ? first
        : first < 255
          ? ((first - 192) << 8) + second + 192
          : numberIn(body.subarray(from + 1, from + 5));
    const start = from + lengthBytes;
    if (size === 0 || start + size > end) throw shapeless("its signature is malformed");
    subpackets.push({
      type: (body[start] ?? 0) & 0x7f,
      content: body.subarray(start + 1, start + size),
    });
    from = start + size;
  }
  return { subpackets, end };
}

function claimedKeyId(subpackets: readonly Subpacket[]): string {
  const issuer = subpackets.find(({ type, content }) => type === 16 && content.length === 8);
  if (issuer !== undefined) return hexOf(issuer.content);
  // The fingerprint of a key of version 4 ends with its ID.
  const fingerprint = subpackets.find(
    ({ type, content }) => type === 33 && content.length === 21 && content[0] === 4,
  );
  return fingerprint === undefined ? "" : hexOf(fingerprint.content.subarray(-8));
}

/** What stands before the document has to announce the very signature that stands behind it. */
function checkAnnouncement(body: Uint8Array, signature: SignaturePacket): void {
  const [version, kind, hash, keyAlgorithm] = body;
  const keyId = hexOf(body.subarray(4, 12));
  const fits =
    body.length === 13 &&
    version === 3 &&
    kind === (signature.kind === "text" ? 1 : 0) &&
    hash === signature.hash &&
    keyAlgorithm === signature.keyAlgorithm &&
    (signature.claimedKeyId === "" || keyId === signature.claimedKeyId) &&
    body[12] === 1;
  if (!fits) throw shapeless("it announces another signature than it has");
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}

function shapeless(why: string, cause?: unknown): Failure {
  return new Failure("corrupt", `Invalid GPG signature: ${why}`, { cause });
}

function invalid(message: string): Failure {
  return new Failure("corrupt", message);
}
