// Sigstore parameters: the file that says how images are to be signed.

import { during, Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import { parseYaml, type Yaml, type YamlMapping } from "../yaml.ts";
import { readConfigFile } from "./config-file.ts";

/** Who signs, and which log is told. */
export interface SigstoreParameters {
  readonly key: KeyParameters;
  /** The address of a transparency log; absent: none is told. */
  readonly rekorUrl?: string;
}

/** Where the key comes from. */
export type KeyParameters =
  | {
      readonly kind: "file";
      readonly path: string;
      /** Absent: somebody is asked for the passphrase. */
      readonly passphraseFile?: string;
    }
  | {
      readonly kind: "fulcio";
      readonly url: string;
      readonly login: LoginParameters;
    };

/** How to get the token that says who signs. */
export type LoginParameters =
  | { readonly kind: "staticToken"; readonly token: string }
  | {
      readonly kind: "deviceGrant" | "interactive";
      readonly issuerUrl: string;
      readonly clientId: string;
      /** Absent or empty where the client has none. */
      readonly clientSecret?: string;
    };

/** Reads a parameter file. Fails with `config`, in the original's words. */
export async function readSigstoreParameters(path: string): Promise<SigstoreParameters> {
  const bytes = await readConfigFile(path);
  return during(`parsing ${quoted(path)}`, async () => parseParameters(await parseYaml(bytes)));
}

const noKey =
  "no private key source provided (neither a private key nor Fulcio) when preparing to create sigstore signatures";
const manyKeys =
  "multiple private key sources specified when preparing to create sigstore signatures";

function parseParameters(file: Yaml): SigstoreParameters {
  const members = mappingOf(file, [
    "privateKeyFile",
    "privateKeyPassphraseFile",
    "fulcio",
    "rekorURL",
  ]);
  const path = textOf(members, "privateKeyFile");
  const passphraseFile = textOf(members, "privateKeyPassphraseFile");
  const fulcio = members.get("fulcio");
  const rekorUrl = textOf(members, "rekorURL");
  if (path !== undefined && fulcio !== undefined) throw wrong(manyKeys);
  const log = rekorUrl === undefined ? {} : { rekorUrl };
  if (fulcio !== undefined) return { key: fulcioOf(fulcio), ...log };
  if (path === undefined) throw wrong(noKey);
  return {
    key: { kind: "file", path, ...(passphraseFile !== undefined && { passphraseFile }) },
    ...log,
  };
}

function fulcioOf(fulcio: Yaml): KeyParameters {
  const members = mappingOf(fulcio, [
    "fulcioURL",
    "oidcMode",
    "oidcIDToken",
    "oidcIssuerURL",
    "oidcClientID",
    "oidcClientSecret",
  ]);
  const url = textOf(members, "fulcioURL");
  if (url === undefined) throw wrong("missing fulcioURL");
  return { kind: "fulcio", url, login: loginOf(members) };
}

function loginOf(members: YamlMapping): LoginParameters {
  const mode = textOf(members, "oidcMode");
  switch (mode) {
    case undefined:
      throw wrong("missing oidcMode");
    case "staticToken": {
      const token = textOf(members, "oidcIDToken");
      if (token === undefined) throw wrong("missing oidcToken");
      return { kind: mode, token };
    }
    case "deviceGrant":
    case "interactive": {
      const issuerUrl = textOf(members, "oidcIssuerURL");
      if (issuerUrl === undefined) throw wrong("missing oidcIssuerURL");
      const clientSecret = textOf(members, "oidcClientSecret");
      return {
        kind: mode,
        issuerUrl,
        clientId: textOf(members, "oidcClientID") ?? "",
        ...(clientSecret !== undefined && { clientSecret }),
      };
    }
  }
  throw wrong(`unknown oidcMode value ${quoted(mode)}`);
}

function mappingOf(value: Yaml, known: readonly string[]): YamlMapping {
  if (value === "") return new Map();
  if (!(value instanceof Map)) throw wrong("it is no mapping");
  const members: YamlMapping = value;
  for (const name of members.keys()) {
    if (!known.includes(name)) throw wrong(`unknown field ${quoted(name)}`);
  }
  return members;
}

/** Returns a text, or undefined if it is not there or empty. */
function textOf(members: YamlMapping, name: string): string | undefined {
  const value = members.get(name) ?? "";
  if (typeof value !== "string") throw wrong(`${name} is no text`);
  return value === "" ? undefined : value;
}

function wrong(message: string): Failure {
  return new Failure("config", message);
}
