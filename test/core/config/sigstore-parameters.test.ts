import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";

import { readSigstoreParameters } from "../../../core/config/sigstore-parameters.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

async function read(text: string) {
  using workspace = new Workspace();
  writeFileSync(workspace.at("p.yaml"), text);
  return await readSigstoreParameters(workspace.at("p.yaml"));
}

const login = "oidcIssuerURL: https://login\n  oidcClientID: me\n";

describe("readSigstoreParameters", () => {
  test.each<[string, object]>([
    ["privateKeyFile: k", { key: { kind: "file", path: "k" } }],
    [
      "privateKeyFile: k\nprivateKeyPassphraseFile: p\nrekorURL: https://log",
      { key: { kind: "file", path: "k", passphraseFile: "p" }, rekorUrl: "https://log" },
    ],
    [
      "fulcio:\n  fulcioURL: https://ca\n  oidcMode: staticToken\n  oidcIDToken: t\n",
      { key: { kind: "fulcio", url: "https://ca", login: { kind: "staticToken", token: "t" } } },
    ],
    [
      `fulcio:\n  fulcioURL: https://ca\n  oidcMode: deviceGrant\n  ${login}`,
      {
        key: {
          kind: "fulcio",
          url: "https://ca",
          login: { kind: "deviceGrant", issuerUrl: "https://login", clientId: "me" },
        },
      },
    ],
    [
      `fulcio:\n  fulcioURL: https://ca\n  oidcMode: interactive\n  oidcClientSecret: s\n  ${login}`,
      {
        key: {
          kind: "fulcio",
          url: "https://ca",
          login: {
            kind: "interactive",
            issuerUrl: "https://login",
            clientId: "me",
            clientSecret: "s",
          },
        },
      },
    ],
  ])("reads %j", async (text, parameters) => {
    expect(await read(text)).toEqual(parameters as never);
  });

  const noKey =
    "no private key source provided (neither a private key nor Fulcio) when preparing to create sigstore signatures";
  test.each([
    ["", noKey],
    ["rekorURL: https://log", noKey],
    [
      "privateKeyFile: k\nfulcio: {}",
      "multiple private key sources specified when preparing to create sigstore signatures",
    ],
    ["privateKeyFile: k\nmore: 1", 'unknown field "more"'],
    ["privateKeyFile: [k]", "privateKeyFile is no text"],
    ["[k]", "it is no mapping"],
    ["privateKeyFile: k\nprivateKeyFile: l", "keys must be unique"],
    ["fulcio:\n  oidcMode: staticToken\n", "missing fulcioURL"],
    ["fulcio:\n  fulcioURL: https://ca\n", "missing oidcMode"],
    ["fulcio:\n  fulcioURL: https://ca\n  oidcMode: x\n", 'unknown oidcMode value "x"'],
    ["fulcio:\n  fulcioURL: https://ca\n  oidcMode: staticToken\n", "missing oidcToken"],
    ["fulcio:\n  fulcioURL: https://ca\n  oidcMode: interactive\n", "missing oidcIssuerURL"],
    ["fulcio:\n  fulcioURL: https://ca\n  more: 1\n", 'unknown field "more"'],
  ])("refuses %j", async (text, why) => {
    const { code, message } = await rejection(read(text));
    expect(code).toBe("config");
    expect(message).toStartWith('parsing "');
    expect(message.toLowerCase()).toContain(why.toLowerCase());
  });

  test("names a file that is not there", async () => {
    expect((await rejection(readSigstoreParameters("/missing"))).message).toBe(
      "open /missing: no such file or directory",
    );
  });
});
