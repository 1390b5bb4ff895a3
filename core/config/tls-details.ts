// TLS details: which versions, ciphers and groups may be spoken, as a file says that the user names.

import { during, Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import { type TlsProtocol, tlsVersions } from "../http-tls.ts";
import { readConfigFile } from "./config-file.ts";
import { parseYaml, type Yaml } from "../yaml.ts";

/**
 * Reads a file as containers-tls-details.yaml(5) describes it.
 *
 * What the runtime cannot keep to is refused, never ignored: fails with `config` for what is no such
 * file, and with `unsupported` for sensible wishes that cannot be fulfilled.
 */
export async function readTlsDetails(path: string): Promise<TlsProtocol> {
  return during(`loading TLS details ${quoted(path)}`, async () =>
    protocolOf(await parseYaml(await readConfigFile(path))),
  );
}

function protocolOf(yaml: Yaml): TlsProtocol {
  if (yaml === "") return {};
  if (!(yaml instanceof Map)) throw invalid("the file is no mapping");
  for (const key of yaml.keys()) {
    if (!keys.has(key)) throw invalid(`unknown key ${quoted(key)}`);
  }
  const said = (key: string, read: (value: Yaml) => TlsProtocol): TlsProtocol => {
    const value = yaml.get(key);
    return value === undefined ? {} : read(value);
  };
  const oldestSaid = said("minVersion", oldest);
  const suitesSaid = said("cipherSuites", (value) => suites(textsOf("cipherSuites", value)));
  if (oldestSaid.minVersion === "1.3" && suitesSaid.maxVersion === "1.2") {
    throw invalid("minVersion asks for TLS 1.3, of which cipherSuites names nothing");
  }
  return {
    ...oldestSaid,
    // Where these name a version, it is the newest there is.
    ...suitesSaid,
    ...said("namedGroups", (value) => ({ namedGroups: groups(textsOf("namedGroups", value)) })),
  };
}

const keys: ReadonlySet<string> = new Set(["minVersion", "cipherSuites", "namedGroups"]);

function oldest(value: Yaml): TlsProtocol {
  if (value === "") return {};
  const minVersion = tlsVersions.find((version) => version === value);
  if (minVersion !== undefined) return { minVersion };
  throw invalid(`minVersion is none of ${tlsVersions.join(", ")}`);
}

/** The runtime takes all suites of TLS 1.3 or, without that version, none. */
function suites(names: readonly string[]): TlsProtocol {
  const newest = newestSuites.filter((suite) => names.includes(suite));
  if (newest.length !== 0 && newest.length !== newestSuites.length) {
    throw unsupported(
      `cipherSuites names some suites of TLS 1.3 but not all, among which no choice can be made`,
      `name all of ${newestSuites.join(", ")}, or none of them to do without TLS 1.3`,
    );
  }
  const older = names.filter((suite) => !newestSuites.includes(suite));
  return {
    ...(older.length > 0 && { cipherSuites: older.map((suite) => opensslName(suite)) }),
    ...(older.length === 0 && { minVersion: "1.3" }),
    ...(newest.length === 0 && { maxVersion: "1.2" }),
  };
}

const newestSuites: readonly string[] = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
];

/** The names of IANA, and those by which the runtime knows what it has of them. */
const olderSuites: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: "ECDHE-ECDSA-AES128-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: "ECDHE-RSA-AES128-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_RSA_WITH_AES_128_GCM_SHA256: "AES128-GCM-SHA256",
  TLS_RSA_WITH_AES_256_GCM_SHA384: "AES256-GCM-SHA384",
  TLS_RSA_WITH_AES_128_CBC_SHA: "AES128-SHA",
  TLS_RSA_WITH_AES_256_CBC_SHA: "AES256-SHA",
};

function opensslName(suite: string): string {
  return known(olderSuites, suite, "cipher suite");
}

function groups(names: readonly string[]): readonly string[] {
  return names.map((name) => known(groupNames, name, "named group"));
}

const groupNames: Readonly<Record<string, string>> = {
  secp256r1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
  x25519: "X25519",
  X25519MLKEM768: "X25519MLKEM768",
};

function known(names: Readonly<Record<string, string>>, name: string, what: string): string {
  const spelled = Object.hasOwn(names, name) ? names[name] : undefined;
  if (spelled !== undefined) return spelled;
  throw unsupported(
    `the ${what} ${quoted(name)} is not spoken`,
    `choose from ${Object.keys(names).join(", ")}`,
  );
}

function textsOf(key: string, value: Yaml): readonly string[] {
  if (!Array.isArray(value)) throw invalid(`${key} is no list`);
  if (value.length === 0) throw invalid(`${key} allows nothing: no connection could be made`);
  return value.map((item) => {
    if (typeof item === "string") return item;
    throw invalid(`${key} holds something that is no text`);
  });
}

function invalid(message: string): Failure {
  return new Failure("config", message);
}

function unsupported(message: string, hint: string): Failure {
  return new Failure("unsupported", message, { hint });
}
