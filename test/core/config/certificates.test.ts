// Certificates: which files of a directory count, and what is wrong with half a pair.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  certificateDirectories,
  readCertificates,
  readSystemAuthorities,
} from "../../../core/config/certificates.ts";
import type { Environment } from "../../../core/environment.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-certificates-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const pem = (label: string, text: string) =>
  `-----BEGIN ${label}-----\n${btoa(text)}\n-----END ${label}-----\n`;
const authority = pem("CERTIFICATE", "authority");
const other = pem("CERTIFICATE", "other");
const third = pem("CERTIFICATE", "third");
const key = pem("EC PRIVATE KEY", "key");

let directories = 0;
function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = join(root, String(directories++));
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

function environmentWith(variables: Environment["variables"], home = "/home/me"): Environment {
  return { variables, home, userId: 1000, os: "linux", architecture: "amd64" };
}

describe("readCertificates", () => {
  test("takes authorities and a client pair, and nothing else", async () => {
    const directory = directoryWith({
      "b.crt": other,
      "a.crt": authority,
      "me.cert": authority,
      "me.key": key,
      "notes.txt": "not for us",
      "a.crt.old": "neither",
    });
    expect(await readCertificates(directory)).toEqual({
      authorities: [authority, other],
      client: { certificate: authority, key },
    });
  });

  test("takes the first of several pairs", async () => {
    const directory = directoryWith({
      "b.cert": other,
      "b.key": key,
      "a.cert": authority,
      "a.key": key,
    });
    expect((await readCertificates(directory))?.client?.certificate).toBe(authority);
  });

  test("finds nothing in an empty directory, and no directory where there is none", async () => {
    expect(await readCertificates(directoryWith({}))).toEqual({ authorities: [] });
    expect(await readCertificates(join(root, "missing"))).toBeUndefined();
    expect(await readCertificates(join(directoryWith({ file: "" }), "file"))).toBeUndefined();
  });

  test.each([
    [
      { "x.cert": authority },
      "missing key x.key for client certificate x.cert. Note that CA certificates should use the extension .crt",
    ],
    [{ "x.key": key }, "missing client certificate x.cert for key x.key"],
    [{ "x.crt": "\x30\x82 DER" }, /x\.crt" holds no PEM block/],
    [{ "x.crt": key }, /x\.crt" holds no PEM block/],
    [{ "x.cert": key, "x.key": key }, /x\.cert" holds no PEM block/],
    [{ "x.cert": authority, "x.key": authority }, /x\.key" holds no PEM block/],
    [{ "x.crt": authority.replace("END", "END OF") }, /x\.crt" holds no PEM block/],
  ])("refuses %j", async (files, message) => {
    expect(readCertificates(directoryWith(files))).rejects.toMatchObject({
      code: "config",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
  });

  test("takes lines that end as in other systems", async () => {
    const text = authority.replaceAll("\n", "\r\n");
    expect((await readCertificates(directoryWith({ "a.crt": text })))?.authorities).toEqual([text]);
  });
});

describe("certificateDirectories", () => {
  test("lists the places of one registry, the user's own first", () => {
    expect(certificateDirectories("r.example:5000", environmentWith({}))).toEqual([
      "/home/me/.config/containers/certs.d/r.example:5000",
      "/etc/containers/certs.d/r.example:5000",
      "/etc/docker/certs.d/r.example:5000",
    ]);
  });

  test("does without a home", () => {
    expect(certificateDirectories("r", environmentWith({}, ""))).toEqual([
      "/etc/containers/certs.d/r",
      "/etc/docker/certs.d/r",
    ]);
  });
});

describe("readSystemAuthorities", () => {
  const nowhere = () => join(root, "none");
  const read = (variables: Environment["variables"]) =>
    readSystemAuthorities(environmentWith(variables));
  const trimmed = (text: string) => text.trim();

  test("leaves the system alone if nothing is said", async () => {
    expect(await read({})).toBeUndefined();
    expect(await read({ SSL_CERT_FILE: "", SSL_CERT_DIR: "" })).toBeUndefined();
  });

  test("puts file and directories in the place of the system's", async () => {
    const directory = directoryWith({ "a.pem": authority, "b.0": other, notes: "none here" });
    const file = join(directoryWith({ bundle: authority + third }), "bundle");
    const empty = directoryWith({});
    expect(await read({ SSL_CERT_FILE: file, SSL_CERT_DIR: nowhere() })).toEqual(
      [authority, third].map(trimmed),
    );
    expect(
      await read({ SSL_CERT_FILE: nowhere(), SSL_CERT_DIR: `${empty}:${directory}:` }),
    ).toEqual([authority, other].map(trimmed));
    expect(await read({ SSL_CERT_FILE: file, SSL_CERT_DIR: directory })).toEqual(
      [authority, third, other].map(trimmed),
    );
  });

  test("has nobody to believe where they hold nothing", async () => {
    expect(await read({ SSL_CERT_FILE: nowhere(), SSL_CERT_DIR: nowhere() })).toEqual([]);
  });
});
