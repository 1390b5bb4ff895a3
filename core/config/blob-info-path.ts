// The path of the cache of what is known of blobs, which the original and its relatives share.

import { join } from "node:path";
import type { Environment } from "../environment.ts";

const fileName = "blob-info-cache-v1.sqlite";

/** Returns where that cache is; undefined for a user without a home. */
export function blobInfoPath({ variables, home, userId }: Environment): string | undefined {
  // Set by podman and others where they act as root of a namespace only.
  const actual = variables["_CONTAINERS_ROOTLESS_UID"] || String(userId);
  if (actual === "0") return join("/var/lib/containers/cache", fileName);
  const dataHome = variables["XDG_DATA_HOME"] || (home === "" ? "" : join(home, ".local/share"));
  return dataHome === "" ? undefined : join(dataHome, "containers/cache", fileName);
}
