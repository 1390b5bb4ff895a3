// Certificates: directories that say whom to believe and who we are.

import { join } from "node:path";

import type { Environment } from "../environment.ts";
import { Failure } from "../failure.ts";
import { entriesIfAny, readConfigFile } from "./config-file.ts";

/** What a certificate directory holds for one registry or engine. All PEM texts. */
export interface Certificates {
  /** Believed in addition to those of the system. */
  readonly authorities: readonly string[];
  /** Shown to whoever is spoken to if it asks; absent if there is none. */
  readonly client?: { readonly certificate: string; readonly key: string };
}

/** Returns the directories to look for a registry's certificates in; only the first that exists counts. */
export function certificateDirectories(host: string, { home }: Environment): readonly string[] {
  const user = home === "" ? [] : [join(home, ".config/containers/certs.d")];
  return [...user, "/etc/containers/certs.d", "/etc/docker/certs.d"].map((path) =>
    join(path, host),
  );
}

/**
 * Reads a directory of certificates: `*.crt` are authorities, `X.cert` with `X.key` is who we are.
 *
 * Returns undefined if there is no such directory, or it may not be read. Other files are ignored. Of
 * several pairs, the first by name counts. Fails with `config` on half a pair and on what is no PEM.
 */
export async function readCertificates(directory: string): Promise<Certificates | undefined> {
  const names = namesIn(directory);
  if (names === undefined) return undefined;
  const path = (name: string) => join(directory, name);
  const authorities = names.filter((name) => name.endsWith(".crt"));
  const [own] = pairsIn(names);
  return {
    authorities: await Promise.all(authorities.map((name) => readAuthorities(path(name)))),
    ...(own !== undefined && {
      client: {
        certificate: await readPem(path(`${own}.cert`), "CERTIFICATE"),
        key: await readPem(path(`${own}.key`), "[A-Z0-9 ]*PRIVATE KEY"),
      },
    }),
  };
}

/**
 * Reads a directory as Docker's clients have it: `ca.pem`, an authority, and `cert.pem` with `key.pem`,
 * which is who we are.
 *
 * Without `verify` nobody asks for the authority. Fails with `config` if it is missing otherwise, on half
 * a pair, and on what is no PEM.
 */
export async function readDaemonCertificates(
  directory: string,
  verify: boolean,
): Promise<Certificates> {
  const path = (name: string) => join(directory, name);
  const names = namesIn(directory) ?? [];
  const own = names.includes("cert.pem") || names.includes("key.pem");
  return {
    authorities: verify ? [await readAuthorities(path("ca.pem"))] : [],
    ...(own && {
      client: {
        certificate: await readPem(path("cert.pem"), "CERTIFICATE"),
        key: await readPem(path("key.pem"), "[A-Z0-9 ]*PRIVATE KEY"),
      },
    }),
  };
}

/**
 * Reads what `$SSL_CERT_FILE` and `$SSL_CERT_DIR` put in the place of the system's authorities; undefined
 * if neither is set.
 *
 * As the original does it: the one stands for the system's bundle and the other, a list of directories
 * divided by colons, for its directories, so that who sets only one of them keeps the rest of the
 * system's. Files that hold no certificate are passed over.
 */
export async function readSystemAuthorities({
  variables,
}: Environment): Promise<readonly string[] | undefined> {
  const file = variables["SSL_CERT_FILE"] || undefined;
  const directories = variables["SSL_CERT_DIR"] || undefined;
  if (file === undefined && directories === undefined) return undefined;
  const found = new Set<string>();
  for (const path of file === undefined ? systemBundles : [file]) {
    const certificates = await certificatesAt(path);
    for (const each of certificates ?? []) found.add(each);
    if (certificates !== undefined) break;
  }
  for (const directory of directories?.split(":") ?? systemDirectories) {
    const names = directory === "" ? undefined : namesIn(directory);
    for (const name of names ?? []) {
      for (const each of (await certificatesAt(join(directory, name))) ?? []) found.add(each);
    }
  }
  return [...found];
}

/** Where systems keep all authorities in one file; the first that exists counts. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Where systems keep each in a file of its own. */
const systemDirectories = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Returns the certificates in a file, or undefined if it cannot be read. */
async function certificatesAt(path: string): Promise<readonly string[] | undefined> {
  try {
    return new TextDecoder().decode(await readConfigFile(path)).match(certificateBlock) ?? [];
  } catch (error) {
    if (error instanceof Failure && error.code === "config") return undefined;
    throw error;
  }
}

function namesIn(directory: string): readonly string[] | undefined {
  try {
    return entriesIfAny(directory)
      ?.map(({ name }) => name)
      .sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && ignored.has(error.code)) return undefined;
    throw error;
  }
}

/** As the original: a directory that cannot be read is as good as none. */
const ignored = new Set<unknown>(["EACCES", "EPERM"]);

/** Returns what stands before `.cert` and `.key` where both exist. */
function pairsIn(names: readonly string[]): readonly string[] {
  const stems = (suffix: string) =>
    names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  const [certificates, keys] = [stems(".cert"), stems(".key")];
  for (const stem of certificates) {
    if (keys.includes(stem)) continue;
    throw new Failure(
      "config",
      `missing key ${stem}.key for client certificate ${stem}.cert. Note that CA certificates should use the extension .crt`,
    );
  }
  for (const stem of keys) {
    if (certificates.includes(stem)) continue;
    throw new Failure("config", `missing client certificate ${stem}.cert for key ${stem}.key`);
  }
  return certificates;
}

function readAuthorities(path: string): Promise<string> {
  return readPem(path, "CERTIFICATE");
}

/** Whatever is no PEM would only show as a connection that fails without a reason. */
async function readPem(path: string, label: string): Promise<string> {
  const text = new TextDecoder().decode(await readConfigFile(path));
  const block = new RegExp(`-----BEGIN (${label})-----\\r?\\n[^-]+-----END \\1-----`);
  if (block.test(text)) return text;
  throw new Failure(
    "config",
    `File ${JSON.stringify(path)} holds no PEM block of the kind it should`,
    {
      hint: "a certificate in DER form can be converted by: openssl x509 -inform der -outform pem",
    },
  );
}
