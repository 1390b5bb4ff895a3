// Identity: which names in a signature fit which image.

import {
  type DockerName,
  fullName,
  fullRepository,
  isHost,
  isRepository,
  parseDockerName,
} from "../content/docker-name.ts";
import { asFailure, Failure } from "../failure.ts";
import type { ImageName } from "../image/name.ts";
import { membersOf, needed, type Placed, quoted, textOf, typeOf, wrong } from "./strict-json.ts";

/** Which names a signature may give an image: the `signedIdentity` of a policy requirement. */
export type SignedIdentity =
  /** The image's own name; `matchRepoDigestOrExact` lets any tag stand for an image named by digest. */
  | { readonly kind: "matchExact" | "matchRepoDigestOrExact" | "matchRepository" }
  /** This one name, with its tag or digest. */
  | { readonly kind: "exactReference"; readonly reference: DockerName }
  /** Any name in this repository. */
  | { readonly kind: "exactRepository"; readonly repository: DockerName }
  /** The image's own name, with `signedPrefix` for `prefix`. Both are a host, or a host and a path. */
  | { readonly kind: "remapIdentity"; readonly prefix: string; readonly signedPrefix: string };

/** What counts where a requirement does not say. */
export const defaultIdentity: SignedIdentity = { kind: "matchRepoDigestOrExact" };

/** Parses a `signedIdentity`. Fails with `config`, in the original's words. */
export function parseSignedIdentity(match: Placed): SignedIdentity {
  const kind = typeOf(match);
  switch (kind) {
    case "matchExact":
    case "matchRepoDigestOrExact":
    case "matchRepository":
      membersOf(match, ["type"]);
      return { kind };
    case "exactReference":
      return { kind, reference: exactReference(match) };
    case "exactRepository":
      return { kind, repository: exactRepository(match) };
    case "remapIdentity": {
      const members = membersOf(match, ["type", "prefix", "signedPrefix"]);
      const prefix = needed(match, members, "prefix");
      const signedPrefix = needed(match, members, "signedPrefix");
      return { kind, prefix: parsePrefix(prefix), signedPrefix: parsePrefix(signedPrefix) };
    }
    default:
      throw wrong(match, `Unknown policy reference match type ${quoted(kind)}`);
  }
}

/**
 * Tells whether the name that a signature gives fits an image.
 *
 * A name that cannot be parsed fits none, and no name of its own fits an image outside of registries.
 */
export function isAcceptedName(
  identity: SignedIdentity,
  { docker }: Pick<ImageName, "docker">,
  claimedName: string,
): boolean {
  const signed = parsedOrNone(claimedName);
  if (signed === undefined) return false;
  switch (identity.kind) {
    case "exactReference":
      return isWhole(signed) && fullName(signed) === fullName(identity.reference);
    case "exactRepository":
      return fullRepository(signed) === fullRepository(identity.repository);
  }
  const own = docker === undefined ? undefined : parsedOrNone(docker);
  if (own === undefined) return false;
  switch (identity.kind) {
    case "matchExact":
      return isWhole(own) && isWhole(signed) && fullName(own) === fullName(signed);
    case "matchRepository":
      return fullRepository(own) === fullRepository(signed);
    case "matchRepoDigestOrExact":
      return isOwnName(own, signed);
    case "remapIdentity": {
      const remapped = remap(own, identity);
      return remapped !== undefined && isOwnName(remapped, signed);
    }
  }
}

/** Whoever pins an image by its digest knows which one it is, whatever tag it was signed under. */
function isOwnName(own: DockerName, signed: DockerName): boolean {
  if (!isWhole(signed)) return false;
  if (own.tag !== undefined) return fullName(own) === fullName(signed);
  return own.digest !== undefined && fullRepository(own) === fullRepository(signed);
}

function isWhole({ tag, digest }: DockerName): boolean {
  return tag !== undefined || digest !== undefined;
}

/** Returns the name with one beginning for another; undefined if that makes no name. */
function remap(
  own: DockerName,
  { prefix, signedPrefix }: { readonly prefix: string; readonly signedPrefix: string },
): DockerName | undefined {
  const repository = fullRepository(own);
  if (repository !== prefix && !repository.startsWith(`${prefix}/`)) return own;
  const name = fullName(own);
  return parsedOrNone(signedPrefix + name.slice(prefix.length));
}

function parsedOrNone(text: string): DockerName | undefined {
  try {
    return parseDockerName(text);
  } catch (error) {
    if (error instanceof Failure && error.code === "usage") return undefined;
    throw error;
  }
}

/** Returns in words which names fit. */
export function describeIdentity(identity: SignedIdentity): string {
  switch (identity.kind) {
    case "matchExact":
    case "matchRepoDigestOrExact":
    case "matchRepository":
      return identity.kind;
    case "exactReference":
      return `exactReference ${fullName(identity.reference)}`;
    case "exactRepository":
      return `exactRepository ${fullRepository(identity.repository)}`;
    case "remapIdentity":
      return `remapIdentity ${identity.prefix} to ${identity.signedPrefix}`;
  }
}

function exactReference(match: Placed): DockerName {
  const member = needed(match, membersOf(match, ["type", "dockerReference"]), "dockerReference");
  const name = parseNameAt(member, "dockerReference");
  if (name.tag === undefined && name.digest === undefined) {
    const text = quoted(textOf(member));
    throw wrong(member, `dockerReference ${text} contains neither a tag nor digest`);
  }
  return name;
}

function exactRepository(match: Placed): DockerName {
  const member = needed(match, membersOf(match, ["type", "dockerRepository"]), "dockerRepository");
  return parseNameAt(member, "dockerRepository");
}

function parseNameAt(member: Placed, what: string): DockerName {
  const text = textOf(member);
  try {
    return parseDockerName(text);
  } catch (error) {
    const { message } = asFailure(error);
    throw wrong(member, `Invalid format of ${what} ${quoted(text)}: ${message}`);
  }
}

function parsePrefix(member: Placed): string {
  const prefix = textOf(member);
  const [host = "", ...path] = prefix.split("/");
  // Unlike in the names of images, a first part without a dot is a host here, too.
  if (!isHost(host) || (path.length > 0 && !isRepository(path.join("/")))) {
    throw wrong(member, `prefix ${quoted(prefix)} is not valid`);
  }
  return prefix;
}
