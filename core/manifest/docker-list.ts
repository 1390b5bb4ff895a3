// Docker lists: a list of images.
//
// See https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-2.md#manifest-list

import type { Descriptor } from "../content/descriptor.ts";
import { manifestTypes } from "../content/media-types.ts";
import type { Platform } from "../content/platform.ts";
import { encodeJsonBytes } from "../json.ts";
import { dockerListEntry, readDockerDescriptor, readDockerPlatform } from "./descriptor-json.ts";

import type { Members } from "./members.ts";

/** All that a Docker list may say. */
export interface DockerList {
  readonly instances: readonly DockerListEntry[];
}

/** One image of a Docker list: unlike in an OCI index it has a platform, if only an empty one. */
export interface DockerListEntry extends Descriptor {
  readonly platform: Platform;
}

/** Reads a Docker list. Fails with `corrupt`. */
export function readDockerList(members: Members): DockerList {
  return { instances: members.objects("manifests").map(readEntry) };
}

/** Writes a Docker list, byte for byte as the original does. */
export function writeDockerList({ instances }: DockerList): Uint8Array {
  return encodeJsonBytes({
    schemaVersion: 2,
    mediaType: manifestTypes.dockerList,
    manifests: instances.map((entry) => dockerListEntry(entry, entry.platform)),
  });
}

function readEntry(members: Members): DockerListEntry {
  const platform = members.object("platform");
  return {
    ...readDockerDescriptor(members),
    platform: platform === undefined ? { os: "", architecture: "" } : readDockerPlatform(platform),
  };
}
