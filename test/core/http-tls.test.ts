import { describe, expect, test } from "bun:test";
import { Failure } from "../../core/failure.ts";
import { proxyTls, readTls, systemAuthorities } from "../../core/http-tls.ts";
import { failureOf } from "../support/failure-of.ts";
import { testWith } from "../support/needs.ts";
import { anotherCertificate, serverCertificate } from "../support/server-certificate.ts";

describe("readTls", () => {
  const withTls = testWith("openssl");

  test("N7: always says whether to verify", () => {
    expect(readTls({ verify: true, authorities: [] })).toEqual({ rejectUnauthorized: true });
    expect(readTls({ verify: false, authorities: [] })).toEqual({ rejectUnauthorized: false });
  });

  withTls("adds authorities to those of the system", () => {
    const { authority } = serverCertificate();
    const { ca } = readTls({ verify: true, authorities: [authority] });
    expect(ca).toEqual([...systemAuthorities(), authority]);
  });

  test.each([
    ["that is none", "nonsense", "Cannot use a certificate: it holds no PEM block of one"],
    [
      "that is broken",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      "Cannot use a certificate: ",
    ],
  ])("fails with config for a certificate %s", (_, pem, words) => {
    const failure = failureOf(() => readTls({ verify: true, authorities: [pem] }));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: "config", message: expect.stringContaining(words) });
  });

  withTls("fails with config for a key of another certificate", () => {
    const client = { certificate: serverCertificate().cert, key: anotherCertificate().key };
    expect(failureOf(() => readTls({ verify: true, authorities: [], client }))).toMatchObject({
      code: "config",
      message: "Cannot use a client certificate: it does not belong to the key given with it",
    });
  });

  withTls("O2: does not quote a key that cannot be read", () => {
    const client = { certificate: serverCertificate().cert, key: "secret" };
    const failure = failureOf(() => readTls({ verify: true, authorities: [], client }));
    expect(failure).toMatchObject({ code: "config" });
    expect(String(failure)).not.toContain("secret");
  });

  withTls("believes what takes the place of the system's authorities, and the others", () => {
    const { authority } = serverCertificate();
    const { authority: other } = anotherCertificate();
    const settings = { verify: true, authorities: [authority], system: [other] };
    expect(readTls(settings).ca).toEqual([other, authority]);
    expect(readTls({ ...settings, system: [] }).ca).toEqual([authority]);
  });

  test("N7: does not take it for the system's authorities where there are none at all", () => {
    const none = { authorities: [], system: [] };
    expect(failureOf(() => readTls({ verify: true, ...none }))).toMatchObject({
      code: "config",
      message: "There is no certificate authority to believe",
    });
    expect(readTls({ verify: false, ...none })).toEqual({ rejectUnauthorized: false });
  });

  test("says what may be spoken as the runtime wants it", () => {
    const protocol = {
      minVersion: "1.1",
      maxVersion: "1.3",
      cipherSuites: ["A", "B"],
      namedGroups: ["P-256", "X25519"],
    } as const;
    expect(readTls({ verify: false, authorities: [], protocol })).toEqual({
      rejectUnauthorized: false,
      minVersion: 0x302,
      maxVersion: 0x304,
      ciphers: "A:B",
      ecdhCurve: "P-256:X25519",
    });
  });
});

describe("proxyTls", () => {
  test("N12: always checks, and shows no certificate of ours", () => {
    const settings = {
      verify: false,
      authorities: ["a"],
      system: ["s"],
      client: { certificate: "c", key: "k" },
      protocol: { minVersion: "1.3" },
    } as const;
    const { system, protocol } = settings;
    expect(proxyTls(settings)).toEqual({ verify: true, authorities: [], system, protocol });
    expect(proxyTls({ verify: false, authorities: ["a"] })).toEqual({
      verify: true,
      authorities: [],
    });
  });
});
