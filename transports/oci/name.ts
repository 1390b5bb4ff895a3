// Name: which image of which layout somebody means.

import { Failure } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import { explicitPath } from "../shared/explicit-path.ts";
import { directoriesAbove } from "../shared/path-scope.ts";
import { parsePosition } from "../shared/position.ts";

/** Which entry of a layout's index is meant. */
export type WantedEntry =
  | { readonly by: "name"; readonly name: string }
  | { readonly by: "position"; readonly position: number }
  /** The only one there is. */
  | { readonly by: "itself" };

/** The name of an image in a layout. */
export interface OciName extends ImageName {
  /** The layout's directory, as it was given. */
  readonly path: string;
  readonly wanted: WantedEntry;
}

/** Parses `PATH[:IMAGE|:@INDEX]`. Fails with `usage`, in the original's words. */
export function parseOciName(text: string): OciName {
  const colon = text.indexOf(":");
  const path = colon < 0 ? text : text.slice(0, colon);
  const wanted = parseWanted(colon < 0 ? "" : text.slice(colon + 1));
  const identity = explicitPath(path);
  return {
    transport: "oci",
    text: `${path}:${spelledEntry(wanted)}`,
    path,
    wanted,
    policyIdentity: identity,
    policyNamespaces: [identity, ...directoriesAbove(identity)],
  };
}

function parseWanted(text: string): WantedEntry {
  if (!text.startsWith("@")) return parseEntryName(text);
  return { by: "position", position: parsePosition(text.slice(1), "not an integer: ") };
}

/**
 * Parses the name of an image in a layout; empty for the only one. Fails with `usage`, also for a
 * position.
 */
export function parseEntryName(text: string): Exclude<WantedEntry, { by: "position" }> {
  if (text === "") return { by: "itself" };
  if (!text.split("/").every(isNameComponent)) throw new Failure("usage", `Invalid image ${text}`);
  return { by: "name", name: text };
}

/** Letters and digits, between which stand single marks or two hyphens. */
function isNameComponent(text: string): boolean {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:@+-]*$/.test(text) || !/[A-Za-z0-9]$/.test(text)) return false;
  return (text.match(/[._:@+-]{2,}/g) ?? []).every((marks) => marks === "--");
}

function spelledEntry(wanted: WantedEntry): string {
  switch (wanted.by) {
    case "name":
      return wanted.name;
    case "position":
      return `@${wanted.position}`;
    case "itself":
      return "";
  }
}
