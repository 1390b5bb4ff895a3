// Registries configuration: registries.conf and all that adds to it, as one.

import { during } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import type { TransportLog } from "../image/transport.ts";
import { readAllLocated } from "./located-file.ts";
import type { Locations } from "./locations.ts";
import type { RegistryEntry } from "./registries-file.ts";

/** What all the files say together. */
export interface RegistriesConf {
  /** No two of them have one prefix. */
  readonly registries: readonly RegistryEntry[];
  /** Who is asked for credentials, in this order; absent if no file says. */
  readonly credentialHelpers?: readonly string[];
  /** The files that were read, in this order. */
  readonly files: readonly string[];
}

/**
 * Reads the main file, what adds to it, and the override. What comes later takes the place of entries
 * with the same prefix, and of whole lists.
 *
 * Fails with `config` if a file cannot be read or understood, and if one that was named does not exist.
 */
export async function readRegistriesConf(
  locations: Locations,
  log: TransportLog,
): Promise<RegistriesConf> {
  const registries = new Map<string, RegistryEntry>();
  const files: string[] = [];
  let helpers: readonly string[] | undefined;
  const step = "loading registries configuration";
  // Only who reaches a registry needs what checks shapes.
  const { parseRegistriesFile } = await import("./registries-file.ts");
  for await (const { path, bytes } of readAllLocated(locations, step)) {
    const file = await during(`${step} ${quoted(path)}`, () => parseRegistriesFile(bytes));
    const { unknownKeys } = file;
    if (unknownKeys.length > 0) {
      log.debug(`Ignoring the unknown keys of ${quoted(path)}: ${unknownKeys.join(", ")}`);
    }
    for (const entry of file.registries) registries.set(entry.prefix, entry);
    helpers = file.credentialHelpers ?? helpers;
    files.push(path);
  }
  return {
    registries: [...registries.values()],
    ...(helpers !== undefined && { credentialHelpers: helpers }),
    files,
  };
}
