// Docker schema 2 manifests: one image.
//
// See https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-2.md

import type { Descriptor } from "../content/descriptor.ts";
import { layerFamilies, manifestTypes } from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import { encodeJsonBytes } from "../json.ts";
import { dockerDescriptor, readDockerDescriptor } from "./descriptor-json.ts";

import type { Members } from "./members.ts";

/** All that a schema 2 manifest may say. */
export interface Schema2Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Reads a schema 2 manifest. Fails with `corrupt`, also on a media type that the format does not know. */
export function readSchema2(members: Members): Schema2Manifest {
  const config = readDockerDescriptor(members.needed("config"));
  const layers = members.objects("layers").map(readDockerDescriptor);
  const mediaType = members.text("mediaType");
  if (mediaType !== manifestTypes.schema2) throw unknownType(mediaType);
  const odd = layers.find((layer) => !layerTypes.has(layer.mediaType));
  if (odd !== undefined) throw unknownType(odd.mediaType);
  return { config, layers };
}

/** Writes a schema 2 manifest, byte for byte as the original does. */
export function writeSchema2({ config, layers }: Schema2Manifest): Uint8Array {
  return encodeJsonBytes({
    schemaVersion: 2,
    mediaType: manifestTypes.schema2,
    config: dockerDescriptor(config),
    layers: layers.map(dockerDescriptor),
  });
}

const { docker, dockerNondistributable } = layerFamilies;

const layerTypes: ReadonlySet<string> = new Set([
  docker.none,
  docker.gzip,
  // Docker has no such type, but such layers are about.
  docker.zstd,
  dockerNondistributable.none,
  dockerNondistributable.gzip,
]);

function unknownType(mediaType: string): Failure {
  const quoted = JSON.stringify(mediaType);
  return new Failure("corrupt", `unsupported docker v2s2 media type: ${quoted}`);
}
