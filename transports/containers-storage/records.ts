// Records: what a store says about its images and layers, in the files that all engines share.

import { isDigest, type Digest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import { isJsonObject, type Json, type JsonObject, parseForeignJson } from "../../core/json.ts";

/** One image. */
export interface ImageRecord {
  readonly id: string;
  /** Full names with tags or digests. */
  readonly names: readonly string[];
  /** The ID of its top layer; absent in an image without layers. */
  readonly layer?: string;
  readonly metadata: string;
  readonly bigDataNames: readonly string[];
  readonly bigDataDigests: ReadonlyMap<string, Digest>;
  /** As it stands in the file, with members that only others know. */
  readonly json: JsonObject;
}

/** One layer. */
export interface LayerRecord {
  readonly id: string;
  readonly parent?: string;
  /** Of its uncompressed tar; absent in layers that were pulled by their table of contents. */
  readonly diffDigest?: Digest;
  readonly diffSize?: number;
  /** Of the blob that it came as. */
  readonly compressedDigest?: Digest;
  readonly compressedSize?: number;
  /** What its image's config says of a layer that was pulled by its table of contents. */
  readonly expectedDiffDigest?: Digest;
  readonly tocDigest?: Digest;
  /** Still being written, or already being removed. */
  readonly incomplete: boolean;
  /** As it stands in the file, with members that only others know. */
  readonly json: JsonObject;
}

/** Reads a file of records. An empty one has none. Fails with `corrupt`, naming the file. */
export function parseRecords(bytes: Uint8Array, path: string): readonly JsonObject[] {
  if (bytes.length === 0) return [];
  const document = parseForeignJson(bytes);
  if (document === null) return [];
  if (Array.isArray(document)) {
    const items: readonly Json[] = document;
    const objects = items.filter(isJsonObject);
    if (objects.length === items.length) return objects;
  }
  throw new Failure("corrupt", `${quoted(path)} is no list of records`);
}

/** Reads what an image's record says. */
export function imageRecord(json: JsonObject): ImageRecord {
  const layer = textIn(json, "layer");
  return {
    id: idIn(json),
    names: textsIn(json["names"]),
    ...(layer !== "" && { layer }),
    metadata: textIn(json, "metadata"),
    bigDataNames: textsIn(json["big-data-names"]),
    bigDataDigests: digestsIn(json["big-data-digests"]),
    json,
  };
}

/** Reads what a layer's record says. */
export function layerRecord(json: JsonObject): LayerRecord {
  const parent = textIn(json, "parent");
  const flags = isJsonObject(json["flags"]) ? json["flags"] : undefined;
  const expected = flags?.["expected-layer-diffid"];
  return {
    id: idIn(json),
    ...(parent !== "" && { parent }),
    ...digestMember(json, "diff-digest", "diffDigest"),
    ...sizeMember(json, "diff-size", "diffSize"),
    ...digestMember(json, "compressed-diff-digest", "compressedDigest"),
    ...sizeMember(json, "compressed-size", "compressedSize"),
    ...digestMember(json, "toc-digest", "tocDigest"),
    ...(typeof expected === "string" && isDigest(expected) && { expectedDiffDigest: expected }),
    incomplete: flags?.["incomplete"] === true,
    json,
  };
}

/** What stands beside the layers in a driver's directory. */
const reserved: ReadonlySet<string> = new Set(["dir", "l", "staging", "tempdirs", "tmp"]);

/** IDs stand in paths. One that could lead elsewhere is nobody's. */
function idIn(json: JsonObject): string {
  const id = textIn(json, "id");
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id) && !reserved.has(id) ? id : "";
}

function textIn(json: JsonObject, name: string): string {
  const value = json[name];
  return typeof value === "string" ? value : "";
}

function textsIn(value: Json | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  const items: readonly Json[] = value;
  return items.filter((item) => typeof item === "string");
}

function digestsIn(value: Json | undefined): ReadonlyMap<string, Digest> {
  const digests = new Map<string, Digest>();
  if (!isJsonObject(value)) return digests;
  for (const [name, digest] of Object.entries(value)) {
    if (typeof digest === "string" && isDigest(digest)) digests.set(name, digest);
  }
  return digests;
}

function digestMember<K extends string>(
  json: JsonObject,
  name: string,
  as: K,
): Partial<Record<K, Digest>> {
  const value = json[name];
  const found: Partial<Record<K, Digest>> = {};
  if (typeof value === "string" && isDigest(value)) found[as] = value;
  return found;
}

function sizeMember<K extends string>(
  json: JsonObject,
  name: string,
  as: K,
): Partial<Record<K, number>> {
  const value = json[name];
  const found: Partial<Record<K, number>> = {};
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) found[as] = value;
  return found;
}
