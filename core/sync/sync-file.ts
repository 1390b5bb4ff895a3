// SyncFile: the YAML that says what is to be synchronized.
//
// The keys are the original's, and beside them some of our own. What nobody knows is passed over, as the
// original does it.

import { Failure } from "../failure.ts";
import { type Yaml, type YamlMapping, parseFirstYaml } from "../yaml.ts";

/** What is wanted of one registry. */
export interface SyncFileRegistry {
  /** As it is written there: a domain, perhaps with a port, perhaps with a path. */
  readonly registry: string;
  readonly images: readonly WantedRepository[];
  /** Patterns for tags, by repository. */
  readonly patterns: readonly (readonly [repository: string, pattern: string])[];
  /** Constraints on versions, by repository. */
  readonly constraints: readonly (readonly [repository: string, constraint: string])[];
  /** Absent: whoever the command line says we are. */
  readonly credentials?: SyncFileCredentials;
  /** Absent: as the command line says. */
  readonly tlsVerify?: boolean;
  /** Empty where the file says nothing; it then stands for nothing, too. */
  readonly certDirectory: string;
  /** Holds for all repositories of the registry. */
  readonly filter: TagFilter;
}

/** One repository of which images are wanted. */
export interface WantedRepository {
  readonly repository: string;
  /** Empty: all tags. */
  readonly wanted: readonly WantedImage[];
  /** Holds for tags that are not named one by one. */
  readonly filter: TagFilter;
}

/** One image that was named. */
export interface WantedImage {
  /** A tag or a digest, as it stands there. */
  readonly reference: string;
  /** What it is to be called at the destination; absent: as usual. */
  readonly to?: string;
}

/** Which tags are wanted, all of it at once. */
export interface TagFilter {
  /** A tag has to match one of these, if there are any. */
  readonly include: readonly string[];
  /** And none of these. */
  readonly exclude: readonly string[];
  /** A constraint on versions. */
  readonly semver?: string;
  /** Only so many, by their versions. */
  readonly newest?: number;
}

/** What the file says about who we are. */
export interface SyncFileCredentials {
  readonly username: string;
  readonly password: string;
  /** Empty where there is none. */
  readonly identityToken: string;
}

/** Lets every tag through. */
export const everyTag: TagFilter = { include: [], exclude: [] };

/**
 * Parses the file. Fails with `config`, and names the place. The original reads the first document of
 * several; so does this, and `warn` hears of it.
 */
export async function parseSyncFile(
  bytes: Uint8Array,
  warn: (message: string) => void,
): Promise<readonly SyncFileRegistry[]> {
  const { value: root, more } = await parseFirstYaml(bytes);
  if (more) warn("The file holds several documents, of which only the first one counts");
  if (root === "") return [];
  return entriesOf(root, "the file").map(([registry, value]) => parseRegistry(registry, value));
}

function parseRegistry(registry: string, value: Yaml): SyncFileRegistry {
  const keys = new Map(entriesOf(value, registry));
  const at = (key: string) => `${registry}: ${key}`;
  const tlsVerify = keys.get("tls-verify");
  const credentials = keys.get("credentials");
  const named = (key: string) =>
    entriesOf(keys.get(key) ?? "", at(key)).map(
      ([repository, text]) => [repository, scalarOf(text, `${at(key)}: ${repository}`)] as const,
    );
  return {
    registry,
    images: entriesOf(keys.get("images") ?? "", at("images")).map(([repository, wanted]) =>
      parseRepository(repository, wanted, `${at("images")}: ${repository}`),
    ),
    patterns: named("images-by-tag-regex"),
    constraints: named("images-by-semver"),
    ...(tlsVerify !== undefined &&
      tlsVerify !== "" && { tlsVerify: truthOf(tlsVerify, at("tls-verify")) }),
    ...(credentials !== undefined &&
      credentials !== "" && { credentials: parseCredentials(credentials, at("credentials")) }),
    certDirectory: scalarOf(keys.get("cert-dir") ?? "", at("cert-dir")),
    filter: parseFilter(keys, registry),
  };
}

/** A list of references, as in the original, or a mapping that says more. */
function parseRepository(repository: string, value: Yaml, where: string): WantedRepository {
  if (value instanceof Map) {
    checkKeys(value, ["tags", "include", "exclude", "semver", "newest"], where);
    return {
      repository,
      wanted: listOf(value.get("tags") ?? "", `${where}: tags`).map((each) =>
        parseWanted(each, where),
      ),
      filter: parseFilter(value, where),
    };
  }
  const wanted = listOf(value, where).map((each) => parseWanted(each, where));
  return { repository, wanted, filter: everyTag };
}

function parseWanted(value: Yaml, where: string): WantedImage {
  if (typeof value === "string") return { reference: value };
  const keys = new Map(entriesOf(value, where));
  checkKeys(keys, ["ref", "to"], where);
  const reference = scalarOf(keys.get("ref") ?? "", `${where}: ref`);
  if (reference === "") throw fault(where, 'an image needs a "ref", its tag or digest');
  const to = scalarOf(keys.get("to") ?? "", `${where}: to`);
  return { reference, ...(to !== "" && { to }) };
}

/** These mappings are ours: what nobody knows in them is a mistake, and would mean other images than it says. */
function checkKeys(keys: YamlMapping, known: readonly string[], where: string): void {
  const unknown = [...keys.keys()].find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw fault(where, `there is no key ${JSON.stringify(unknown)} here, only ${known.join(", ")}`);
}

function parseFilter(keys: YamlMapping, where: string): TagFilter {
  const textsOf = (key: string) => {
    const value = keys.get(key) ?? "";
    if (typeof value === "string") return value === "" ? [] : [value];
    return listOf(value, `${where}: ${key}`).map((each) => scalarOf(each, `${where}: ${key}`));
  };
  const semver = scalarOf(keys.get("semver") ?? "", `${where}: semver`);
  const newest = scalarOf(keys.get("newest") ?? "", `${where}: newest`);
  if (newest !== "" && !/^[1-9]\d{0,6}$/.test(newest)) {
    throw fault(`${where}: newest`, `${JSON.stringify(newest)} is no number of images`);
  }
  return {
    include: textsOf("include"),
    exclude: textsOf("exclude"),
    ...(semver !== "" && { semver }),
    ...(newest !== "" && { newest: Number(newest) }),
  };
}

function parseCredentials(value: Yaml, where: string): SyncFileCredentials {
  const keys = new Map(entriesOf(value, where));
  const textOf = (key: string) => scalarOf(keys.get(key) ?? "", `${where}: ${key}`);
  return {
    username: textOf("username"),
    password: textOf("password"),
    identityToken: textOf("identitytoken"),
  };
}

function entriesOf(value: Yaml, where: string): readonly (readonly [string, Yaml])[] {
  if (value === "") return [];
  if (value instanceof Map) return [...value];
  throw fault(where, "is not a mapping");
}

function listOf(value: Yaml, where: string): readonly Yaml[] {
  if (value === "") return [];
  if (isList(value)) return value;
  throw fault(where, "is not a list");
}

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value);
}

function scalarOf(value: Yaml, where: string): string {
  if (typeof value === "string") return value;
  throw fault(where, "is not a plain value");
}

/** As YAML 1.1 spells truths, and the original takes them. */
function truthOf(value: Yaml, where: string): boolean {
  const text = typeof value === "string" ? value.toLowerCase() : "";
  if (["true", "yes", "on", "y"].includes(text)) return true;
  if (["false", "no", "off", "n"].includes(text)) return false;
  throw fault(where, "is neither true nor false");
}

function fault(where: string, what: string): Failure {
  return new Failure("config", `${where}: ${what}`);
}
