// Registry access: what flags, files and the environment become together.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type AccessWish,
  proxiesIn,
  registryAccess,
} from "../../../core/config/registry-access.ts";
import { authFileChoice } from "../../../core/config/auth-file-places.ts";
import { CredentialFinder, filesHelper } from "../../../core/config/credentials.ts";
import { RegistryFiles } from "../../../core/config/registry-files.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import type { Environment } from "../../../core/environment.ts";
import { rejection } from "../../support/rejection.ts";

let root = "";
let nothing = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-access-"));
  nothing = join(root, "empty");
  writeFileSync(nothing, "");
});
afterAll(() => rmSync(root, { recursive: true }));

const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
const anonymous = { credentials: { kind: "anonymous" } } as const;
const log = { debug() {}, info() {}, warn() {} };

/** None of the machine's own files count. */
function environmentWith(variables: Environment["variables"]): Environment {
  const own = { CONTAINERS_REGISTRIES_CONF: nothing, ...variables };
  return { variables: own, home: root, userId: 1000, os: "linux", architecture: "amd64" };
}

function accessBy(wish: AccessWish, variables: Environment["variables"] = {}, conf = "") {
  const file = join(root, "registries.conf");
  if (conf !== "") writeFileSync(file, conf);
  const named = conf === "" ? {} : { CONTAINERS_REGISTRIES_CONF: file };
  const environment = environmentWith({ ...named, ...variables });
  const paths = { registriesConf: "", registriesDirectory: join(root, "none"), tlsDetails: "" };
  return registryAccess(wish, environment, new RegistryFiles({ paths, environment, log }));
}

function hold(directory: string, text: string): string {
  mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, directory, "ca.crt"), pem(text));
  return join(root, directory);
}

describe("registryAccess", () => {
  test("verifies unless it is told not to", async () => {
    const connection = async (tlsVerify?: boolean) =>
      accessBy({ ...anonymous, ...(tlsVerify !== undefined && { tlsVerify }) }).connectionTo(
        "r.example",
        "a/b",
      );
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
    const access = accessBy({ credentials });
    expect((await access.connectionTo("r.example", "a")).credentials).toEqual(credentials);
  });

  test("looks for certificates by registry, or in the one directory that is named", async () => {
    hold(".config/containers/certs.d/r.example:5000", "usual");
    const certificateDirectory = hold("named", "named");
    const usual = accessBy(anonymous);
    const named = accessBy({ ...anonymous, certificateDirectory });
    const authorities = async (access: typeof usual, host: string) =>
      (await access.connectionTo(host, "a")).tls.authorities;
    expect(await authorities(usual, "r.example:5000")).toEqual([pem("usual")]);
    expect(await authorities(usual, "other.example")).toEqual([]);
    expect(await authorities(named, "r.example:5000")).toEqual([pem("named")]);
  });

  test("believes what SSL_CERT_FILE and SSL_CERT_DIR name instead of the system's", async () => {
    const SSL_CERT_FILE = join(hold("system", "system"), "ca.crt");
    const certificateDirectory = hold("own", "own");
    const variables = { SSL_CERT_FILE, SSL_CERT_DIR: join(root, "none") };
    const access = accessBy({ ...anonymous, certificateDirectory }, variables);
    const { tls } = await access.connectionTo("r.example", "a");
    expect(tls).toMatchObject({ authorities: [pem("own")], system: [pem("system").trim()] });
  });
});

describe("registryAccess, with registries.conf", () => {
  const conf = `
[[registry]]
location = "plain.example"
insecure = true

[[registry]]
location = "no.example"
blocked = true

[[registry]]
location = "r.example"
[[registry.mirror]]
location = "m.example/copy"
insecure = true
[[registry.mirror]]
location = "r.example/other"
[[registry.mirror]]
location = "no.example"
`;

  test("N7: lets the flag overrule it, both ways", async () => {
    const insecure = async (host: string, tlsVerify?: boolean) => {
      const wish = { ...anonymous, ...(tlsVerify !== undefined && { tlsVerify }) };
      return (await accessBy(wish, {}, conf).connectionTo(host, "a")).insecure;
    };
    expect(await insecure("plain.example")).toBe(true);
    expect(await insecure("plain.example", true)).toBe(false);
    expect(await insecure("r.example")).toBe(false);
    expect(await insecure("r.example", false)).toBe(true);
  });

  test("blocks writing, listing and deleting, too", async () => {
    const failure = await rejection(accessBy(anonymous, {}, conf).connectionTo("no.example", "a"));
    expect(failure).toMatchObject({
      code: "refused",
      message: `registry no.example is blocked in one of ["${join(root, "registries.conf")}"]`,
    });
  });

  test("does not send writing, listing and deleting to mirrors", async () => {
    const { insecure } = await accessBy(anonymous, {}, conf).connectionTo("r.example", "a");
    expect(insecure).toBe(false);
  });

  test("N8: decides for each place by itself whether it is insecure or blocked", async () => {
    const access = accessBy(anonymous, {}, conf);
    const sources = await access.pullSources(parseDockerName("r.example/a:1"));
    expect(sources.map(({ name }) => `${name.host}/${name.repository}`)).toEqual([
      "m.example/copy/a",
      "r.example/other/a",
      "no.example/a",
      "r.example/a",
    ]);
    expect((await sources[0]!.connection()).insecure).toBe(true);
    expect((await sources[1]!.connection()).insecure).toBe(false);
    expect((await rejection(sources[2]!.connection())).message).toContain("is blocked in one of");
    expect((await sources[3]!.connection()).insecure).toBe(false);
  });

  test("N1: gives what was said on the command line to the host named there only", async () => {
    const credentials = { kind: "basic", username: "u", password: "p" } as const;
    const auth = join(root, "auth.json");
    const entry = (text: string) => ({ auth: btoa(text) });
    writeFileSync(
      auth,
      JSON.stringify({ auths: { "m.example": entry("m:mp"), "r.example": entry("r:rp") } }),
    );
    const finder = new CredentialFinder({
      environment: environmentWith({}),
      signal: new AbortController().signal,
      log,
      helpers: async () => [filesHelper],
    });
    const authFile = authFileChoice(auth, environmentWith({}));
    const search = { kind: "search", finder, authFile } as const;
    const shownAt = async (wish: AccessWish) => {
      const sources = await accessBy(wish, {}, conf).pullSources(parseDockerName("r.example/a:1"));
      const [mirror, own] = await Promise.all(sources.slice(0, 2).map((each) => each.connection()));
      return [mirror?.credentials, own?.credentials];
    };
    const basic = (username: string, password: string) =>
      ({ kind: "basic", username, password }) as const;
    expect(await shownAt({ credentials, mirrorCredentials: search })).toEqual([
      basic("m", "mp"),
      credentials,
    ]);
    expect(await shownAt({ credentials })).toEqual([{ kind: "anonymous" }, credentials]);
    expect(await shownAt({ credentials: search })).toEqual([basic("m", "mp"), basic("r", "rp")]);
    // Who wants to be nobody is nobody everywhere.
    expect(await shownAt({ ...anonymous, mirrorCredentials: search })).toEqual([
      { kind: "anonymous" },
      { kind: "anonymous" },
    ]);
  });

  test("says what was being read when a file cannot be", async () => {
    const access = accessBy(anonymous, { CONTAINERS_REGISTRIES_CONF: "/none" });
    expect(await rejection(access.pullSources(parseDockerName("r.example/a:1")))).toMatchObject({
      code: "config",
      message: expect.stringMatching(/^loading registries configuration: .*\/none/),
    });
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

test("signatureStorage is what registries.d says of the image", async () => {
  const registriesDirectory = join(root, "registries.d");
  mkdirSync(registriesDirectory);
  writeFileSync(
    join(registriesDirectory, "a.yaml"),
    "docker:\n  r.example/team:\n    use-sigstore-attachments: true\n    lookaside: file:///sigs\n",
  );
  const paths = { registriesConf: "", registriesDirectory, tlsDetails: "" };
  const environment = environmentWith({});
  const files = new RegistryFiles({ paths, environment, log });
  const access = registryAccess(anonymous, environment, files);
  const storage = (name: string) => access.signatureStorage(parseDockerName(name));
  expect(await storage("r.example/team/app:1")).toEqual({
    sigstoreAttachments: true,
    lookaside: "file:///sigs",
  });
  expect(await storage("r.example/other:1")).toEqual({
    lookaside: `file://${environment.home}/.local/share/containers/sigstore`,
  });
});
