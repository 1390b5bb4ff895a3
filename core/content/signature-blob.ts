// Signature blobs: the form in which all kinds of signatures are kept in files and carried along.

import { Failure } from "../failure.ts";
import {
  encodeJsonBytes,
  goMap,
  isJsonObject,
  type Json,
  memberOf,
  parseForeignJson,
} from "../json.ts";

/** A signature, or something that is kept beside signatures. All that it says is a claim. */
export type SignatureContent = SimpleSigningSignature | SigstoreSignature;

/** Which of them it is. */
export type SignatureForm = SignatureContent["kind"];

/** One OpenPGP message, with the signed payload inside. */
export interface SimpleSigningSignature {
  readonly kind: "simple-signing";
  readonly message: Uint8Array;
}

/** A payload and what is said about it, as sigstore's tools keep them beside an image. */
export interface SigstoreSignature {
  readonly kind: "sigstore";
  /** Tells signatures from whatever else is attached to images. */
  readonly mediaType: string;
  readonly payload: Uint8Array;
  /** The signature itself, and what it rests on. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Reads a signature as it is kept. Fails with `corrupt` unless it is of a known form. */
export function parseSignatureBlob(blob: Uint8Array): SignatureContent {
  const [first] = blob;
  if (first === undefined) throw corrupt("empty signature blob");
  // What OpenPGP messages of all kinds begin with; most of these are no signatures.
  if (openPgpStarts.has(first)) return { kind: "simple-signing", message: blob };
  if (first !== 0) {
    throw corrupt(`unrecognized signature format, starting with binary 0x${first.toString(16)}`);
  }
  const newline = blob.indexOf(0x0a);
  if (newline < 0) throw corrupt("invalid signature format, missing newline");
  const format = new TextDecoder().decode(blob.subarray(1, newline));
  const content = blob.subarray(newline + 1);
  switch (format) {
    case "simple-signing":
      return { kind: "simple-signing", message: content };
    case "sigstore-json":
      return parseSigstoreJson(content);
    default:
      throw corrupt(`unrecognized signature format ${JSON.stringify(format)}`);
  }
}

/** Writes a signature as it is kept, byte for byte as the original does. */
export function encodeSignatureBlob(signature: SignatureContent): Uint8Array {
  if (signature.kind === "simple-signing") return signature.message;
  const json = encodeJsonBytes({
    mimeType: signature.mediaType,
    payload: Buffer.from(signature.payload).toString("base64"),
    annotations: goMap(signature.annotations),
  });
  return Buffer.concat([Buffer.from("\0sigstore-json\n"), json]);
}

const openPgpStarts: ReadonlySet<number> = new Set([
  ...[0x88, 0x89, 0x8a, 0x8b], // a signature,
  ...[0x90, 0x91, 0x92, 0x3d, 0xc4], // one-pass signature,
  ...[0xa0, 0xa1, 0xa2, 0xa3, 0xc8], // or compressed packet,
  0xc2, // and a signature with a header of the new kind.
]);

function parseSigstoreJson(content: Uint8Array): SigstoreSignature {
  const document = parseForeignJson(content);
  if (!isJsonObject(document)) throw corrupt("a sigstore signature is no JSON object");
  const annotations = memberOf(document, "annotations") ?? {};
  if (!isJsonObject(annotations))
    throw corrupt("annotations of a sigstore signature are no object");
  return {
    kind: "sigstore",
    mediaType: textOf(memberOf(document, "mimeType"), "mimeType"),
    payload: bytesOf(textOf(memberOf(document, "payload"), "payload")),
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [name, textOf(value, "annotations")]),
    ),
  };
}

function textOf(value: Json | undefined, where: string): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  throw corrupt(`${where} of a sigstore signature has something that is no text`);
}

function bytesOf(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  // The runtime's reader skips what is no base64.
  if (bytes.toString("base64") !== text.replace(/[\r\n]/g, "")) {
    throw corrupt("the payload of a sigstore signature is no base64");
  }
  return bytes;
}

function corrupt(message: string): Failure {
  return new Failure("corrupt", message);
}
