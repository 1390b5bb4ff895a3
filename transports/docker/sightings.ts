// Sightings: where blobs were seen in registries, in the words of the original.

import type { BlobFact, BlobScope } from "../../core/cache/blob-info.ts";
import type { Digest } from "../../core/content/digest.ts";
import {
  type DockerName,
  fullRepository,
  parseDockerName,
} from "../../core/content/docker-name.ts";
import { Failure } from "../../core/failure.ts";

/** Returns within what blobs can be mounted: the registry of a name. */
export function scopeOf({ host }: DockerName): BlobScope {
  return { transport: "docker", scope: host };
}

/** Returns the fact that the repository of a name has a blob. */
export function sighting(name: DockerName, digest: Digest): BlobFact {
  return { kind: "location", scope: scopeOf(name), digest, location: fullRepository(name) };
}

/** Returns the repository that a location means; undefined if that is none of the registry `host`. */
export function repositoryAt(location: string, host: string): string | undefined {
  try {
    const name = parseDockerName(location);
    const bare = name.tag === undefined && name.digest === undefined;
    return bare && name.host === host ? name.repository : undefined;
  } catch (error) {
    // Others wrote it down, and none of it is certain.
    if (error instanceof Failure && error.code !== "bug") return undefined;
    throw error;
  }
}
