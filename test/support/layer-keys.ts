// Layer keys: pairs of keys that tests encrypt layers with.

import { generateKeyPairSync, type KeyObject } from "node:crypto";

/** A pair of keys in the forms that files have. */
export interface LayerKeyPair {
  readonly public: KeyObject;
  readonly private: KeyObject;
}

/** Makes a new pair; a curve stands for a key on it, a number for an RSA key of so many bits. */
export function layerKeyPair(kind: "P-256" | "P-384" | "P-521" | number = "P-256"): LayerKeyPair {
  const { publicKey, privateKey } =
    typeof kind === "number"
      ? generateKeyPairSync("rsa", { modulusLength: kind })
      : generateKeyPairSync("ec", { namedCurve: kind });
  return { public: publicKey, private: privateKey };
}

/** Returns a public key as PEM. */
export function publicPem(pair: LayerKeyPair): Uint8Array {
  return new TextEncoder().encode(pair.public.export({ type: "spki", format: "pem" }).toString());
}

/** Returns a private key as PEM, encrypted where there is a password. */
export function privatePem(pair: LayerKeyPair, password?: string): Uint8Array {
  const pem =
    password === undefined
      ? pair.private.export({ type: "pkcs8", format: "pem" })
      : pair.private.export({
          type: "pkcs8",
          format: "pem",
          cipher: "aes-256-cbc",
          passphrase: password,
        });
  return new TextEncoder().encode(pem.toString());
}
