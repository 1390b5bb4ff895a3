// OpenPGP encryption: messages around the keys of encrypted layers. Part of the OpenPGP library's door.

import {
  type Config,
  config as defaults,
  createMessage,
  decrypt,
  decryptKey,
  encrypt,
  enums,
  type Key,
  type PrivateKey,
  readKey,
  readMessage,
  readPrivateKey,
} from "openpgp";

import type { KeyOpening, KeyWrapping } from "../blob/key-wrapping.ts";
import { Failure } from "../failure.ts";
import { limits } from "../limits.ts";
import { keyRingsIn } from "./openpgp-armor.ts";
import { keysIn } from "./openpgp-rings.ts";

const config: Config = {
  ...defaults,
  maxDecompressedMessageSize: limits.signatureBytes,
};

const scheme = "pgp";

/**
 * Wraps for all keys of a ring, as gpg exports them. Fails with `usage` if there is none, or one of them
 * cannot be encrypted for at the time given.
 */
export async function pgpWrapping(ring: Uint8Array, now: Date): Promise<KeyWrapping> {
  const keys: Key[] = [];
  for (const binaryKey of keyRingsIn(ring).flatMap(keysIn)) {
    const key = await readKey({ binaryKey, config });
    try {
      await key.getEncryptionKey(undefined, now, undefined, config);
    } catch (error) {
      const fingerprint = key.getFingerprint().toUpperCase();
      throw new Failure("usage", `Key ${fingerprint} cannot encrypt: ${wordsOf(error)}`);
    }
    keys.push(key);
  }
  if (keys.length === 0) throw new Failure("usage", "No OpenPGP key fits");
  return {
    scheme,
    wrap: async (message) =>
      encrypt({
        message: await createMessage({ binary: message }),
        encryptionKeys: keys,
        format: "binary",
        date: now,
        config,
      }),
  };
}

/**
 * Reads the private keys in a file as gpg exports it. Fails with `usage` if there are none, or a password
 * is wrong or missing.
 */
export async function pgpOpening(bytes: Uint8Array, password?: string): Promise<KeyOpening> {
  const keys: PrivateKey[] = [];
  for (const binaryKey of keyRingsIn(bytes).flatMap(keysIn)) {
    keys.push(await unlocked(await privateKeyOf(binaryKey), password));
  }
  if (keys.length === 0) throw new Failure("usage", "File provided is not a private key");
  return {
    scheme,
    async recipientsOf(wrapped) {
      try {
        const { packets } = await readMessage({ binaryMessage: wrapped, config });
        return packets.filterByTag(enums.packet.publicKeyEncryptedSessionKey).length;
      } catch (error) {
        if (error instanceof Error) return 0;
        throw error;
      }
    },
    async open(wrapped) {
      try {
        const message = await readMessage({ binaryMessage: wrapped, config });
        const options = { message, decryptionKeys: keys, format: "binary", config } as const;
        return (await decrypt(options)).data;
      } catch (error) {
        // For another key, or no message at all: this key is of no use.
        if (error instanceof Error) return undefined;
        throw error;
      }
    },
  };
}

async function privateKeyOf(binaryKey: Uint8Array): Promise<PrivateKey> {
  try {
    return await readPrivateKey({ binaryKey, config });
  } catch (error) {
    throw new Failure("usage", "File provided is not a private key", { cause: error });
  }
}

async function unlocked(key: PrivateKey, passphrase: string | undefined): Promise<PrivateKey> {
  if (key.isDecrypted()) return key;
  if (passphrase === undefined) {
    throw new Failure("usage", "The private key is encrypted, and no password was given", {
      hint: "write KEYFILE:pass=PASSWORD, KEYFILE:file=PASSWORDFILE or KEYFILE:fd=NUMBER",
    });
  }
  try {
    return await decryptKey({ privateKey: key, passphrase, config });
  } catch (error) {
    const message = "The private key cannot be decrypted with this password";
    throw new Failure("usage", message, { cause: error });
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
