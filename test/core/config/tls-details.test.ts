// TLS details: what a file may ask for, and that nothing in it is ignored.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readTlsDetails } from "../../../core/config/tls-details.ts";
import { openHttp } from "../../../core/http.ts";
import { rejection } from "../../support/rejection.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-tls-details-"));
});
afterAll(() => rmSync(root, { recursive: true }));

function read(text: string) {
  const path = join(root, "details.yaml");
  writeFileSync(path, text);
  return readTlsDetails(path);
}

const newest = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
const older = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
const suites = (...names: readonly string[]) => `cipherSuites: [${names.join(", ")}]\n`;

describe("readTlsDetails", () => {
  test.each([
    ["", {}],
    ["{}", {}],
    ['minVersion: "1.0"', { minVersion: "1.0" }],
    // What other readers would take for a number is what it looks like here.
    ["minVersion: 1.3", { minVersion: "1.3" }],
    ["minVersion:", {}],
    [
      "namedGroups: [x25519, secp256r1, secp384r1, secp521r1, X25519MLKEM768]",
      { namedGroups: ["X25519", "P-256", "P-384", "P-521", "X25519MLKEM768"] },
    ],
    [suites(older), { cipherSuites: ["ECDHE-RSA-AES128-GCM-SHA256"], maxVersion: "1.2" }],
    [suites(older, ...newest), { cipherSuites: ["ECDHE-RSA-AES128-GCM-SHA256"] }],
    [suites(...newest), { minVersion: "1.3" }],
    [`minVersion: "1.2"\n${suites(...newest)}`, { minVersion: "1.3" }],
  ])("reads %j", async (text, protocol) => {
    expect(await read(text)).toEqual(protocol as object);
  });

  test.each([
    ["foo: 1", "config", 'unknown key "foo"'],
    ["- a", "config", "the file is no mapping"],
    ['minVersion: "1.4"', "config", "minVersion is none of 1.0, 1.1, 1.2, 1.3"],
    ["minVersion: [1.2]", "config", "minVersion is none of 1.0, 1.1, 1.2, 1.3"],
    ["cipherSuites: x", "config", "cipherSuites is no list"],
    ["cipherSuites: [[x]]", "config", "cipherSuites holds something that is no text"],
    ["cipherSuites: []", "config", "cipherSuites allows nothing: no connection could be made"],
    ["namedGroups: []", "config", "namedGroups allows nothing: no connection could be made"],
    [suites("TLS_NOPE"), "unsupported", 'the cipher suite "TLS_NOPE" is not spoken'],
    [suites("constructor"), "unsupported", 'the cipher suite "constructor" is not spoken'],
    [
      suites("TLS_RSA_WITH_RC4_128_SHA"),
      "unsupported",
      'the cipher suite "TLS_RSA_WITH_RC4_128_SHA" is not spoken',
    ],
    [
      suites(older, "TLS_AES_128_GCM_SHA256"),
      "unsupported",
      "cipherSuites names some suites of TLS 1.3 but not all, among which no choice can be made",
    ],
    [
      `minVersion: "1.3"\n${suites(older)}`,
      "config",
      "minVersion asks for TLS 1.3, of which cipherSuites names nothing",
    ],
    ["namedGroups: [sect571r1]", "unsupported", 'the named group "sect571r1" is not spoken'],
    ['minVersion: "1.2"\nminVersion: "1.3"', "config", /^yaml: Map keys must be unique/],
  ])("refuses %j", async (text, code, message) => {
    const failure = await rejection(read(text));
    const prefix = `loading TLS details "${join(root, "details.yaml")}": `;
    expect(failure.code).toBe(code as typeof failure.code);
    expect(failure.message).toStartWith(prefix);
    expect(failure.message.slice(prefix.length)).toMatch(message);
  });

  test("fails if there is no such file", async () => {
    const path = join(root, "none");
    expect(await rejection(readTlsDetails(path))).toMatchObject({
      code: "config",
      message: `loading TLS details "${path}": open ${path}: no such file or directory`,
    });
  });

  test("asks for nothing that the runtime does not know", async () => {
    const older12 = ["ECDSA", "RSA"].flatMap((kind) =>
      [
        "AES_128_GCM_SHA256",
        "AES_256_GCM_SHA384",
        "CHACHA20_POLY1305_SHA256",
        "AES_128_CBC_SHA256",
        "AES_128_CBC_SHA",
        "AES_256_CBC_SHA",
      ].map((cipher) => `TLS_ECDHE_${kind}_WITH_${cipher}`),
    );
    const kept = ["128_GCM_SHA256", "256_GCM_SHA384", "128_CBC_SHA", "256_CBC_SHA"];
    for (const name of [...older12, ...kept.map((each) => `TLS_RSA_WITH_AES_${each}`)]) {
      const { createSecureContext } = await import("node:tls");
      const { cipherSuites = [] } = await read(suites(name));
      expect(() => createSecureContext({ ciphers: cipherSuites.join(":") })).not.toThrow();
    }
    await using http = await openHttp({
      tls: { verify: true, authorities: [], protocol: await read("namedGroups: [x25519]") },
      proxies: {},
    });
    expect(http).toBeDefined();
  });
});
