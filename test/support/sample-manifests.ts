// Sample manifests: the smallest of each kind, as objects to be changed by a test.

import { type Digest, digestOf } from "../../core/content/digest.ts";
import { configTypes, manifestTypes } from "../../core/content/media-types.ts";
import type { RawManifest } from "../../core/image/source.ts";
import { parseManifest } from "../../core/manifest/manifest.ts";
import type { ImageManifest, ListManifest } from "../../core/manifest/types.ts";

/** A JSON object that a test may change. */
export type Sample = Record<string, unknown>;

/** Returns the digest of a text: a well-formed one that nothing else has. */
export function someDigest(text: string): Digest {
  return digestOf(new TextEncoder().encode(text));
}

/** Returns a manifest as a source delivers it, pretty-printed as people write it by hand. */
export function rawSample(mediaType: string, manifest: unknown): RawManifest {
  return { mediaType, bytes: new TextEncoder().encode(JSON.stringify(manifest, null, 3)) };
}

/** Returns a Docker schema 2 manifest of one gzipped layer. */
export function schema2Sample(changes: Sample = {}): Sample {
  return {
    schemaVersion: 2,
    mediaType: manifestTypes.schema2,
    config: { mediaType: configTypes.docker, size: 7, digest: someDigest("config") },
    layers: [schema2Layer()],
    ...changes,
  };
}

/** Returns the descriptor of a Docker layer. */
export function schema2Layer(changes: Sample = {}): Sample {
  const mediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip";
  return { mediaType, size: 29, digest: someDigest("layer"), ...changes };
}

/** Returns an OCI manifest of one gzipped layer. */
export function ociSample(changes: Sample = {}): Sample {
  return {
    schemaVersion: 2,
    mediaType: manifestTypes.oci,
    config: { mediaType: configTypes.oci, digest: someDigest("config"), size: 7 },
    layers: [ociLayer()],
    ...changes,
  };
}

/** Returns the descriptor of an OCI layer. */
export function ociLayer(changes: Sample = {}): Sample {
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
  return { mediaType, digest: someDigest("layer"), size: 29, ...changes };
}

/** Returns a Docker list of these entries. */
export function dockerListSample(entries: readonly Sample[], changes: Sample = {}): Sample {
  return {
    schemaVersion: 2,
    mediaType: manifestTypes.dockerList,
    manifests: entries,
    ...changes,
  };
}

/** Returns an OCI index of these entries. */
export function ociIndexSample(entries: readonly Sample[], changes: Sample = {}): Sample {
  return { schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests: entries, ...changes };
}

/** Returns an entry of a list, for a platform written `os/architecture/variant`, or for none. */
export function entrySample(platform: string | undefined, changes: Sample = {}): Sample {
  const [os, architecture, variant] = platform?.split("/") ?? [];
  return {
    mediaType: manifestTypes.oci,
    digest: someDigest(`image for ${platform}`),
    size: 400,
    ...(platform !== undefined && { platform: { architecture, os, variant } }),
    ...changes,
  };
}

/** Returns one step of a schema 1 history. Its id is the letter, 64 times; so is the parent's. */
export function schema1Step(id: string, parent: string | undefined, changes: Sample = {}): Sample {
  const step = { id: id.repeat(64), parent: parent?.repeat(64), ...changes };
  return { v1Compatibility: JSON.stringify(step) };
}

/** Returns a schema 1 manifest of two layers, the older of which changes no files. */
export function schema1Sample(changes: Sample = {}): Sample {
  return {
    schemaVersion: 1,
    name: "some/name",
    tag: "latest",
    architecture: "amd64",
    fsLayers: [{ blobSum: someDigest("newer") }, { blobSum: someDigest("older") }],
    history: [
      schema1Step("b", "a", {
        created: "2020-01-02T03:04:05.50+00:00",
        os: "linux",
        architecture: "arm",
        docker_version: "1.9",
        author: "me",
        config: { Env: ["A=b"], Labels: { x: "y" } },
        container_config: { Cmd: ["a", "b"] },
      }),
      schema1Step("a", undefined, { throwaway: true, comment: "cc" }),
    ],
    ...changes,
  };
}

/** Returns the manifest as an image. */
export function imageFrom(mediaType: string, manifest: unknown): ImageManifest {
  const parsed = parseManifest(rawSample(mediaType, manifest));
  if (parsed.kind !== "image") throw new Error("is no image");
  return parsed;
}

/** Returns the manifest as a list. */
export function listFrom(mediaType: string, manifest: unknown): ListManifest {
  const parsed = parseManifest(rawSample(mediaType, manifest));
  if (parsed.kind !== "list") throw new Error("is no list");
  return parsed;
}
