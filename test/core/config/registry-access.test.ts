// Registry access: what flags, files and the environment become together.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { proxiesIn, registryAccess } from "../../../core/config/registry-access.ts";
import type { Environment } from "../../../core/environment.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-access-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
const anonymous = { credentials: { kind: "anonymous" } } as const;

function environmentWith(variables: Environment["variables"]): Environment {
  return { variables, home: root, userId: 1000, os: "linux", architecture: "amd64" };
}

function hold(directory: string, text: string): string {
  mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, directory, "ca.crt"), pem(text));
  return join(root, directory);
}

describe("registryAccess", () => {
  test("verifies unless it is told not to", async () => {
    const connection = async (tlsVerify?: boolean) =>
      registryAccess(
        { ...anonymous, ...(tlsVerify !== undefined && { tlsVerify }) },
        environmentWith({}),
      ).connectionTo("r.example", "a/b");
    expect(await connection()).toEqual({
      insecure: false,
      credentials: { kind: "anonymous" },
      tls: { verify: true, authorities: [] },
    });
    expect(await connection(true)).toMatchObject({ insecure: false, tls: { verify: true } });
    expect(await connection(false)).toMatchObject({ insecure: true, tls: { verify: false } });
  });

  test("passes the credentials on to whichever registry is asked for", async () => {
    const credentials = { kind: "basic", username: "u", password: "p" } as const;
    const access = registryAccess({ credentials }, environmentWith({}));
    expect((await access.connectionTo("r.example", "a")).credentials).toEqual(credentials);
  });

  test("looks for certificates by registry, or in the one directory that is named", async () => {
    hold(".config/containers/certs.d/r.example:5000", "usual");
    const certificateDirectory = hold("named", "named");
    const usual = registryAccess(anonymous, environmentWith({}));
    const named = registryAccess({ ...anonymous, certificateDirectory }, environmentWith({}));
    const authorities = async (access: typeof usual, host: string) =>
      (await access.connectionTo(host, "a")).tls.authorities;
    expect(await authorities(usual, "r.example:5000")).toEqual([pem("usual")]);
    expect(await authorities(usual, "other.example")).toEqual([]);
    expect(await authorities(named, "r.example:5000")).toEqual([pem("named")]);
  });

  test("believes what SSL_CERT_FILE names as well", async () => {
    const SSL_CERT_FILE = join(hold("system", "system"), "ca.crt");
    const certificateDirectory = hold("own", "own");
    const access = registryAccess(
      { ...anonymous, certificateDirectory },
      environmentWith({ SSL_CERT_FILE }),
    );
    const { tls } = await access.connectionTo("r.example", "a");
    expect(tls.authorities).toEqual([pem("own"), pem("system")]);
  });
});

describe("proxiesIn", () => {
  test.each([
    [{}, {}],
    [{ HTTP_PROXY: "http://a" }, { http: "http://a" }],
    [
      { http_proxy: "http://a", https_proxy: "http://b", no_proxy: "c" },
      { http: "http://a", https: "http://b", except: "c" },
    ],
    [{ HTTPS_PROXY: "http://upper", https_proxy: "http://lower" }, { https: "http://upper" }],
    [{ HTTPS_PROXY: "", https_proxy: "http://lower" }, { https: "http://lower" }],
    [{ HTTP_PROXY: "http://attacker", REQUEST_METHOD: "GET" }, {}],
    [{ ALL_PROXY: "socks5://a" }, {}],
  ])("finds in %j what is meant", (variables, proxies) => {
    expect(proxiesIn(environmentWith(variables))).toEqual(proxies);
  });
});
