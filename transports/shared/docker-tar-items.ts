// Docker tar items: `manifest.json`, the table of contents of an archive as `docker save` writes it.

import { fullName, parseDockerName } from "../../core/content/docker-name.ts";
import { Failure, inContext } from "../../core/failure.ts";
import { shown } from "../../core/foreign-text.ts";
import {
  encodeJsonBytes,
  isJsonObject,
  type Json,
  memberOf,
  parseForeignJson,
} from "../../core/json.ts";

/** The name of the table of contents in an archive. */
export const itemsFile = "manifest.json";

/** One image of an archive. */
export interface DockerTarItem {
  /** The name of the config's entry in the archive. */
  readonly config: string;
  /** The names of the image, as they stand there: perhaps short, perhaps none at all. */
  readonly tags: readonly string[];
  /** The names of the layers' entries, base first. */
  readonly layers: readonly string[];
}

/** Which image of an archive is meant. */
export type WantedItem =
  /** By its full name with its tag, such as `docker.io/library/busybox:1`. */
  | { readonly by: "tag"; readonly tag: string }
  | { readonly by: "position"; readonly position: number }
  /** The only one there is. */
  | { readonly by: "itself" };

/** Parses a table of contents. Fails with `corrupt`. */
export function parseItems(bytes: Uint8Array): readonly DockerTarItem[] {
  try {
    return arrayOf(parseForeignJson(bytes), "it").map(parseItem);
  } catch (error) {
    throw inContext(`decoding tar ${itemsFile}`, error);
  }
}

/** Writes a table of contents, byte for byte as the original does. */
export function encodeItems(items: readonly DockerTarItem[]): Uint8Array {
  return encodeJsonBytes(
    items.map(({ config, tags, layers }) => ({ Config: config, RepoTags: tags, Layers: layers })),
  );
}

/** Returns the position of the image that is meant. Fails with `refused` if there is none. */
export function choosePosition(items: readonly DockerTarItem[], wanted: WantedItem): number {
  switch (wanted.by) {
    case "tag":
      return positionOfTag(items, wanted.tag);
    case "position":
      if (wanted.position < items.length) return wanted.position;
      throw new Failure(
        "refused",
        `Invalid source index @${wanted.position}, only ${items.length} manifest items available`,
        { hint: hintFor(items) },
      );
    case "itself":
      if (items.length === 1) return 0;
      throw new Failure(
        "refused",
        `Unexpected tar ${itemsFile}: expected 1 item, got ${items.length}`,
        { hint: hintFor(items) },
      );
  }
}

function parseItem(json: Json): DockerTarItem {
  // An item that is null is one of which nothing is known.
  const item = json === null ? {} : json;
  if (!isJsonObject(item)) throw new Failure("corrupt", "an item is no object");
  const texts = (name: string) =>
    arrayOf(memberOf(item, name) ?? null, name).map((text) => textOf(text, name));
  return {
    config: textOf(memberOf(item, "Config") ?? null, "Config"),
    tags: texts("RepoTags"),
    layers: texts("Layers"),
  };
}

function arrayOf(json: Json, what: string): readonly Json[] {
  if (json === null) return [];
  if (Array.isArray(json)) return json;
  throw new Failure("corrupt", `${what} is no array`);
}

function textOf(json: Json, what: string): string {
  if (json === null) return "";
  if (typeof json === "string") return json;
  throw new Failure("corrupt", `${what} holds what is no string`);
}

function positionOfTag(items: readonly DockerTarItem[], tag: string): number {
  const position = items.findIndex((item, at) =>
    item.tags.some((recorded) => fullTag(recorded, at) === tag),
  );
  if (position >= 0) return position;
  throw new Failure("refused", `Tag ${JSON.stringify(tag)} not found`, { hint: hintFor(items) });
}

function fullTag(recorded: string, position: number): string {
  try {
    return fullName(parseDockerName(recorded));
  } catch (error) {
    const quoted = JSON.stringify(recorded);
    throw inContext(`Invalid tag ${quoted} in ${itemsFile} item @${position}`, error);
  }
}

const shownNames = 10;

function hintFor(items: readonly DockerTarItem[]): string {
  if (items.length === 0) return "the archive is empty";
  const names = items.flatMap(({ tags }, at) => (tags.length === 0 ? [`@${at}`] : tags));
  const more = names.length > shownNames ? ", …" : "";
  return shown(`the archive has ${names.slice(0, shownNames).join(", ")}${more}`);
}
