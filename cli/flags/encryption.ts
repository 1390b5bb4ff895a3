// Encryption flags: for whom layers are encrypted, and by which keys they are decrypted.

import { readFileSync } from "node:fs";

import type { LayerKey } from "../../core/blob/layer-key.ts";
import { readConfigFile } from "../../core/config/config-file.ts";
import type { CryptWish } from "../../core/copy/layer-crypt.ts";
import { asFailure, during, Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { integers, list, type Values } from "./flag.ts";

/** What may be said about the encryption of layers. */
export const encryptionFlags = {
  encryptionKeys: list(
    "encryption-key",
    "*Experimental* key with the encryption protocol to use needed to encrypt the image (e.g. jwe:/path/to/key.pem)",
  ),
  encryptedLayers: integers(
    "encrypt-layer",
    "*Experimental* the 0-indexed layer indices, with support for negative indexing (e.g. 0 is the first layer, -1 is the last layer)",
  ),
  decryptionKeys: list("decryption-key", "*Experimental* key needed to decrypt the image"),
};

/** What the encryption flags say. */
export type EncryptionValues = Values<typeof encryptionFlags>;

/**
 * Returns what shall become of the encryption of layers; undefined if nothing is said of it. Reads the keys.
 * Fails with `usage`; the order of the checks, and their words, are the original's.
 */
export async function cryptWish(said: EncryptionValues): Promise<CryptWish | undefined> {
  const { encryptionKeys, encryptedLayers: layers, decryptionKeys } = said;
  if (encryptionKeys.length > 0 && decryptionKeys.length > 0) {
    throw usage("--encryption-key and --decryption-key cannot be specified together");
  }
  if (layers.length > 0 && encryptionKeys.length === 0) {
    throw usage("--encrypt-layer can only be used with --encryption-key");
  }
  if (encryptionKeys.length > 0) {
    const recipients = await each(encryptionKeys, "Invalid encryption keys", readRecipient);
    return { kind: "encrypt", recipients, layers };
  }
  if (decryptionKeys.length === 0) return undefined;
  return {
    kind: "decrypt",
    keys: await each(decryptionKeys, "Invalid decryption keys", readOwnKey),
  };
}

function each(
  texts: readonly string[],
  step: string,
  read: (text: string) => Promise<LayerKey>,
): Promise<LayerKey[]> {
  return during(step, () => Promise.all(texts.map(read)));
}

/** `PROTOCOL:FILE` */
async function readRecipient(text: string): Promise<LayerKey> {
  const colon = text.indexOf(":");
  if (colon < 0) {
    throw new Failure("usage", "Invalid recipient format", { hint: "write jwe:FILE" });
  }
  const protocol = text.slice(0, colon);
  switch (protocol) {
    case "jwe": {
      const bytes = await readKeyFile(text.slice(colon + 1));
      const { parseRecipientKey } = await import("../../core/blob/layer-key.ts");
      return parseRecipientKey(bytes);
    }
    case "pgp":
    case "pkcs7":
    case "pkcs11":
    case "provider":
      throw new Failure("unsupported", `Keys of the kind ${protocol} cannot encrypt layers here`, {
        hint: "use jwe:FILE with a public key or a certificate",
      });
    default:
      throw new Failure("usage", "Provided protocol not recognized", { hint: "write jwe:FILE" });
  }
}

/** `FILE`, or `FILE:PASSWORD` in one of four ways. */
async function readOwnKey(text: string): Promise<LayerKey> {
  if (text.startsWith("provider:")) {
    throw new Failure("unsupported", "Key providers cannot decrypt layers here", {
      hint: "name the file of a private key",
    });
  }
  const colon = text.indexOf(":");
  const path = colon < 0 ? text : text.slice(0, colon);
  const bytes = await readKeyFile(path);
  const password = colon < 0 ? undefined : await readPassword(text.slice(colon + 1));
  const { parseOwnKey } = await import("../../core/blob/layer-key.ts");
  return parseOwnKey(bytes, password);
}

async function readPassword(said: string): Promise<string> {
  if (said.startsWith("pass=")) return said.slice(5);
  if (said.startsWith("file=")) return firstLine(await readConfigFile(said.slice(5)));
  if (!said.startsWith("fd=")) return said;
  const descriptor = Number(said.slice(3));
  if (!Number.isInteger(descriptor) || descriptor < 0) {
    throw usage(`fd=${said.slice(3)} names no descriptor`);
  }
  const bytes = readFileSync(descriptor);
  if (bytes.length > limits.inputBytes) throw usage("The password is too long");
  return firstLine(bytes);
}

function firstLine(bytes: Uint8Array): string {
  const [line = ""] = new TextDecoder().decode(bytes).split("\n");
  return line.replace(/\r$/, "");
}

async function readKeyFile(path: string): Promise<Uint8Array> {
  try {
    return await readConfigFile(path);
  } catch (error) {
    const failure = asFailure(error);
    throw new Failure("usage", `Unable to read file: ${failure.message}`, { cause: failure });
  }
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
