// Descriptors as JSON: read in one way, written in two, OCI's and Docker's.

import type { Descriptor } from "../content/descriptor.ts";
import type { Platform } from "../content/platform.ts";
import { goMap } from "../json.ts";
import type { Members } from "./members.ts";

/** Reads a descriptor of an OCI manifest or index. Fails with `corrupt`. */
export function readOciDescriptor(members: Members): Descriptor {
  const urls = members.texts("urls");
  const annotations = members.textsByName("annotations");
  const data = members.text("data");
  const platform = members.object("platform");
  const artifactType = members.text("artifactType");
  return {
    mediaType: members.text("mediaType"),
    digest: members.digest("digest"),
    size: members.size("size"),
    ...(urls !== undefined && { urls }),
    ...(annotations !== undefined && { annotations }),
    ...(data !== "" && { data }),
    ...(platform !== undefined && { platform: readPlatform(platform) }),
    ...(artifactType !== "" && { artifactType }),
  };
}

/** Reads a descriptor of a Docker manifest or list, but for its platform. Fails with `corrupt`. */
export function readDockerDescriptor(members: Members): Descriptor {
  const urls = members.texts("urls");
  return {
    mediaType: members.text("mediaType"),
    digest: members.digest("digest"),
    size: members.size("size"),
    ...(urls !== undefined && { urls }),
  };
}

/** Reads a platform of a Docker list, which may also ask for features of the processor. */
export function readDockerPlatform(members: Members): Platform {
  const features = members.texts("features");
  return { ...readPlatform(members), ...(features !== undefined && { features }) };
}

/** Returns what to encode for a descriptor of an OCI manifest or index. */
export function ociDescriptor(descriptor: Descriptor): object {
  const { mediaType, digest, size, urls, annotations, data, platform, artifactType } = descriptor;
  return {
    mediaType,
    digest,
    size,
    urls: filled(urls),
    annotations: filledMap(annotations),
    data,
    platform: platform && ociPlatform(platform),
    artifactType,
  };
}

/** Returns what to encode for a descriptor of a Docker manifest. */
export function dockerDescriptor({ mediaType, digest, size, urls }: Descriptor): object {
  return { mediaType: filledText(mediaType), size, digest, urls: filled(urls) };
}

/** Returns what to encode for an entry of a Docker list, which always has a platform. */
export function dockerListEntry(entry: Descriptor, platform: Platform): object {
  const features = filled(platform.features);
  return { ...dockerDescriptor(entry), platform: { ...ociPlatform(platform), features } };
}

/** Returns an object as a Map to encode, or undefined if it is empty: both ways leave it out then. */
export function filledMap(
  record: Readonly<Record<string, string>> | undefined,
): ReadonlyMap<string, string> | undefined {
  if (record === undefined || Object.keys(record).length === 0) return undefined;
  return goMap(record);
}

function readPlatform(members: Members): Platform {
  const variant = members.text("variant");
  const osVersion = members.text("os.version");
  const osFeatures = members.texts("os.features");
  return {
    os: members.text("os"),
    architecture: members.text("architecture"),
    ...(variant !== "" && { variant }),
    ...(osVersion !== "" && { osVersion }),
    ...(osFeatures !== undefined && { osFeatures }),
  };
}

function ociPlatform({ architecture, os, osVersion, osFeatures, variant }: Platform): object {
  return {
    architecture,
    os,
    "os.version": filledText(osVersion),
    "os.features": filled(osFeatures),
    variant: filledText(variant),
  };
}

function filled(texts: readonly string[] | undefined): readonly string[] | undefined {
  return texts === undefined || texts.length === 0 ? undefined : texts;
}

function filledText(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
