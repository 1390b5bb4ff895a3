// Authorities: certificates from files, and those that come with a signature.

import { Failure } from "../../failure.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { parsePem } from "./pem.ts";

/**
 * Returns the certificates of a PEM file that can be used; others in it are passed over.
 *
 * Fails with `config` if there is none: who trusts a file means something by it.
 */
export function parseAuthorities(pem: Uint8Array): readonly Certificate[] {
  const found = certificateBlocks(pem).flatMap((bytes) => usable(bytes) ?? []);
  if (found.length === 0) throw new Failure("config", "no usable certificate in it");
  return found;
}

function usable(bytes: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(bytes);
  } catch (error) {
    if (error instanceof Failure && error.code === "corrupt") return undefined;
    throw error;
  }
}

/** Returns the one certificate of a text that comes with a signature. Fails with `corrupt`. */
export function parseLeaf(pem: string): Certificate {
  const [bytes, ...more] = certificateBlocks(pem);
  if (bytes === undefined || more.length > 0) {
    throw new Failure(
      "corrupt",
      `parsing leaf certificate: ${more.length + (bytes === undefined ? 0 : 1)} certificates where one was expected`,
    );
  }
  return parseCertificate(bytes);
}

/**
 * Returns the certificates between the one that signed and the last, the authority, of a text that comes
 * with a signature. Fails with `corrupt`.
 */
export function parseIntermediates(pem: string): readonly Certificate[] {
  return certificateBlocks(pem).slice(0, -1).map(parseCertificate);
}

function certificateBlocks(pem: Uint8Array | string): readonly Uint8Array[] {
  return parsePem(pem)
    .filter(({ label }) => label === "CERTIFICATE")
    .map(({ bytes }) => bytes);
}
