// What broke on the wire, in the words of the original's client.

import { asFailure, Failure, type FailureCode } from "./failure.ts";

/** Who was spoken to: the server, the proxy before it, or a socket of this machine. */
export interface Peer {
  readonly url: URL;
  readonly proxy?: URL | undefined;
  readonly unix?: string | undefined;
  /** Whether any certificate would do: then nobody waits for the reason of a failed handshake. */
  readonly unverified?: boolean | undefined;
}

/**
 * Returns what an error of the runtime's network means.
 *
 * `unavailable` may be tried again; `refused` will be the same the next time. A Failure is kept.
 */
export async function wireFailure(error: unknown, peer: Peer): Promise<Failure> {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  const direct = peer.proxy === undefined && peer.url.protocol === "https:";
  if (code === "EPROTO" && direct && peer.unverified !== true) {
    const { explainHandshake } = await import("./http-handshake.ts");
    return explainHandshake(peer.url);
  }
  const words = Object.hasOwn(broken, code) ? broken[code] : undefined;
  if (words !== undefined) return words(peer, error);
  if (code.includes("CERT") || code.includes("SIGNATURE")) return badCertificate(code, peer, error);
  return code === "" ? asFailure(error) : failure("unavailable", code, error);
}

/** The code by which the runtime tells errors apart, or "" where there is none. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

type Words = (peer: Peer, error: unknown) => Failure;

const broken: Readonly<Record<string, Words>> = {
  ECONNREFUSED: dialing("connect: connection refused"),
  ENOENT: dialing("connect: no such file or directory"),
  EACCES: dialing("connect: permission denied", "refused"),
  ENAMETOOLONG: dialing("connect: file name too long", "refused"),
  EHOSTUNREACH: dialing("connect: no route to host"),
  ENETUNREACH: dialing("connect: network is unreachable"),
  ETIMEDOUT: dialing("i/o timeout"),
  ECONNRESET: (_, error) =>
    failure("unavailable", "connection closed before an answer (EOF)", error),
  EPIPE: (_, error) => failure("unavailable", "write: broken pipe", error),
  EPROTO: (_, error) => failure("refused", "tls: handshake failure", error),
  ENOTFOUND: (peer, error) =>
    failure("refused", `dial tcp: lookup ${dialed(peer).hostname}: no such host`, error, {
      hint: "check how the name of the registry is spelled",
    }),
  EAI_AGAIN: (peer, error) =>
    failure(
      "unavailable",
      `dial tcp: lookup ${dialed(peer).hostname}: temporary failure in name resolution`,
      error,
    ),
  Malformed_HTTP_Response: (_, error) =>
    failure("unavailable", "net/http: malformed HTTP response", error),
  InvalidContentLength: (_, error) =>
    failure("refused", "net/http: the answer's Content-Length contradicts itself", error),
};

const unknownAuthority = "certificate signed by unknown authority";

/** Certificates, by the runtime's codes. The rest is shown by its code. */
const certificates: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "certificate has expired or is not yet valid",
  CERT_REVOKED: "certificate is revoked",
  CERT_UNTRUSTED: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
};

function badCertificate(code: string, peer: Peer, error: unknown): Failure {
  const words =
    code === "ERR_TLS_CERT_ALTNAME_INVALID"
      ? `certificate is not valid for ${peer.url.hostname}`
      : (certificates[code] ?? code);
  // No authority makes up for a wrong name or time.
  const remedy =
    words === unknownAuthority
      ? "name the directory of its authority's certificate by --cert-dir, or do without the check by --tls-verify=false"
      : "have its certificate replaced, or do without the check by --tls-verify=false";
  return failure("refused", `tls: failed to verify certificate: x509: ${words}`, error, {
    hint: remedy,
  });
}

function dialing(what: string, code: FailureCode = "unavailable"): Words {
  return (peer, error) => {
    const by = peer.proxy === undefined ? "" : "proxyconnect tcp: ";
    return failure(code, `${by}dial ${addressOf(peer)}: ${what}`, error);
  };
}

function addressOf(peer: Peer): string {
  if (peer.unix !== undefined) return `unix ${peer.unix}`;
  const { hostname, port, protocol } = dialed(peer);
  return `tcp ${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
}

function dialed({ url, proxy }: Peer): URL {
  return proxy ?? url;
}

function failure(
  code: FailureCode,
  message: string,
  cause: unknown,
  details: { readonly hint?: string } = {},
): Failure {
  return new Failure(code, message, { cause, ...details });
}
