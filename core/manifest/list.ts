// Lists rewritten: for another format, or because their images changed.

import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import { type ManifestType, manifestTypes } from "../content/media-types.ts";
import type { Platform } from "../content/platform.ts";
import { Failure } from "../failure.ts";
import type { RawManifest } from "../image/source.ts";
import { parseStrictJson } from "../json.ts";
import { type DockerList, readDockerList, writeDockerList } from "./docker-list.ts";
import { Members } from "./members.ts";
import { type OciIndex, readOciIndex, writeOciIndex } from "./oci-index.ts";
import type { ListManifest } from "./types.ts";

/** What became of one image of a list. */
export interface InstanceUpdate {
  readonly digest: Digest;
  /** Of the manifest, in bytes. */
  readonly size: number;
  readonly mediaType: string;
  /** Added to those that the entry has. A Docker list cannot keep any. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What becomes of one entry: its image changed, or it is left out. */
export type InstanceChange = InstanceUpdate | "strip";

/** What a list is to become. */
export interface ListChange {
  /** The type to write: one of a list. */
  readonly to: ManifestType;
  /** For each entry in order what became of it, or undefined where it stays. */
  readonly instances: readonly (InstanceChange | undefined)[];
  /** What a Docker list shall say of an entry that names no platform. Absent: linux/amd64. */
  readonly ownPlatform?: Platform;
}

/**
 * Returns a list in another format, or with its images changed, or both.
 *
 * Where that makes no difference to what the list says, the result is the very RawManifest it was parsed
 * from. Fails with `unsupported` if it cannot be written as that type.
 */
export function rewriteList(list: ListManifest, change: ListChange): RawManifest {
  const members = new Members(parseStrictJson(list.raw.bytes));
  switch (list.mediaType) {
    case manifestTypes.ociIndex:
      return rewriteIndex(list, readOciIndex(members), change);
    case manifestTypes.dockerList:
      return rewriteDockerList(list, readDockerList(members), change);
    default:
      throw cannotConvert(list, change);
  }
}

function rewriteIndex(list: ListManifest, index: OciIndex, change: ListChange): RawManifest {
  const instances = index.instances.flatMap((entry, at) => changed(entry, change.instances[at]));
  switch (change.to) {
    case manifestTypes.ociIndex:
      return rawUnlessSame(list, writeOciIndex(index), writeOciIndex({ ...index, instances }));
    case manifestTypes.dockerList: {
      const platform = change.ownPlatform ?? { os: "linux", architecture: "amd64" };
      const entries = instances.map((entry) => ({
        ...entry,
        platform: entry.platform ?? platform,
      }));
      return { mediaType: change.to, bytes: writeDockerList({ instances: entries }) };
    }
    default:
      throw cannotConvert(list, change);
  }
}

function rewriteDockerList(
  list: ListManifest,
  dockerList: DockerList,
  change: ListChange,
): RawManifest {
  const instances = dockerList.instances.flatMap(({ platform, ...entry }, at) =>
    changed(entry, change.instances[at]).map((each) => ({ ...each, platform })),
  );
  switch (change.to) {
    case manifestTypes.dockerList:
      return rawUnlessSame(list, writeDockerList(dockerList), writeDockerList({ instances }));
    case manifestTypes.ociIndex:
      return { mediaType: change.to, bytes: writeOciIndex({ instances }) };
    default:
      throw cannotConvert(list, change);
  }
}

/** Formatting and what we know nothing of survive with the original bytes, and so does the digest. */
function rawUnlessSame(list: ListManifest, before: Uint8Array, after: Uint8Array): RawManifest {
  if (Buffer.compare(before, after) === 0) return list.raw;
  return { mediaType: list.mediaType, bytes: after };
}

/** Returns what an entry has become: one entry, or none. */
function changed(entry: Descriptor, update: InstanceChange | undefined): Descriptor[] {
  if (update === "strip") return [];
  if (update === undefined) return [entry];
  const { digest, size, mediaType } = update;
  const annotations = { ...entry.annotations, ...update.annotations };
  // Embedded content is that of the old digest.
  const { data, ...others } = entry;
  const kept = digest === entry.digest ? entry : others;
  return [{ ...kept, digest, size, mediaType, annotations }];
}

function cannotConvert(list: ListManifest, { to }: ListChange): Failure {
  return new Failure(
    "unsupported",
    `Conversion of image manifest from ${list.mediaType} to ${to} is not implemented`,
  );
}
