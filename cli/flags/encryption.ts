// Encryption flags: for whom layers are encrypted, and by which keys they are decrypted.

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
