// Registry look-up: which entry of registries.conf is about an image, and where it may be read from.

import {
  type DockerName,
  fullName,
  fullRepository,
  parseCanonicalDockerName,
} from "../content/docker-name.ts";
import { asFailure, Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import type { RegistriesConf } from "./registries-conf.ts";
import type { RegistryEntry } from "./registries-file.ts";

/** A place that an image may be read from. */
export interface Place {
  /** What the image is called there. */
  readonly name: DockerName;
  /** Whether plain HTTP and unverified certificates are allowed there. */
  readonly insecure: boolean;
}

/** Returns the entry with the longest prefix of `repository`, such as `docker.io/library/busybox`. */
export function entryFor(
  { registries }: Pick<RegistriesConf, "registries">,
  repository: string,
): RegistryEntry | undefined {
  return registries
    .filter(({ prefix }) => matchedLength(prefix, repository) !== undefined)
    .reduce<RegistryEntry | undefined>(
      (longest, entry) =>
        longest === undefined || entry.prefix.length > longest.prefix.length ? entry : longest,
      undefined,
    );
}

/** Fails with `refused` if the configuration blocks what `entry` is about. */
export function checkNotBlocked(entry: RegistryEntry | undefined, files: readonly string[]): void {
  if (entry?.blocked !== true) return;
  throw new Failure(
    "refused",
    `registry ${entry.prefix} is blocked in one of [${files.map((file) => quoted(file)).join(" ")}]`,
  );
}

/**
 * Returns where an image may be read from, in the order to try: its usable mirrors, and last the place
 * that is meant by its name. Fails with `config` if a name cannot be rewritten.
 */
export function placesOf(conf: RegistriesConf, name: DockerName): readonly Place[] {
  const entry = entryFor(conf, fullRepository(name));
  if (entry === undefined) return [{ name, insecure: false }];
  const use = name.digest === undefined ? "tag-only" : "digest-only";
  const mirrors = entry.mirrors.filter(({ serves }) => serves === "all" || serves === use);
  return [...mirrors, entry].map(({ location, insecure }) => ({
    name: rewritten(name, entry.prefix, location),
    insecure,
  }));
}

function rewritten(name: DockerName, prefix: string, location: string): DockerName {
  // A wildcard without a location leaves names as they are.
  if (location === "") return name;
  const text = fullName(name);
  const length = matchedLength(prefix, text) ?? 0;
  try {
    return parseCanonicalDockerName(location + text.slice(length));
  } catch (error) {
    throw new Failure("config", `rewriting reference: ${asFailure(error).message}`, {
      cause: error,
    });
  }
}

/** Returns how much of a name a prefix matches, or undefined if it does not match. */
function matchedLength(prefix: string, name: string): number | undefined {
  if (prefix.startsWith("*.")) {
    const [host = ""] = name.split("/", 1);
    const domain = host.replace(/:\d*$/, "");
    const within = domain.length > prefix.length - 1 && domain.endsWith(prefix.slice(1));
    return within ? domain.length : undefined;
  }
  const rest = name.slice(prefix.length);
  const whole = rest === "" || /^[:/@]/.test(rest);
  return name.startsWith(prefix) && whole ? prefix.length : undefined;
}
