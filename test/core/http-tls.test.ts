import { describe, expect, test } from "bun:test";
import { Failure } from "../../core/failure.ts";
import { readTls, systemAuthorities } from "../../core/http-tls.ts";
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
});
