// TLS: which certificates are believed and shown, as the runtime wants to be told.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { getCACertificates } from "node:tls";
import { Failure } from "./failure.ts";

/** Which certificates are believed, and which are shown. All PEM texts. */
export interface TlsSettings {
  /** Whether the server's certificate is checked. */
  readonly verify: boolean;
  /** Certificate authorities believed in addition to those of the system. */
  readonly authorities: readonly string[];
  readonly client?: { readonly certificate: string; readonly key: string };
}

/** The same in the runtime's terms. */
export interface TlsMaterial {
  /** Always given: left out, the environment could decide. */
  readonly rejectUnauthorized: boolean;
  /** All authorities; absent: those of the system. */
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Returns settings as the runtime wants them. Fails with `config` if a certificate or a key cannot be
 * used: the runtime itself would only say that no socket could be opened.
 */
export function readTls({ verify, authorities, client }: TlsSettings): TlsMaterial {
  for (const pem of authorities) checkCertificates(pem);
  if (client !== undefined) checkClient(client);
  return {
    rejectUnauthorized: verify,
    // What is given here replaces the system's authorities, so those are named as well.
    ...(authorities.length === 0 ? {} : { ca: [...systemAuthorities(), ...authorities] }),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
  };
}

/** Returns the certificate authorities that are believed where nothing else is said. */
export function systemAuthorities(): string[] {
  return getCACertificates("default");
}

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function checkCertificates(pem: string): void {
  const blocks = pem.match(certificate) ?? [];
  if (blocks.length === 0) throw unusable("a certificate", "it holds no PEM block of one");
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw unusable("a certificate", error);
    }
  }
}

function checkClient(client: { readonly certificate: string; readonly key: string }): void {
  checkCertificates(client.certificate);
  try {
    const key = createPrivateKey(client.key);
    if (new X509Certificate(client.certificate).checkPrivateKey(key)) return;
  } catch (error) {
    throw unusable("the key of a client certificate", error);
  }
  throw unusable("a client certificate", "it does not belong to the key given with it");
}

function unusable(what: string, why: unknown): Failure {
  const reason = why instanceof Error ? why.message : String(why);
  return new Failure("config", `Cannot use ${what}: ${reason}`, { cause: why });
}
