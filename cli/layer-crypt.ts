// Layer encryption: the keys that the command line names, read and ready.

import { readFileSync } from "node:fs";

import type { KeyOpening, KeyWrapping } from "../core/blob/key-wrapping.ts";
import { readConfigFile } from "../core/config/config-file.ts";
import type { CryptWish } from "../core/copy/layer-crypt.ts";
import { asFailure, during, Failure } from "../core/failure.ts";
import { limits } from "../core/limits.ts";
import type { Surroundings } from "../core/trust/signing-program.ts";
import type { Call } from "./command.ts";
import type { EncryptionValues } from "./flags/encryption.ts";
import { surroundingsOf } from "./signers.ts";

/**
 * Returns what shall become of the encryption of layers; undefined if nothing is said of it. Reads the keys.
 * Fails with `usage`; the order of the checks, and their words, are the original's.
 */
export async function cryptWish(
  call: Call,
  said: EncryptionValues,
): Promise<CryptWish | undefined> {
  const { encryptionKeys, encryptedLayers: layers, decryptionKeys } = said;
  if (encryptionKeys.length > 0 && decryptionKeys.length > 0) {
    throw usage("--encryption-key and --decryption-key cannot be specified together");
  }
  if (layers.length > 0 && encryptionKeys.length === 0) {
    throw usage("--encrypt-layer can only be used with --encryption-key");
  }
  if (encryptionKeys.length > 0) {
    const wrappings = await during("Invalid encryption keys", () =>
      readRecipients(encryptionKeys, surroundingsOf(call)),
    );
    return { kind: "encrypt", wrappings, layers };
  }
  if (decryptionKeys.length === 0) return undefined;
  const openings = await during("Invalid decryption keys", () =>
    Promise.all(decryptionKeys.map(readOwnKey)),
  );
  return { kind: "decrypt", openings };
}

/** Each is `PROTOCOL:KEY`; those of one protocol are wrapped for together. */
async function readRecipients(
  texts: readonly string[],
  surroundings: Surroundings,
): Promise<KeyWrapping[]> {
  const recipients = texts.map(parseRecipient);
  const of = (wanted: Recipient["protocol"]) =>
    recipients.flatMap(({ protocol, key }) => (protocol === wanted ? [key] : []));
  const wrappings: KeyWrapping[] = [];
  const files = await Promise.all(
    of("jwe").map((path) => during("Unable to read file", () => readKeyFile(path))),
  );
  if (files.length > 0) {
    const { parseRecipientKey } = await import("../core/blob/layer-key.ts");
    const { jweWrapping } = await import("../core/blob/jwe.ts");
    wrappings.push(jweWrapping(files.map(parseRecipientKey)));
  }
  const people = of("pgp");
  if (people.length > 0) {
    const { exportedKeys } = await import("../core/trust/gpg.ts");
    const { pgpWrapping } = await import("../core/trust/openpgp-encryption.ts");
    const now = new Date();
    for (const person of people) {
      const ring = await exportedKeys([person], surroundings);
      // Nobody whom gpg does not know may go missing among those whom it knows.
      await during(`pgp:${person}`, () => pgpWrapping(ring, now));
    }
    wrappings.push(await pgpWrapping(await exportedKeys(people, surroundings), now));
  }
  return wrappings;
}

interface Recipient {
  readonly protocol: "jwe" | "pgp";
  readonly key: string;
}

function parseRecipient(text: string): Recipient {
  const colon = text.indexOf(":");
  if (colon < 0) {
    throw new Failure("usage", "Invalid recipient format", {
      hint: "write jwe:FILE or pgp:RECIPIENT",
    });
  }
  const [protocol, key] = [text.slice(0, colon), text.slice(colon + 1)];
  switch (protocol) {
    case "jwe":
    case "pgp":
      return { protocol, key };
    case "pkcs7":
    case "pkcs11":
    case "provider":
      throw new Failure("unsupported", `Keys of the kind ${protocol} cannot encrypt layers here`, {
        hint: "use jwe:FILE with a public key or a certificate, or pgp:RECIPIENT",
      });
    default:
      throw new Failure("usage", "Provided protocol not recognized", {
        hint: "write jwe:FILE or pgp:RECIPIENT",
      });
  }
}

/** `FILE`, or `FILE:PASSWORD` in one of four ways. */
async function readOwnKey(text: string): Promise<KeyOpening> {
  if (text.startsWith("provider:")) {
    throw new Failure("unsupported", "Key providers cannot decrypt layers here", {
      hint: "name the file of a private key",
    });
  }
  const colon = text.indexOf(":");
  const path = colon < 0 ? text : text.slice(0, colon);
  const bytes = await readKeyFile(path);
  const password = colon < 0 ? undefined : await readPassword(text.slice(colon + 1));
  if (looksLikeOpenPgp(bytes)) {
    const { pgpOpening } = await import("../core/trust/openpgp-encryption.ts");
    return pgpOpening(bytes, password);
  }
  const { parseOwnKey } = await import("../core/blob/layer-key.ts");
  const { jweOpening } = await import("../core/blob/jwe.ts");
  return jweOpening(parseOwnKey(bytes, password));
}

/** Tells whether a file holds OpenPGP keys, binary or as text: no other key begins so. */
function looksLikeOpenPgp(bytes: Uint8Array): boolean {
  const [first = 0] = bytes;
  return first >= 0x80 || new TextDecoder("latin1").decode(bytes).includes("-----BEGIN PGP ");
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
    throw new Failure("usage", failure.message, { cause: failure });
  }
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
