// OCI indexes: a list of images.
//
// See https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md

import type { Descriptor } from "../content/descriptor.ts";
import { manifestTypes } from "../content/media-types.ts";
import { encodeJsonBytes } from "../json.ts";
import { filledMap, ociDescriptor, readOciDescriptor } from "./descriptor-json.ts";

import type { Members } from "./members.ts";

/** All that an OCI index may say. */
export interface OciIndex {
  readonly artifactType?: string;
  /** In the order of the index. `platform` is absent for entries without one. */
  readonly instances: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Reads an OCI index. Fails with `corrupt`. */
export function readOciIndex(members: Members): OciIndex {
  const artifactType = members.text("artifactType");
  const subject = members.object("subject");
  const annotations = members.textsByName("annotations");
  return {
    ...(artifactType !== "" && { artifactType }),
    instances: members.objects("manifests").map(readOciDescriptor),
    ...(subject !== undefined && { subject: readOciDescriptor(subject) }),
    ...(annotations !== undefined && { annotations }),
  };
}

/** Writes an OCI index, byte for byte as the original does: with its media type in any case. */
export function writeOciIndex(index: OciIndex): Uint8Array {
  const { artifactType, instances, subject, annotations } = index;
  return encodeJsonBytes({
    schemaVersion: 2,
    mediaType: manifestTypes.ociIndex,
    artifactType,
    manifests: instances.map(ociDescriptor),
    subject: subject && ociDescriptor(subject),
    annotations: filledMap(annotations),
  });
}
