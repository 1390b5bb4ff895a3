import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DaemonWish, daemonConnection } from "../../../core/config/daemon-connection.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const pem = (label: string, text: string) =>
  `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;

let home: Workspace;
beforeAll(() => {
  home = new Workspace();
  hold("full", ["ca.pem", "cert.pem", "key.pem"]);
  hold("authority", ["ca.pem"]);
  hold("client", ["cert.pem", "key.pem"]);
  hold("half", ["ca.pem", "cert.pem"]);
  hold("empty", []);
  hold(".docker", ["ca.pem", "cert.pem", "key.pem"]);
});
afterAll(() => home[Symbol.dispose]());

function hold(directory: string, names: readonly string[]): void {
  mkdirSync(home.at(directory));
  for (const name of names) {
    const label = name === "key.pem" ? "PRIVATE KEY" : "CERTIFICATE";
    writeFileSync(home.at(directory, name), pem(label, `${directory}/${name}`));
  }
}

function connection(wish: DaemonWish, variables: Readonly<Record<string, string>> = {}) {
  const certificateDirectory =
    wish.certificateDirectory === undefined ? undefined : home.at(wish.certificateDirectory);
  const named = Object.entries(variables).map(([name, value]) => [
    name,
    name === "DOCKER_CERT_PATH" ? home.at(value) : value,
  ]);
  return daemonConnection(
    { ...wish, ...(certificateDirectory !== undefined && { certificateDirectory }) },
    {
      variables: Object.fromEntries(named),
      home: home.path,
      userId: 1000,
      os: "linux",
      architecture: "amd64",
    },
  );
}

/** What of a connection the tests are about, in one line each. */
async function told(wish: DaemonWish, variables?: Readonly<Record<string, string>>) {
  const { host, plainTcp, tls } = await connection(wish, variables);
  return {
    host,
    plainTcp,
    verify: tls.verify,
    authorities: tls.authorities.map((text) => text.split("\n")[1]),
    client: tls.client?.certificate.split("\n")[1],
  };
}

const secure = { plainTcp: false, verify: true, authorities: [], client: undefined };
const host = "tcp://engine:1";

describe("daemonConnection", () => {
  test("leads to the default socket", async () => {
    expect(await told({})).toEqual({ ...secure, host: "unix:///var/run/docker.sock" });
    expect(await told({}, { DOCKER_HOST: "" })).toMatchObject({
      host: "unix:///var/run/docker.sock",
    });
  });

  test("leads to the host that a flag names, by TLS, with the certificates of its directory", async () => {
    expect(await told({ host })).toEqual({ ...secure, host });
    expect(await told({ host, certificateDirectory: "full" })).toEqual({
      ...secure,
      host,
      authorities: ["full/ca.pem"],
      client: "full/cert.pem",
    });
    expect(await told({ host, certificateDirectory: "authority" })).toMatchObject({
      authorities: ["authority/ca.pem"],
      client: undefined,
    });
  });

  test("asks for no authority that nobody would be checked by", async () => {
    const wish = { host, tlsVerify: false, certificateDirectory: "client" };
    expect(await told(wish)).toMatchObject({ verify: false, client: "client/cert.pem" });
  });

  test.each([
    ["empty", "ca.pem"],
    ["client", "ca.pem"],
    ["half", "key.pem"],
    ["nowhere", "ca.pem"],
  ])("fails on the directory %s, and names what is missing", async (directory, file) => {
    const failure = await rejection(connection({ host, certificateDirectory: directory }));
    expect(failure).toMatchObject({
      code: "config",
      message: `initializing docker engine client: open ${join(home.path, directory, file)}: no such file or directory`,
    });
  });

  test("reads no certificate where none is used", async () => {
    for (const each of ["unix:///run/d.sock", "http://engine:1"]) {
      expect(await told({ host: each, certificateDirectory: "nowhere" })).toMatchObject({
        host: each,
        authorities: [],
      });
    }
  });

  test.each([
    [{}, { plainTcp: true, client: undefined }],
    [{ DOCKER_CERT_PATH: "full" }, { plainTcp: false, client: "full/cert.pem", verify: true }],
    [{ DOCKER_TLS_VERIFY: "1" }, { plainTcp: false, client: ".docker/cert.pem", verify: true }],
    [{ DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "full" }, { client: "full/cert.pem" }],
    [{ DOCKER_TLS_VERIFY: "" }, { plainTcp: true }],
  ])("takes DOCKER_HOST with %p", async (variables, expected) => {
    const environment = { DOCKER_HOST: host, ...variables };
    expect(await told({}, environment)).toMatchObject({ host, ...expected });
  });

  test("N7: plain HTTP by DOCKER_HOST alone, and never against a flag", async () => {
    const environment = { DOCKER_HOST: host };
    expect(await told({ tlsVerify: true }, environment)).toMatchObject({ plainTcp: false });
    expect(await told({ certificateDirectory: "full" }, environment)).toMatchObject({
      plainTcp: false,
      client: "full/cert.pem",
    });
  });

  test("N1: shows the environment's certificate to no host that a flag names", async () => {
    const environment = {
      DOCKER_HOST: "tcp://other:1",
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: "full",
    };
    expect(await told({ host }, environment)).toEqual({ ...secure, host });
  });
});
