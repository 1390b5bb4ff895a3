// Name: which image of which archive somebody means.

import type { ImageName } from "../../../core/image/name.ts";
import { explicitPath } from "../../shared/explicit-path.ts";
import { directoriesAbove } from "../../shared/path-scope.ts";
import { parseEntryName, type WantedEntry } from "../name.ts";

/** The name of an image in an archive of a layout. */
export interface OciArchiveName extends ImageName {
  /** The archive, as it was given. */
  readonly path: string;
  readonly wanted: Exclude<WantedEntry, { by: "position" }>;
}

/** Parses `FILE[:IMAGE]`. Fails with `usage`, in the original's words. */
export function parseOciArchiveName(text: string): OciArchiveName {
  const colon = text.indexOf(":");
  const path = colon < 0 ? text : text.slice(0, colon);
  const wanted = parseEntryName(colon < 0 ? "" : text.slice(colon + 1));
  const identity = identityOf(path);
  return {
    transport: "oci-archive",
    text: `${path}:${wanted.by === "name" ? wanted.name : ""}`,
    path: path === "" ? "." : path,
    wanted,
    policyIdentity: identity,
    policyNamespaces: [identity, ...directoriesAbove(identity)],
  };
}

/** What a stream leads to has no path, so that its own name stands for it. */
function identityOf(path: string): string {
  if (path === "-") return "/dev/stdin";
  return /^\/dev\/(?:stdin|stdout|fd\/[0-9]+)$/.test(path) ? path : explicitPath(path);
}
