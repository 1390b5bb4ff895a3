// Encryption: stages that lock layers and open them, in the OCI encryption format.
//
// A layer is encrypted with a key of its own. That key travels in the layer's annotations, wrapped for
// each recipient. What is known only at the end of the bytes, their digest and their HMAC, travels there,
// too. See https://github.com/containers/ocicrypt/blob/main/docs/

import { createCipheriv, createDecipheriv, randomBytes, timingSafeEqual } from "node:crypto";

import type { Descriptor } from "../content/descriptor.ts";
import { type Digest, Digester } from "../content/digest.ts";
import { encryptionAnnotations } from "../content/encrypted-layer.ts";
import { during, Failure } from "../failure.ts";
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from "../json.ts";
import { limits } from "../limits.ts";
import type { KeyOpening, KeyWrapping } from "./key-wrapping.ts";
import type { Stage } from "./stream.ts";

const { publicOptions, keys: keyPrefix } = encryptionAnnotations;
const cipherName = "AES_256_CTR_HMAC_SHA256";
const keyBytes = 32;
const nonceBytes = 16;

/** Annotations of a layer. */
export type Annotations = Readonly<Record<string, string>>;

/** A layer that is being encrypted. */
export interface Encryption {
  readonly stage: Stage;
  /** Returns what the layer's descriptor has to say, once all bytes have passed. */
  annotations(): Promise<Annotations>;
}

/** Encrypts one layer so that every recipient can read it. */
export function encryptLayer(wrappings: readonly KeyWrapping[]): Encryption {
  const key = randomBytes(keyBytes);
  const nonce = randomBytes(nonceBytes);
  let ended: { readonly digest: Digest; readonly hmac: Uint8Array } | undefined;
  return {
    stage: async function* (bytes) {
      const digester = new Digester();
      const hmac = new Bun.CryptoHasher("sha256", key);
      const cipher = createCipheriv("aes-256-ctr", key, nonce);
      for await (const chunk of bytes) {
        digester.update(chunk);
        const locked = cipher.update(chunk);
        hmac.update(locked);
        yield locked;
      }
      ended = { digest: digester.digest(), hmac: hmac.digest() };
    },
    async annotations() {
      if (ended === undefined) throw new Failure("bug", "A layer was not encrypted to its end");
      const secret = {
        symkey: base64(key),
        digest: ended.digest,
        cipheroptions: { nonce: base64(nonce) },
      };
      const open = { cipher: cipherName, hmac: base64(ended.hmac), cipheroptions: {} };
      const message = encode(JSON.stringify(secret));
      const wrapped = wrappings.map(async ({ scheme, wrap }) => {
        return [`${keyPrefix}${scheme}`, base64(await wrap(message))] as const;
      });
      return {
        ...Object.fromEntries(await Promise.all(wrapped)),
        [publicOptions]: base64(encode(JSON.stringify(open))),
      };
    },
  };
}

/**
 * Finds the key of an encrypted layer, and returns the stage that decrypts it, as often as it is asked to;
 * the stage fails with `corrupt` at the end of bytes that are not what was encrypted.
 *
 * Fails with `unauthorized` if none of `openings` opens the layer, and with `corrupt` if its annotations cannot
 * be understood.
 */
export function decryptLayer(layer: Descriptor, openings: readonly KeyOpening[]): Promise<Stage> {
  return during(`decrypting layer ${layer.digest}`, () => findKey(layer, openings));
}

async function findKey(layer: Descriptor, openings: readonly KeyOpening[]): Promise<Stage> {
  const { annotations = {} } = layer;
  const open = optionsOf(annotations[publicOptions], "public options");
  if (textOf(open, "cipher") !== cipherName) {
    const cipher = JSON.stringify(textOf(open, "cipher"));
    throw new Failure("unsupported", `it is encrypted by ${cipher}, which is not known`);
  }
  const secret = await unwrapped(annotations, openings);
  const key = bytesOf(textOf(secret, "symkey"), keyBytes);
  const nonce = bytesOf(textOf(nonceOwner(open, secret), "nonce"), nonceBytes);
  const expected = bytesOf(textOf(open, "hmac"), 32);
  // The digest that travels with the key is of no use: the original writes that of the layer as it was
  // before it was compressed.
  return opening({ layer: layer.digest, key, nonce, expected });
}

interface Opening {
  readonly layer: Digest;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly expected: Uint8Array;
}

function opening({ layer, key, nonce, expected }: Opening): Stage {
  return async function* (bytes) {
    const hmac = new Bun.CryptoHasher("sha256", key);
    const cipher = createDecipheriv("aes-256-ctr", key, nonce);
    for await (const chunk of bytes) {
      hmac.update(chunk);
      yield cipher.update(chunk);
    }
    if (!timingSafeEqual(hmac.digest(), expected)) {
      throw new Failure("corrupt", `Layer ${layer} does not match the HMAC of its encryption`);
    }
  };
}

async function unwrapped(
  annotations: Annotations,
  openings: readonly KeyOpening[],
): Promise<JsonObject> {
  const schemes = Object.keys(annotations)
    .filter((name) => name.startsWith(keyPrefix))
    .map((name) => name.slice(keyPrefix.length));
  const fitting = openings.filter(({ scheme }) => schemes.includes(scheme));
  if (fitting.length === 0) {
    const why = schemes.length === 0 ? "" : `: it is encrypted for ${schemes.join(", ")}`;
    throw new Failure("unauthorized", `missing private key needed for decryption${why}`, {
      hint: "keys of the kinds jwe and pgp can be named with --decryption-key",
    });
  }
  for (const opening of fitting) {
    const messages = annotations[`${keyPrefix}${opening.scheme}`] ?? "";
    const found = await openAny(opening, messages.split(","));
    if (found !== undefined) return objectOf(found, "a key message that is");
  }
  throw new Failure(
    "unauthorized",
    `no suitable key unwrapper found or none of the private keys could be used for decryption`,
    { hint: "name another key with --decryption-key" },
  );
}

/** Returns the first message that is for the key, if there is one. */
async function openAny(
  { recipientsOf, open }: KeyOpening,
  messages: readonly string[],
): Promise<Uint8Array | undefined> {
  let recipients = 0;
  for (const message of messages) {
    const wrapped = bytesOf(message);
    recipients += Math.max(1, await recipientsOf(wrapped));
    if (recipients > limits.recipients) {
      throw broken(`is for more than ${limits.recipients} recipients`);
    }
    const found = await open(wrapped);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The public options go first, as in the original. */
function nonceOwner(open: JsonObject, secret: JsonObject): JsonObject {
  for (const each of [open, secret]) {
    const options = each["cipheroptions"];
    if (isJsonObject(options) && "nonce" in options) return options;
  }
  throw broken("has no nonce");
}

function optionsOf(annotation: string | undefined, what: string): JsonObject {
  if (annotation === undefined) throw broken(`has no ${what}`);
  return objectOf(bytesOf(annotation), `${what} that are`);
}

function objectOf(bytes: Uint8Array, what: string): JsonObject {
  const found = jsonOf(bytes);
  if (isJsonObject(found)) return found;
  throw broken(`has ${what} no JSON object`);
}

/** What is wrong with a message that was secret is nobody's business. */
function jsonOf(bytes: Uint8Array): Json | undefined {
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function textOf(object: JsonObject, name: string): string {
  const found = object[name];
  if (typeof found !== "string") throw broken(`has no ${name}`);
  return found;
}

function bytesOf(text: string, length?: number): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  const exact = bytes.toString("base64") === text;
  if (exact && (length === undefined || bytes.length === length)) return new Uint8Array(bytes);
  throw broken("has a value that is no base64, or of the wrong length");
}

function broken(what: string): Failure {
  return new Failure("corrupt", `its encryption ${what}`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
