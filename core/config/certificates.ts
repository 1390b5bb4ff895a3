// Certificates: directories that say whom to believe and who we are.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Environment } from "../environment.ts";
import { Failure } from "../failure.ts";
import { isMissing, readConfigFile } from "./config-file.ts";

/** What a certificate directory holds for one registry. All PEM texts. */
export interface Certificates {
  /** Believed in addition to those of the system. */
  readonly authorities: readonly string[];
  /** Shown to the registry if it asks; absent if there is none. */
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
  const names = await namesIn(directory);
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

/** Reads the file that `$SSL_CERT_FILE` names; undefined if it names none that exists. */
export async function readSystemAuthorities({
  variables,
}: Environment): Promise<string | undefined> {
  const path = variables["SSL_CERT_FILE"] ?? "";
  if (path === "") return undefined;
  try {
    return await readAuthorities(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function namesIn(directory: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && ignored.has(error.code)) return undefined;
    throw error;
  }
}

/** As the original: a directory that cannot be read is as good as none. */
const ignored = new Set<unknown>(["ENOENT", "ENOTDIR", "EACCES", "EPERM"]);

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
