// Name: which image of which store somebody means.

import {
  type DockerName,
  fullName,
  fullRepository,
  parseDockerName,
  withDefaultTag,
} from "../../core/content/docker-name.ts";
import { isDigest } from "../../core/content/digest.ts";
import { Failure, inContext } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";

/** A store as a name spells it. What is absent comes from elsewhere; with no member it is the usual one. */
export interface StoreWish {
  readonly driver?: string;
  readonly graphRoot?: string;
  readonly runRoot?: string;
  /** Empty where the name has brackets, but no options: those of the usual store do not count then. */
  readonly options?: readonly string[];
}

/** An image, by its name, its ID, or both. */
export interface WantedImage {
  /** With a tag or a digest. */
  readonly docker?: DockerName;
  /** All 64 digits. */
  readonly id?: string;
}

/** The name of an image in a store, as far as it can be understood without looking there. */
export interface StorageName extends ImageName {
  readonly store: StoreWish;
  readonly wanted: WantedImage;
  /**
   * Text that may be the start of an ID of an image in the store. Then it is; and otherwise it is
   * what `wanted` says or, where that has no name and no ID, nothing.
   */
  readonly start?: string;
}

/** How many digits of an ID have to be there at least. */
const shortestStart = 3;

/** Parses `[STORE]IMAGE`. Fails with `usage`, in the original's words. */
export function parseStorageName(text: string): StorageName {
  const { store, spelledStore, image } = splitStore(text);
  if (image === "") {
    throw invalid(text === "" ? '"" is an empty reference' : undefined);
  }
  const { wanted, start } = parseImage(image);
  return {
    ...storageName({ store, wanted, spelledStore }),
    ...(start !== undefined && { start }),
    ...(start !== undefined && wanted.id === undefined && { text: spelledStore + image }),
  };
}

/** What a name consists of. */
interface NameParts {
  readonly store: StoreWish;
  readonly wanted: WantedImage;
  /** With its brackets; empty where the name has none. */
  readonly spelledStore: string;
}

function storageName({ store, wanted, spelledStore }: NameParts): StorageName {
  const { docker } = wanted;
  const { driver, graphRoot } = store;
  const place = driver !== undefined && graphRoot !== undefined ? { driver, graphRoot } : undefined;
  return {
    transport: "containers-storage",
    text: spelledStore + spelledImage(wanted),
    ...(docker !== undefined && { docker: fullName(docker) }),
    ...(docker?.digest !== undefined && { digest: docker.digest }),
    ...(place === undefined
      ? { policyIdentity: "", policyNamespaces: [] }
      : policyKeys(place, wanted)),
    store,
    wanted,
  };
}

/** Returns the name of the image that was found, in the store that was found. */
export function resolvedName(
  name: StorageName,
  place: { readonly driver: string; readonly graphRoot: string },
  wanted: WantedImage,
): StorageName {
  const { start: _, docker: __, digest: ___, ...rest } = name;
  const { docker } = wanted;
  return {
    ...rest,
    wanted,
    ...(docker !== undefined && { docker: fullName(docker) }),
    ...(docker?.digest !== undefined && { digest: docker.digest }),
    ...policyKeys(place, wanted),
  };
}

function spelledImage({ docker, id }: WantedImage): string {
  return (docker === undefined ? "" : fullName(docker)) + (id === undefined ? "" : `@${id}`);
}

/** The keys of policy.json: they name the driver and the graph root, and nothing else of the store. */
function policyKeys(
  { driver, graphRoot }: { readonly driver: string; readonly graphRoot: string },
  wanted: WantedImage,
): Pick<ImageName, "policyIdentity" | "policyNamespaces"> {
  const store = `[${driver}@${graphRoot}]`;
  const { docker, id } = wanted;
  const names: string[] = [];
  if (docker !== undefined) {
    if (id !== undefined) names.push(fullName(docker));
    if (docker.tag !== undefined && docker.digest !== undefined) {
      names.push(`${fullRepository(docker)}:${docker.tag}`);
    }
    const parts = fullRepository(docker).split("/");
    for (let count = parts.length; count > 0; count--) names.push(parts.slice(0, count).join("/"));
  }
  return {
    policyIdentity: store + spelledImage(wanted),
    policyNamespaces: [...names.map((each) => store + each), store, `[${graphRoot}]`],
  };
}

interface SplitName {
  readonly store: StoreWish;
  readonly spelledStore: string;
  readonly image: string;
}

function splitStore(text: string): SplitName {
  if (!text.startsWith("[")) return { store: {}, spelledStore: "", image: text };
  const end = text.indexOf("]");
  if (end < 0) throw invalid();
  const inside = text.slice(1, end);
  const at = inside.indexOf("@");
  const driver = at < 0 ? undefined : inside.slice(0, at);
  const place = inside.slice(at + 1);
  if (driver === "" || place === "") throw invalid();
  const colon = place.indexOf(":");
  const roots = colon < 0 ? place : place.slice(0, colon);
  const options = colon < 0 ? [] : place.slice(colon + 1).split(",");
  const plus = roots.indexOf("+");
  const graphRoot = plus < 0 ? roots : roots.slice(0, plus);
  const runRoot = plus < 0 ? undefined : roots.slice(plus + 1);
  for (const root of [graphRoot, runRoot]) {
    if (root === undefined || root === "") continue;
    if (!root.startsWith("/")) throw new Failure("usage", "path name is not absolute");
  }
  return {
    store: {
      ...(driver !== undefined && { driver }),
      ...(graphRoot !== "" && { graphRoot }),
      ...(runRoot !== undefined && runRoot !== "" && { runRoot }),
      options: options.filter((option) => option !== ""),
    },
    spelledStore: text.slice(0, end + 1),
    image: text.slice(end + 1),
  };
}

interface ParsedImage {
  readonly wanted: WantedImage;
  readonly start?: string;
}

function parseImage(image: string): ParsedImage {
  const at = image.lastIndexOf("@");
  const last = image.slice(at + 1);
  if (at >= 0 && last === "") {
    throw invalid(`empty trailing digest or ID in ${JSON.stringify(image)}`);
  }
  if (at < 0) {
    const alone = !image.includes(":") && image.length >= shortestStart && isHex(image);
    // Spelled like an ID it cannot be a name: what is wrong with it is said where there is no such image.
    if (alone && isId(image)) return { wanted: {}, start: image };
    return { wanted: { docker: parseName(image) }, ...(alone && { start: image }) };
  }
  if (isDigest(last)) return { wanted: { docker: parseName(image) } };
  const named = image.slice(0, at);
  const docker = named === "" ? {} : { docker: parseName(named) };
  if (isId(last)) return { wanted: { ...docker, id: last } };
  if (last.length >= shortestStart && isHex(last)) return { wanted: docker, start: last };
  throw noId(last);
}

/** Says that something behind an `@` is neither a digest nor the ID of an image. */
export function noId(text: string): Failure {
  return invalid(`${JSON.stringify(text)} does not look like an image ID or digest`);
}

/** Parses a name, adding the tag `latest` if it has neither tag nor digest. Fails with `usage`. */
export function parseName(text: string): DockerName {
  try {
    return withDefaultTag(parseDockerName(text));
  } catch (error) {
    throw inContext(`parsing named reference ${JSON.stringify(text)}`, error);
  }
}

/** Tells whether text is the whole ID of an image. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function isHex(text: string): boolean {
  return /^[0-9a-f]+$/.test(text);
}

/** Returns a failure that says that a name cannot be understood, and what is wrong with it. */
function invalid(what?: string): Failure {
  const words = "invalid reference";
  return new Failure("usage", what === undefined ? words : `${what}: ${words}`, {
    hint: "write containers-storage:NAME:TAG or containers-storage:[DRIVER@GRAPHROOT+RUNROOT]NAME:TAG",
  });
}
