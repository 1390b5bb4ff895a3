// Handshakes that failed: a second look at a server, to say what is wrong with it.

import { connect } from "node:tls";
import { Failure } from "./failure.ts";
import { limits } from "./limits.ts";

/**
 * Greets a server once more, without sending anything, and returns why it and TLS do not go together.
 *
 * The runtime's own error is the same for a server that speaks plain HTTP and for one that wants a
 * certificate from us.
 */
export async function explainHandshake(url: URL): Promise<Failure> {
  const code = await handshakeError(url);
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return refused("http: server gave HTTP response to HTTPS client", {
      hint: "if the registry is meant to be reached without encryption, say so by --tls-verify=false",
    });
  }
  if (code.includes("ALERT_CERTIFICATE_REQUIRED") || code.includes("BAD_CERTIFICATE")) {
    return refused("remote error: tls: certificate required", {
      hint: "name a directory with the client certificate and its key by --cert-dir",
    });
  }
  return refused("tls: handshake failure");
}

function handshakeError({ hostname, port }: URL): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  // Nothing is sent and nothing believed, so nobody's certificate is of interest here.
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? 443 : Number(port),
    rejectUnauthorized: false,
  });
  socket.on("error", (error) => resolve("code" in error ? String(error.code) : ""));
  socket.on("close", () => resolve(""));
  socket.setTimeout(limits.secondLookMs, () => resolve(""));
  return promise.finally(() => socket.destroy());
}

function refused(message: string, details: { readonly hint?: string } = {}): Failure {
  return new Failure("refused", message, details);
}
