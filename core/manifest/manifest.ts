// Manifests: from bytes to a Manifest, and what can be said of the bytes before.

import { type Digest, type DigestAlgorithm, digestOf } from "../content/digest.ts";
import {
  isManifestType,
  type ManifestType,
  configTypes,
  manifestTypes,
} from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { RawManifest } from "../image/source.ts";
import { isJsonObject, type Json, memberOf, parseForeignJson, parseStrictJson } from "../json.ts";
import { limits } from "../limits.ts";
import { readDockerList } from "./docker-list.ts";
import { Members } from "./members.ts";
import { readOciIndex } from "./oci-index.ts";
import { readOciManifest } from "./oci.ts";
import { payloadOfSchema1, readSchema1 } from "./schema1.ts";
import { readSchema2 } from "./schema2.ts";
import type { ImageManifest, ListManifest, Manifest } from "./types.ts";

/**
 * Returns the type that a manifest is taken for: as reported if that is a known one, and otherwise, as
 * old registries report anything, a signed schema 1 manifest.
 */
export function effectiveType(raw: RawManifest): ManifestType {
  return isManifestType(raw.mediaType) ? raw.mediaType : manifestTypes.schema1Signed;
}

/** Returns the type that the bytes of a manifest look like, or undefined if they look like none. */
export function guessType(bytes: Uint8Array): ManifestType | undefined {
  const document = parsedOrUndefined(bytes);
  if (!isJsonObject(document)) return undefined;
  const declared = memberOf(document, "mediaType");
  if (typeof declared === "string" && declaring.has(declared) && isManifestType(declared)) {
    return declared;
  }
  switch (memberOf(document, "schemaVersion")) {
    case 1: {
      const signed = memberOf(document, "signatures") !== undefined;
      return signed ? manifestTypes.schema1Signed : manifestTypes.schema1;
    }
    case 2:
      return guessVersion2(document);
    default:
      return undefined;
  }
}

/**
 * Returns the digest that a manifest goes by: of its bytes or, if it is a signed schema 1 manifest, of
 * what was signed. Fails with `corrupt` where a signature does not say what that is.
 */
export function manifestDigest(bytes: Uint8Array, algorithm?: DigestAlgorithm): Digest {
  const signed = guessType(bytes) === manifestTypes.schema1Signed;
  return digestOf(signed ? payloadOfSchema1(bytes) : bytes, algorithm);
}

/**
 * Parses a manifest as what its effective type says it is.
 *
 * Fails with `corrupt` unless the bytes have that one meaning, to readers of every habit: repeated and
 * competing members are refused, and so are members of another kind of manifest, digests that are none,
 * sizes that are none, and more layers than anybody needs.
 */
export function parseManifest(raw: RawManifest): Manifest {
  const type = effectiveType(raw);
  const members = new Members(parseStrictJson(raw.bytes));
  checkMeaning(members, type);
  switch (type) {
    case manifestTypes.schema1:
    case manifestTypes.schema1Signed:
      return imageOf(raw, type, { layers: readSchema1(members).layers });
    case manifestTypes.schema2:
      return imageOf(raw, type, readSchema2(members));
    case manifestTypes.oci:
      return imageOf(raw, type, readOciManifest(members));
    case manifestTypes.dockerList:
      return listOf(raw, type, readDockerList(members));
    case manifestTypes.ociIndex:
      return listOf(raw, type, readOciIndex(members));
  }
}

/** The types that a manifest may declare by itself and be believed. */
const declaring: ReadonlySet<string> = new Set([
  manifestTypes.schema2,
  manifestTypes.dockerList,
  manifestTypes.oci,
  manifestTypes.ociIndex,
]);

function parsedOrUndefined(bytes: Uint8Array): Json | undefined {
  try {
    return parseForeignJson(bytes);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function guessVersion2(document: Json): ManifestType | undefined {
  const configType = textAt(document, "config", "mediaType");
  if (configType === configTypes.oci) return manifestTypes.oci;
  if (configType === configTypes.docker) return manifestTypes.schema2;
  const instances = isJsonObject(document) ? memberOf(document, "manifests") : undefined;
  if (!Array.isArray(instances) || instances.length === 0) return manifestTypes.oci;
  if (configType === "") return manifestTypes.ociIndex;
  return isManifestType(configType) ? configType : undefined;
}

function textAt(document: Json, ...path: readonly string[]): string {
  let value: Json | undefined = document;
  for (const name of path) value = isJsonObject(value) ? memberOf(value, name) : undefined;
  return typeof value === "string" ? value : "";
}

/** In the order in which the original names them. */
const tellingMembers = ["config", "fsLayers", "history", "layers", "manifests"] as const;

type TellingMember = (typeof tellingMembers)[number];

const ownMembers: Readonly<Record<ManifestType, readonly TellingMember[]>> = {
  [manifestTypes.schema1]: ["fsLayers", "history"],
  [manifestTypes.schema1Signed]: ["fsLayers", "history"],
  [manifestTypes.schema2]: ["config", "layers"],
  [manifestTypes.oci]: ["config", "layers"],
  [manifestTypes.dockerList]: ["manifests"],
  [manifestTypes.ociIndex]: ["manifests"],
};

/** What a manifest was delivered as, what it says it is, and what it consists of have to agree. */
function checkMeaning(members: Members, type: ManifestType): void {
  const foreign = tellingMembers.filter(
    (name) => !ownMembers[type].includes(name) && members.has(name),
  );
  if (foreign.length > 0) {
    const named = foreign.map((name) => JSON.stringify(name)).join(", ");
    throw new Failure(
      "corrupt",
      `rejecting ambiguous manifest, unexpected fields []string{${named}} in supposedly ${type}`,
    );
  }
  const declared = members.text("mediaType");
  if (declaring.has(declared) && declared !== type) {
    throw new Failure(
      "corrupt",
      `rejecting ambiguous manifest, delivered as ${type}, but by its own word ${declared}`,
    );
  }
}

type ImageParts = Pick<ImageManifest, "config" | "layers" | "annotations" | "artifactType">;

function imageOf(raw: RawManifest, mediaType: ManifestType, parts: ImageParts): ImageManifest {
  const { config, layers, annotations, artifactType } = parts;
  checkCount(layers.length, "layers");
  return {
    kind: "image",
    mediaType,
    raw,
    layers,
    ...(config !== undefined && { config }),
    ...(annotations !== undefined && { annotations }),
    ...(artifactType !== undefined && { artifactType }),
  };
}

type ListParts = Pick<ListManifest, "instances" | "annotations">;

function listOf(
  raw: RawManifest,
  mediaType: ManifestType,
  { instances, annotations }: ListParts,
): ListManifest {
  checkCount(instances.length, "images");
  return {
    kind: "list",
    mediaType,
    raw,
    instances,
    ...(annotations !== undefined && { annotations }),
  };
}

function checkCount(count: number, what: string): void {
  if (count <= limits.layers) return;
  throw new Failure("corrupt", `Manifest has ${count} ${what}, more than ${limits.layers}`);
}
