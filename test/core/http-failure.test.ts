import { describe, expect, test } from "bun:test";
import { Failure } from "../../core/failure.ts";
import { wireFailure } from "../../core/http-failure.ts";

const broken = (code: string) => Object.assign(new TypeError(`${code} at secret`), { code });
const url = new URL("https://registry.example/v2/?secret");
const proxy = new URL("http://me:secret@proxy.example:3128");

describe("wireFailure", () => {
  test.each([
    ["ECONNREFUSED", "unavailable", "dial tcp registry.example:443: connect: connection refused"],
    ["ETIMEDOUT", "unavailable", "dial tcp registry.example:443: i/o timeout"],
    ["ECONNRESET", "unavailable", "connection closed before an answer (EOF)"],
    ["ENOTFOUND", "refused", "dial tcp: lookup registry.example: no such host"],
    [
      "EAI_AGAIN",
      "unavailable",
      "dial tcp: lookup registry.example: temporary failure in name resolution",
    ],
    [
      "CERT_HAS_EXPIRED",
      "refused",
      "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
    ],
    [
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "refused",
      "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    ],
    [
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "refused",
      "tls: failed to verify certificate: x509: certificate is not valid for registry.example",
    ],
    ["Malformed_HTTP_Response", "unavailable", "net/http: malformed HTTP response"],
    ["SomethingNew", "unavailable", "SomethingNew"],
  ])("O2: says what %s means", async (code, kind, message) => {
    const failure: unknown = await wireFailure(broken(code), { url });
    expect(failure).toMatchObject({ code: kind, message });
  });

  test.each([
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /--cert-dir/],
    ["CERT_HAS_EXPIRED", /^have its certificate replaced/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /^have its certificate replaced/],
  ])("says what helps against %s", async (code, hint) => {
    const failure = await wireFailure(broken(code), { url });
    expect(failure.hint).toMatch(hint);
  });

  test("O2: names the proxy, without its password, where that was dialed", async () => {
    expect((await wireFailure(broken("ECONNREFUSED"), { url, proxy })).message).toBe(
      "proxyconnect tcp: dial tcp proxy.example:3128: connect: connection refused",
    );
  });

  test.each([
    ["ENOENT", "unavailable", "connect: no such file or directory"],
    ["ECONNREFUSED", "unavailable", "connect: connection refused"],
    ["EACCES", "refused", "connect: permission denied"],
    ["ENAMETOOLONG", "refused", "connect: file name too long"],
  ])("names the socket of this machine that answers by %s", async (code, kind, words) => {
    const failure: unknown = await wireFailure(broken(code), { url, unix: "/run/engine.sock" });
    expect(failure).toMatchObject({ code: kind, message: `dial unix /run/engine.sock: ${words}` });
  });

  test("keeps a Failure, and takes an error without code for a bug", async () => {
    const failure = new Failure("corrupt", "as it is");
    expect(await wireFailure(failure, { url })).toBe(failure);
    expect(await wireFailure(new RangeError("odd"), { url })).toMatchObject({ code: "bug" });
  });
});

test("a handshake that failed gets no second look where any certificate would do", async () => {
  const url = new URL("https://127.0.0.1:1/");
  const failure = await wireFailure(broken("EPROTO"), { url, unverified: true });
  expect(failure).toMatchObject({ code: "refused", message: "tls: handshake failure" });
});
