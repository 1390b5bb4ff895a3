// Registries file: what one file of registries.conf says.

import * as v from "valibot";

import { Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import { isHost } from "../content/docker-name.ts";
import { checkAliases } from "./short-name-alias.ts";

/** What is said about the images below one prefix. */
export interface RegistryEntry {
  /** `host`, `host/path` or `*.example.com`. */
  readonly prefix: string;
  /** What stands in the place of the prefix; empty where a wildcard leaves names as they are. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  /** In the order to try them. */
  readonly mirrors: readonly Mirror[];
}

/** Another place for the images below a prefix. */
export interface Mirror {
  readonly location: string;
  readonly insecure: boolean;
  /** Which images may come from there: all, or only those named by digest, or only those that are not. */
  readonly serves: MirrorUse;
}

/** As `pull-from-mirror` spells it. */
export type MirrorUse = (typeof mirrorUses)[number];

/** One file, checked. */
export interface RegistriesFile {
  readonly registries: readonly RegistryEntry[];
  /** Absent if the file does not say. */
  readonly credentialHelpers?: readonly string[];
  /** What the file says beyond that, and nobody knows. */
  readonly unknownKeys: readonly string[];
}

/** Parses one file. Fails with `config`, in the original's words where it has any. */
export function parseRegistriesFile(bytes: Uint8Array): RegistriesFile {
  const toml = parseToml(bytes);
  if (isVersion1(toml)) {
    throw invalid("registries.conf must be in v2 format but is in v1", {
      hint: "write a [[registry]] table for each registry; see containers-registries.conf(5)",
    });
  }
  const file = read(toml);
  const registries = file.registry.map(entryOf);
  checkConflicts(registries);
  for (const host of file["unqualified-search-registries"].map(placeOf)) {
    if (!isHost(host)) throw invalid(`Invalid unqualified-search-registries entry ${quoted(host)}`);
  }
  const mode = file["short-name-mode"];
  if (!shortNameModes.has(mode)) throw invalid(`invalid short-name mode: ${quoted(mode)}`);
  checkAliases(file.aliases);
  const credentialHelpers = file["credential-helpers"];
  return {
    registries: firstOfEachPrefix(registries),
    ...(credentialHelpers !== undefined && { credentialHelpers }),
    unknownKeys: unknownKeys(toml, file),
  };
}

const mirrorUses = ["all", "digest-only", "tag-only"] as const;

/** These are of use only to who resolves short names; here no name is resolved. */
const shortNameModes: ReadonlySet<string> = new Set(["", "disabled", "enforcing", "permissive"]);

const text = v.optional(v.string(), "");
const flag = v.optional(v.boolean(), false);
const texts = v.array(v.string());

const mirrorShape = v.object({ location: text, insecure: flag, "pull-from-mirror": text });

const registryShape = v.object({
  prefix: text,
  location: text,
  insecure: flag,
  blocked: flag,
  "mirror-by-digest-only": flag,
  "pull-from-mirror": text,
  mirror: v.optional(v.array(mirrorShape), []),
});

const fileShape = v.object({
  registry: v.optional(v.array(registryShape), []),
  "unqualified-search-registries": v.optional(texts, []),
  "short-name-mode": text,
  "credential-helpers": v.optional(texts),
  "additional-layer-store-auth-helper": text,
  aliases: v.optional(v.record(v.string(), v.string()), {}),
});

type Shape = v.InferOutput<typeof fileShape>;

function parseToml(bytes: Uint8Array): object {
  try {
    return Bun.TOML.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw invalid(`toml: ${message.replace(/^TOML Parse error: /, "")}`, { cause: error });
  }
}

/** Tables that only the format of old had. */
function isVersion1(toml: object): boolean {
  if (!("registries" in toml)) return false;
  const { registries } = toml;
  return typeof registries === "object" && registries !== null;
}

function read(toml: object): Shape {
  const { success, output, issues } = v.safeParse(fileShape, toml);
  if (success) return output;
  const [{ message, path = [] }] = issues;
  const place = path.map(({ key }) => (typeof key === "number" ? key + 1 : String(key))).join(".");
  throw invalid(`toml: ${quoted(place)}: ${message.replace(/^Invalid type: /, "")}`);
}

function entryOf(table: Shape["registry"][number]): RegistryEntry {
  const location = placeOf(table.location);
  const prefix = table.prefix === "" ? location : placeOf(table.prefix);
  if (prefix === "") throw invalid("invalid condition: both location and prefix are unset");
  const wildcard = prefix.startsWith("*.");
  if (wildcard && /[/@:]/.test(prefix)) {
    throw invalid(
      `Wildcarded prefix should be in the format: *.example.com. Current prefix ${quoted(prefix)} is incorrectly formatted`,
    );
  }
  if (location === "" && !wildcard) {
    throw invalid(
      "invalid condition: location is unset and prefix is not in the format: *.example.com",
    );
  }
  if (table["pull-from-mirror"] !== "") {
    throw invalid(`pull-from-mirror must not be set for a non-mirror registry ${quoted(prefix)}`);
  }
  const { insecure, blocked } = table;
  const digestOnly = table["mirror-by-digest-only"];
  const mirrors = table.mirror.map((mirror) => mirrorOf(mirror, { prefix, digestOnly }));
  return { prefix, location, insecure, blocked, mirrors };
}

function mirrorOf(
  table: Shape["registry"][number]["mirror"][number],
  { prefix, digestOnly }: { readonly prefix: string; readonly digestOnly: boolean },
): Mirror {
  const location = placeOf(table.location);
  if (location === "") throw invalid("invalid condition: mirror location is unset");
  const said = table["pull-from-mirror"];
  if (digestOnly && said !== "") {
    throw invalid(
      `cannot set mirror usage mirror-by-digest-only for the registry (${quoted(prefix)}) and pull-from-mirror for per-mirror (${quoted(location)}) at the same time`,
    );
  }
  const serves = mirrorUses.find((use) => use === said);
  if (serves === undefined && said !== "") {
    throw invalid(
      `unsupported pull-from-mirror value ${quoted(said)} for mirror ${quoted(location)}`,
    );
  }
  return {
    location,
    insecure: table.insecure,
    serves: serves ?? (digestOnly ? "digest-only" : "all"),
  };
}

function placeOf(text: string): string {
  if (!/^https?:\/\//.test(text)) return trimmed(text);
  throw invalid(`invalid location '${text}': URI schemes are not supported`);
}

function trimmed(text: string): string {
  return text.replace(/\/+$/, "");
}

/** Names that lead to one place are spoken to in one way. */
function checkConflicts(registries: readonly RegistryEntry[]): void {
  const known = new Map<string, RegistryEntry>();
  for (const entry of registries) {
    const { location } = entry;
    // A wildcard without one leads to as many places as it has names.
    if (location === "") continue;
    const other = known.get(location) ?? entry;
    for (const setting of ["insecure", "blocked"] as const) {
      if (other[setting] === entry[setting]) continue;
      throw invalid(
        `registry '${location}' is defined multiple times with conflicting '${setting}' setting`,
      );
    }
    known.set(location, other);
  }
}

function firstOfEachPrefix(registries: readonly RegistryEntry[]): readonly RegistryEntry[] {
  return registries.filter(
    ({ prefix }, index) => registries.findIndex((each) => each.prefix === prefix) === index,
  );
}

/** What the shapes have left out, such as `registry.locaton`. */
function unknownKeys(given: unknown, known: unknown, path = ""): readonly string[] {
  if (Array.isArray(given) && Array.isArray(known)) {
    return [...new Set(given.flatMap((item, index) => unknownKeys(item, known[index], path)))];
  }
  if (!isTable(given) || !isTable(known)) return [];
  return Object.entries(given).flatMap(([key, value]) => {
    const here = path === "" ? key : `${path}.${key}`;
    return Object.hasOwn(known, key) ? unknownKeys(value, known[key], here) : [here];
  });
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(
  message: string,
  details: { readonly hint?: string; readonly cause?: unknown } = {},
): Failure {
  return new Failure("config", message, details);
}
