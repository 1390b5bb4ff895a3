// JWE: messages around the keys of encrypted layers (jose's one door).
//
// See https://www.rfc-editor.org/rfc/rfc7516

import { type FlattenedJWE, GeneralEncrypt, generalDecrypt, flattenedDecrypt } from "jose";

import { Failure } from "../failure.ts";
import { isJsonObject, type JsonObject, parseStrictJson } from "../json.ts";
import type { KeyOpening, KeyWrapping } from "./key-wrapping.ts";
import type { LayerKey } from "./layer-key.ts";

/** The ways to wrap a content key that are understood; others may be slow, or no wrapping at all. */
const keyManagementAlgorithms = [
  "RSA-OAEP",
  "RSA-OAEP-256",
  "ECDH-ES+A128KW",
  "ECDH-ES+A192KW",
  "ECDH-ES+A256KW",
];

const understood = { keyManagementAlgorithms, contentEncryptionAlgorithms: ["A256GCM"] };

/** Wraps for all of these keys. */
export function jweWrapping(recipients: readonly LayerKey[]): KeyWrapping {
  return {
    scheme: "jwe",
    wrap: async (message) => new TextEncoder().encode(await encryptJwe(message, recipients)),
  };
}

/** Opens with a private key. */
export function jweOpening(key: LayerKey): KeyOpening {
  return {
    scheme: "jwe",
    async recipientsOf(wrapped) {
      const { recipients = [undefined] } = parseJwe(wrapped) ?? { recipients: [] };
      return Array.isArray(recipients) ? recipients.length : 0;
    },
    open: (wrapped) => decryptJwe(wrapped, key),
  };
}

/** Encrypts a message so that whoever has any one of the keys can read it. Returns JSON text. */
async function encryptJwe(message: Uint8Array, recipients: readonly LayerKey[]): Promise<string> {
  const encryption = new GeneralEncrypt(message).setProtectedHeader({ enc: "A256GCM" });
  for (const { key, algorithm } of recipients) {
    encryption.addRecipient(key).setUnprotectedHeader({ alg: algorithm });
  }
  return JSON.stringify(await encryption.encrypt());
}

/** Returns what a message consists of; undefined if it is none. */
function parseJwe(wrapped: Uint8Array): JsonObject | undefined {
  try {
    const message = parseStrictJson(wrapped);
    return isJsonObject(message) ? message : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Decrypts a message. Undefined if it is not for this key, or no such message. */
async function decryptJwe(wrapped: Uint8Array, { key }: LayerKey): Promise<Uint8Array | undefined> {
  const message = parseJwe(wrapped);
  if (message === undefined) return undefined;
  const asGiven = JSON.parse(new TextDecoder().decode(wrapped));
  try {
    const { plaintext } =
      "recipients" in message
        ? await generalDecrypt(asGiven, key, understood)
        : await flattenedDecrypt(asGiven as FlattenedJWE, key, understood);
    return plaintext;
  } catch (error) {
    // The library tells another key, a broken message and an algorithm it was forbidden apart; to us,
    // all of them mean that this key is of no use.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
