// OCI image manifests: one image, or an artifact that is none.
//
// See https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md

import type { Descriptor } from "../content/descriptor.ts";
import { encodeJsonBytes } from "../json.ts";
import { filledMap, ociDescriptor, readOciDescriptor } from "./descriptor-json.ts";

import type { Members } from "./members.ts";

/** All that an OCI manifest may say. */
export interface OciManifest {
  readonly schemaVersion: number;
  /** Absent where the manifest does not say, which it need not. */
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** What the manifest is about: that of another image, for instance. */
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Reads an OCI manifest. Fails with `corrupt`. */
export function readOciManifest(members: Members): OciManifest {
  const mediaType = members.text("mediaType");
  const artifactType = members.text("artifactType");
  const subject = members.object("subject");
  const annotations = members.textsByName("annotations");
  return {
    schemaVersion: members.integer("schemaVersion"),
    ...(mediaType !== "" && { mediaType }),
    ...(artifactType !== "" && { artifactType }),
    config: readOciDescriptor(members.needed("config")),
    layers: members.objects("layers").map(readOciDescriptor),
    ...(subject !== undefined && { subject: readOciDescriptor(subject) }),
    ...(annotations !== undefined && { annotations }),
  };
}

/** Writes an OCI manifest, byte for byte as the original does. */
export function writeOciManifest(manifest: OciManifest): Uint8Array {
  const { schemaVersion, mediaType, artifactType, config, layers, subject, annotations } = manifest;
  return encodeJsonBytes({
    schemaVersion,
    mediaType,
    artifactType,
    config: ociDescriptor(config),
    layers: layers.map(ociDescriptor),
    subject: subject && ociDescriptor(subject),
    annotations: filledMap(annotations),
  });
}
