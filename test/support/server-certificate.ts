// Server certificate: one for loopback, in memory.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTlsCertificate } from "./tls-certificate.ts";

/** PEM texts. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  /** The authority that signed it, which is good for a client certificate as well. */
  readonly authority: string;
  readonly authorityKey: string;
}

let made: ServerCertificate | undefined;

/** Returns a certificate; it is made with openssl by the first who asks. */
export function serverCertificate(): ServerCertificate {
  made ??= anotherCertificate();
  return made;
}

/** Makes a certificate that nobody else has. */
export function anotherCertificate(): ServerCertificate {
  const directory = mkdtempSync(join(tmpdir(), "certificate-"));
  const read = (path: string) => readFileSync(path, "utf8");
  try {
    const { authority, certificate, key } = makeTlsCertificate(directory);
    return {
      cert: read(certificate),
      key: read(key),
      authority: read(authority),
      authorityKey: read(join(directory, "ca.key")),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
