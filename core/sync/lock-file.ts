// SyncLock: which digest every image had, so that exactly those can be copied another time.

import { type Digest, parseDigest } from "../content/digest.ts";
import { Failure } from "../failure.ts";
import { encodeJson, isJsonObject, type Json, type JsonObject, parseForeignJson } from "../json.ts";

/** One image as it was. */
export interface LockedImage {
  /** Its full name, such as `docker.io/library/busybox:1`. */
  readonly name: string;
  readonly digest: Digest;
  /** What it is called at the destination; absent: as usual. */
  readonly to?: string;
  /** What it consists of, as far as that was seen: how work can be divided rests on it. */
  readonly layers?: readonly LockedLayer[];
  /** Which image was taken, if it is a list of which one was. */
  readonly chosen?: ChosenImage;
}

/** The one image of a list that is for a platform. */
export interface ChosenImage {
  /** As people write it, such as `linux/arm/v7`. */
  readonly platform: string;
  readonly digest: Digest;
}

/** One layer of an image. */
export interface LockedLayer {
  readonly digest: Digest;
  readonly size: number;
}

/** Parses a lock. Fails with `config`. */
export function parseLock(bytes: Uint8Array): readonly LockedImage[] {
  const json = parsed(bytes);
  if (!isJsonObject(json)) throw malformed("is no JSON object");
  if (json["version"] !== version) {
    throw malformed(`has version ${JSON.stringify(json["version"] ?? null)}, not ${version}`);
  }
  const { images } = json;
  if (!Array.isArray(images)) throw malformed("lists no images");
  const locked = images.map(parseImage);
  checkDigests(locked);
  return locked;
}

/** An image that was two things at a time would become whichever is copied last. */
function checkDigests(images: readonly LockedImage[]): void {
  const digests = new Map<string, Digest>();
  for (const { name, to, digest } of images) {
    const key = encodeJson([name, to ?? null]);
    const other = digests.get(key) ?? digest;
    if (other !== digest) throw malformed(`has ${name} twice, as ${other} and as ${digest}`);
    digests.set(key, digest);
  }
}

const version = 1;

function parsed(bytes: Uint8Array): Json {
  try {
    return parseForeignJson(bytes);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}

function parseImage(json: Json): LockedImage {
  if (!isJsonObject(json)) throw malformed("lists something that is no image");
  const { name, to, layers, chosen } = json;
  if (typeof name !== "string") throw malformed("lists an image without a name");
  return {
    name,
    digest: digestIn(json, name),
    ...(typeof to === "string" && { to }),
    ...(Array.isArray(layers) && { layers: layers.map((layer) => parseLayer(layer, name)) }),
    ...(chosen !== undefined && { chosen: parseChosen(chosen, name) }),
  };
}

function parseChosen(json: Json, name: string): ChosenImage {
  const platform = isJsonObject(json) ? json["platform"] : undefined;
  if (!isJsonObject(json) || typeof platform !== "string") {
    throw malformed(`has a choice for ${name} that is none`);
  }
  return { platform, digest: digestIn(json, name) };
}

function parseLayer(json: Json, name: string): LockedLayer {
  const size = isJsonObject(json) ? json["size"] : undefined;
  if (!isJsonObject(json) || typeof size !== "number" || size < 0) {
    throw malformed(`has a layer of ${name} that is none`);
  }
  return { digest: digestIn(json, name), size };
}

function digestIn(json: JsonObject, name: string): Digest {
  const { digest } = json;
  try {
    return parseDigest(typeof digest === "string" ? digest : "");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw malformed(`has for ${name} an ${error.message}`);
  }
}

function malformed(what: string): Failure {
  return new Failure("config", `The lock ${what}`);
}

/** Renders a lock as text, the same for the same images: one on each line. */
export function renderLock(images: readonly LockedImage[]): string {
  const sorted = images.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const lines = sorted.map(({ name, digest, to, layers, chosen }) =>
    encodeJson({
      name,
      digest,
      ...(to !== undefined && { to }),
      ...(layers !== undefined && {
        layers: layers.map((layer) => ({ digest: layer.digest, size: layer.size })),
      }),
      ...(chosen !== undefined && {
        chosen: { platform: chosen.platform, digest: chosen.digest },
      }),
    }),
  );
  return `{"version":${version},"images":[\n${lines.join(",\n")}\n]}\n`;
}
