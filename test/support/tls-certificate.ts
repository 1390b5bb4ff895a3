// TLS certificates: a private authority, and a server certificate for loopback that it signed.

import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the pieces were written, as PEM files. */
export interface TlsCertificate {
  /** A directory that holds the authority alone, as `--cert-dir` wants it. */
  readonly directory: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes both with openssl, in `directory`. */
export function makeTlsCertificate(directory: string): TlsCertificate {
  const at = (name: string) => join(directory, name);
  mkdirSync(at("certs"), { recursive: true });
  writeFileSync(
    at("extensions"),
    "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nextendedKeyUsage=serverAuth\n",
  );
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    at("ca.key"),
    "-out",
    at("certs/ca.crt"),
    "-days",
    "2",
    "-subj",
    "/CN=Test authority",
  );
  openssl(
    "req",
    ...key,
    "-keyout",
    at("server.key"),
    "-out",
    at("server.csr"),
    "-subj",
    "/CN=localhost",
  );
  openssl(
    "x509",
    "-req",
    "-in",
    at("server.csr"),
    "-CA",
    at("certs/ca.crt"),
    "-CAkey",
    at("ca.key"),
    "-CAcreateserial",
    "-days",
    "2",
    "-extfile",
    at("extensions"),
    "-out",
    at("server.crt"),
  );
  return {
    directory: at("certs"),
    authority: at("certs/ca.crt"),
    certificate: at("server.crt"),
    key: at("server.key"),
  };
}

/** What an engine and its clients show to each other. */
export interface DaemonCertificates {
  readonly server: TlsCertificate;
  /** As `--cert-dir` and `DOCKER_CERT_PATH` want it: `ca.pem`, `cert.pem`, `key.pem`. */
  readonly client: string;
  /** The same, but for a client certificate that no server knows the authority of. */
  readonly stranger: string;
}

/** Makes certificates for an engine and its clients with openssl, in `directory`. */
export function makeDaemonCertificates(directory: string): DaemonCertificates {
  const server = makeTlsCertificate(join(directory, "server"));
  const other = makeTlsCertificate(join(directory, "other"));
  const client = makeClient(join(directory, "client"), server, server);
  const stranger = makeClient(join(directory, "stranger"), server, other);
  return { server, client, stranger };
}

function makeClient(directory: string, believed: TlsCertificate, signer: TlsCertificate): string {
  const at = (name: string) => join(directory, name);
  mkdirSync(directory, { recursive: true });
  copyFileSync(believed.authority, at("ca.pem"));
  writeFileSync(at("extensions"), "extendedKeyUsage=clientAuth\n");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const request = ["-keyout", at("key.pem"), "-out", at("client.csr"), "-subj", "/CN=client"];
  openssl("req", ...key, ...request);
  const authority = ["-CA", signer.authority, "-CAkey", join(signer.directory, "../ca.key")];
  const signing = ["-CAcreateserial", "-days", "2", "-extfile", at("extensions")];
  openssl(
    "x509",
    "-req",
    "-in",
    at("client.csr"),
    ...authority,
    ...signing,
    "-out",
    at("cert.pem"),
  );
  return directory;
}

/** Makes an RSA key and a certificate it signed for itself, as token services have them. */
export function makeSigningCertificate(directory: string): { certificate: string; key: string } {
  mkdirSync(directory, { recursive: true });
  const certificate = join(directory, "token.crt");
  const key = join(directory, "token.key");
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    key,
    "-out",
    certificate,
    "-days",
    "2",
    "-subj",
    "/CN=Test token service",
  );
  return { certificate, key };
}

function openssl(...args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr.toString()}`);
}
