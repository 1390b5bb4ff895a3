// Registries directory: where signatures are kept beside registries, as the files of registries.d say.

import { join } from "node:path";

import { type DockerName, policyIdentityOf, policyNamespacesOf } from "../content/docker-name.ts";
import type { Environment } from "../environment.ts";
import { asFailure, during, Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import type { SignatureStorage } from "../image/registry-access.ts";
import { entriesIfAny, exists, readConfigFileIfAny } from "./config-file.ts";
import { userDirectory } from "./locations.ts";
import { rootlessUser } from "./rootless-user.ts";
import type { Yaml, YamlMapping } from "../yaml.ts";

/** What all files say together. */
export interface RegistriesDirectory {
  /** By image, repository, path, host, or `*.` and a domain. */
  readonly namespaces: ReadonlyMap<string, SignatureStorage>;
  /** For all others. */
  readonly fallback: SignatureStorage;
}

/** Returns the directory to read; an empty `explicit` path counts as none. */
export async function registriesDirectoryOf(
  environment: Environment,
  explicit = "",
): Promise<string> {
  if (explicit !== "") return explicit;
  const user = userDirectory({ ...environment, variables: {} });
  const own = user === undefined ? undefined : join(user, "registries.d");
  return own !== undefined && exists(own) ? own : "/etc/containers/registries.d";
}

/**
 * Reads all `*.yaml` files of a directory; there need be none, nor a directory.
 *
 * Fails with `config` if one cannot be read or understood, or two speak of the same place.
 */
export async function readRegistriesDirectory(directory: string): Promise<RegistriesDirectory> {
  const origins = new Map<string, string>();
  const namespaces = new Map<string, SignatureStorage>();
  let fallback: SignatureStorage = {};
  const claim = (what: string, path: string) => {
    const other = origins.get(what);
    if (other !== undefined) throw definedTwice(what, path, other);
    origins.set(what, path);
  };
  for (const path of yamlFiles(directory)) {
    const file = await readFile(path);
    if (file.fallback !== undefined) {
      claim(quoted("default-docker"), path);
      fallback = file.fallback;
    }
    for (const [namespace, storage] of file.namespaces) {
      claim(`"docker" namespace ${quoted(namespace)}`, path);
      namespaces.set(namespace, storage);
    }
  }
  return { namespaces, fallback };
}

/**
 * Returns what is said about the signatures of one image. Each setting comes from the narrowest place
 * that has it: the image itself, the repository, each path above it, the host, its domains, all others.
 * Who says where signatures are read, and nothing of writing, says where they are written, too.
 */
export function signatureStorageFor(
  { namespaces, fallback }: RegistriesDirectory,
  name: DockerName,
): SignatureStorage {
  const places = [policyIdentityOf(name), ...policyNamespacesOf(name)];
  return places.reduceRight<SignatureStorage>(
    (wider, place) => narrowed(wider, namespaces.get(place) ?? {}),
    fallback,
  );
}

function narrowed(
  { lookasideStaging, ...wider }: SignatureStorage,
  narrower: SignatureStorage,
): SignatureStorage {
  const inherits = lookasideStaging !== undefined && narrower.lookaside === undefined;
  return { ...wider, ...(inherits && { lookasideStaging }), ...narrower };
}

/** Returns where signatures are if nobody says so, as a URL; undefined for a user without a home. */
export function defaultLookaside(environment: Environment): string | undefined {
  const { home } = environment;
  if (rootlessUser(environment) === undefined) return "file:///var/lib/containers/sigstore";
  return home === ""
    ? undefined
    : Bun.pathToFileURL(join(home, ".local/share/containers/sigstore")).href;
}

function definedTwice(what: string, path: string, other: string): Failure {
  return new Failure(
    "config",
    `Error parsing signature storage configuration: ${what} defined both in ${quoted(path)} and ${quoted(other)}`,
  );
}

function yamlFiles(directory: string): readonly string[] {
  try {
    const names = entriesIfAny(directory)?.map(({ name }) => name) ?? [];
    return names
      .filter((name) => name.endsWith(".yaml"))
      .sort()
      .map((name) => join(directory, name));
  } catch (error) {
    throw new Failure("config", asFailure(error).message, { cause: error });
  }
}

interface StorageFile {
  readonly namespaces: ReadonlyMap<string, SignatureStorage>;
  /** Absent if the file does not say. */
  readonly fallback?: SignatureStorage;
}

async function readFile(path: string): Promise<StorageFile> {
  // As the original: a link that leads nowhere is passed over.
  const bytes = await readConfigFileIfAny(path);
  if (bytes === undefined) return { namespaces: new Map() };
  return during(`parsing ${path}`, async () => {
    const { parseYaml } = await import("../yaml.ts");
    const file = mappingOf(await parseYaml(bytes), "the file");
    const places = [...mappingOf(file.get("docker") ?? "", quoted("docker"))];
    const fallback = file.get("default-docker");
    return {
      namespaces: new Map(places.map(([place, said]) => [place, storageOf(said, quoted(place))])),
      ...(fallback !== undefined && { fallback: storageOf(fallback, quoted("default-docker")) }),
    };
  });
}

function storageOf(said: Yaml, where: string): SignatureStorage {
  const settings = mappingOf(said, where);
  const text = (...keys: readonly string[]): string | undefined => {
    const values = keys.map((key) => {
      const value = settings.get(key) ?? "";
      if (typeof value === "string") return value;
      throw invalid(`${quoted(key)} of ${where} is no text`);
    });
    return values.find((value) => value !== "");
  };
  const lookaside = text("lookaside", "sigstore");
  const lookasideStaging = text("lookaside-staging", "sigstore-staging");
  const attachments = text("use-sigstore-attachments");
  return {
    ...(lookaside !== undefined && { lookaside }),
    ...(lookasideStaging !== undefined && { lookasideStaging }),
    ...(attachments !== undefined && { sigstoreAttachments: truthOf(attachments, where) }),
  };
}

function truthOf(text: string, where: string): boolean {
  if (yes.test(text)) return true;
  if (no.test(text)) return false;
  throw invalid(`"use-sigstore-attachments" of ${where} is neither true nor false`);
}

// All that the original's reader takes for a truth.
const yes = /^(y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE)$/;
const no = /^(n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$/;

function mappingOf(value: Yaml, where: string): YamlMapping {
  if (value === "") return new Map();
  if (value instanceof Map) return value;
  throw invalid(`${where} is no mapping`);
}

function invalid(message: string): Failure {
  return new Failure("config", message);
}
