// Random: bytes that look random and are the same on every run.

import { createCipheriv } from "node:crypto";

/** Returns `size` bytes that depend on the seed alone and do not compress. */
export function randomBytes(seed: string, size: number): Uint8Array {
  const key = Bun.CryptoHasher.hash("sha256", seed).subarray(0, 16);
  const cipher = createCipheriv("aes-128-ctr", key, new Uint8Array(16));
  return cipher.update(new Uint8Array(size));
}
