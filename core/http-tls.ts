// TLS: which certificates are believed and shown, as the runtime wants to be told.

import { Failure } from "./failure.ts";

/** Which certificates are believed, and which are shown. All PEM texts. */
export interface TlsSettings {
  /** Whether the server's certificate is checked. */
  readonly verify: boolean;
  /** Certificate authorities believed in addition to those of the system. */
  readonly authorities: readonly string[];
  /** What takes the place of the system's authorities; absent: nothing does. */
  readonly system?: readonly string[];
  readonly client?: { readonly certificate: string; readonly key: string };
  readonly protocol?: TlsProtocol;
}

/** What of TLS is spoken. What is absent is left to the runtime. */
export interface TlsProtocol {
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  /** For TLS 1.2 and older, in the names of OpenSSL. */
  readonly cipherSuites?: readonly string[];
  /** In the names of OpenSSL. */
  readonly namedGroups?: readonly string[];
}

/** The versions of TLS, oldest first. */
export const tlsVersions = ["1.0", "1.1", "1.2", "1.3"] as const;

/** A version of TLS. */
export type TlsVersion = (typeof tlsVersions)[number];

/** The same in the runtime's terms. */
export interface TlsMaterial {
  /** Always given: left out, the environment could decide. */
  readonly rejectUnauthorized: boolean;
  /** All authorities; absent: those of the system. */
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
  /** By number, as on the wire. */
  readonly minVersion?: number;
  readonly maxVersion?: number;
  readonly ciphers?: string;
  readonly ecdhCurve?: string;
}

/**
 * Returns settings as the runtime wants them. Fails with `config` if a certificate or a key cannot be
 * used: the runtime itself would only say that no socket could be opened.
 */
export function readTls(settings: TlsSettings): TlsMaterial {
  const { verify, authorities, system, client, protocol = {} } = settings;
  for (const pem of authorities) checkCertificates(pem);
  if (client !== undefined) checkClient(client);
  const named = system !== undefined || authorities.length > 0;
  // What is given here replaces the system's authorities, so those are named as well.
  const ca = named ? [...(system ?? systemAuthorities()), ...authorities] : undefined;
  // An empty list would be taken for none.
  if (verify && ca?.length === 0) {
    throw new Failure("config", "There is no certificate authority to believe", {
      hint: "SSL_CERT_FILE and SSL_CERT_DIR take the place of the system's authorities",
    });
  }
  return {
    rejectUnauthorized: verify,
    ...(ca !== undefined && ca.length > 0 && { ca }),
    ...(client !== undefined && { cert: client.certificate, key: client.key }),
    ...materialOf(protocol),
  };
}

/** Returns the settings for a proxy: it is always checked, and shown no certificate of ours. */
export function proxyTls({ system, protocol }: TlsSettings): TlsSettings {
  return {
    verify: true,
    authorities: [],
    ...(system !== undefined && { system }),
    ...(protocol !== undefined && { protocol }),
  };
}

/** Returns the certificate authorities that are believed where nothing else is said. */
export function systemAuthorities(): string[] {
  const tls: typeof import("node:tls") = require("node:tls");
  return tls.getCACertificates("default");
}

/** Loaded where a certificate was named: most commands name none, and it takes longer than a request. */
function nodeCrypto(): typeof import("node:crypto") {
  return require("node:crypto");
}

function materialOf({ minVersion, maxVersion, cipherSuites, namedGroups }: TlsProtocol) {
  return {
    ...(minVersion !== undefined && { minVersion: numberOf(minVersion) }),
    ...(maxVersion !== undefined && { maxVersion: numberOf(maxVersion) }),
    ...(cipherSuites !== undefined && { ciphers: cipherSuites.join(":") }),
    ...(namedGroups !== undefined && { ecdhCurve: namedGroups.join(":") }),
  };
}

function numberOf(version: TlsVersion): number {
  return 0x301 + tlsVersions.indexOf(version);
}

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function checkCertificates(pem: string): void {
  const blocks = pem.match(certificate) ?? [];
  if (blocks.length === 0) throw unusable("a certificate", "it holds no PEM block of one");
  const { X509Certificate } = nodeCrypto();
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
  const { createPrivateKey, X509Certificate } = nodeCrypto();
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
