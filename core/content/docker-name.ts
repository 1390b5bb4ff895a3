// DockerName: what a registry knows an image by, and how it is spelled.
//
// The grammar is that of https://github.com/distribution/reference. Names come from strangers too, so
// each part is found by splitting and tested alone, in time that grows with its length only.

import { Failure } from "../failure.ts";
import { type Digest, digestFault, isDigest } from "./digest.ts";

/** A repository in a registry, and perhaps one image in it. */
export interface DockerName {
  /** The registry's domain, with its port if one was given: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly host: string;
  /** The path below the host, such as `library/busybox`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/**
 * Parses a name as users write it: `busybox` is `docker.io/library/busybox`.
 *
 * No tag is added where there is none. Fails with `usage`, in the original's words.
 */
export function parseDockerName(text: string): DockerName {
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw invalid(
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
      "write sha256: in front of a digest, behind a repository and an @",
    );
  }
  const { host, rest } = splitHost(text);
  const [unparsedName = ""] = rest.split(":", 1);
  if (unparsedName.toLowerCase() !== unparsedName) {
    throw invalid("invalid reference format: repository name must be lowercase");
  }
  const { repository, tag, digest } = splitReference(rest);
  if (!isHost(host) || !isRepository(repository)) throw malformed();
  if (tag !== undefined && !isTag(tag)) throw malformed();
  if (digest !== undefined && !isShapedLikeDigest(digest)) throw malformed();
  if (host.length + 1 + repository.length > longestName) {
    throw invalid(`repository name must not be more than ${longestName} characters`);
  }
  if (digest !== undefined && !isDigest(digest)) throw invalid(digestFault(digest));
  return {
    host,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/** Parses a name that has to be spelled in full, as in a policy or a signature. Fails with `usage`. */
export function parseCanonicalDockerName(text: string): DockerName {
  const name = parseDockerName(text);
  if (fullName(name) !== text) throw invalid("repository name must be canonical");
  return name;
}

/** Returns the name with the tag `latest`, unless it has a tag or a digest. */
export function withDefaultTag(name: DockerName): DockerName {
  return name.tag === undefined && name.digest === undefined ? { ...name, tag: "latest" } : name;
}

/** Returns host and repository, such as `docker.io/library/busybox`. */
export function fullRepository({ host, repository }: DockerName): string {
  return `${host}/${repository}`;
}

/** Returns the whole name in its long form, such as `docker.io/library/busybox:latest`. */
export function fullName(name: DockerName): string {
  return fullRepository(name) + suffix(name);
}

/** Returns the whole name as people write it, such as `busybox:latest`. */
export function familiarName(name: DockerName): string {
  return familiarRepository(name) + suffix(name);
}

/** Returns host and repository as people write them: without `docker.io/` and `library/`. */
export function familiarRepository({ host, repository }: DockerName): string {
  if (host !== defaultHost) return `${host}/${repository}`;
  const short = repository.startsWith(officialPrefix)
    ? repository.slice(officialPrefix.length)
    : repository;
  return short.includes("/") ? repository : short;
}

/** Returns the key by which policy.json singles out the image. */
export function policyIdentityOf(name: DockerName): string {
  return fullName(name);
}

/**
 * Returns the wider keys of policy.json, narrowest first: the repository, each path above it, the host,
 * and then `*.example.com` for each domain that the host is in.
 */
export function policyNamespacesOf({ host, repository }: DockerName): readonly string[] {
  const path = repository.split("/");
  const paths = path.map((_, index) => [host, ...path.slice(0, path.length - index)].join("/"));
  const labels = host.replace(/:[0-9]*$/, "").split(".");
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join(".")}`);
  return [...paths, host, ...wildcards];
}

/** Tells whether `text` may stand as a registry's domain, with or without a port. */
export function isHost(text: string): boolean {
  // The original takes no IPv6 addresses; registries that have nothing else could not be named.
  const match = /^(\[[0-9a-fA-F:]+\]|[^:[\]]+)(?::[0-9]+)?$/.exec(text);
  const name = match?.[1];
  if (name === undefined) return false;
  return name.startsWith("[") || name.split(".").every((label) => hostLabel.test(label));
}

/** Tells whether `text` may stand as a tag. */
export function isTag(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text);
}

/** Tells whether `text` may stand as the path of a repository below its host. */
export function isRepository(text: string): boolean {
  return text.split("/").every((part) => partShape.test(part) && !badSeparator.test(part));
}

const defaultHost = "docker.io";
const historicHost = "index.docker.io";
const officialPrefix = "library/";
const longestName = 255;

const partShape = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/;
/** Words may be joined by one dot, one or two underscores, or any number of hyphens; by no mixture. */
const badSeparator = /[._-]\.|\.[_-]|_-|-_|___/;
const hostLabel = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
const algorithmShape = /^[A-Za-z][A-Za-z0-9+._-]*$/;
const badAlgorithm = /[+._-](?![A-Za-z])/;

function splitHost(text: string): { readonly host: string; readonly rest: string } {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const named = /[.:]/.test(first) || first === "localhost";
  const host = named && first !== historicHost ? first : defaultHost;
  const rest = named ? text.slice(slash + 1) : text;
  const official = host === defaultHost && !rest.includes("/");
  return { host, rest: official ? officialPrefix + rest : rest };
}

interface ReferenceParts {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Neither a path nor a tag can hold an `@`, and no path can hold a colon. */
function splitReference(rest: string): ReferenceParts {
  const at = rest.indexOf("@");
  const named = at < 0 ? rest : rest.slice(0, at);
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const colon = named.indexOf(":");
  if (colon < 0) return { repository: named, tag: undefined, digest };
  return { repository: named.slice(0, colon), tag: named.slice(colon + 1), digest };
}

/** The grammar of names is wider than that of digests: what fits only here gets a better sentence. */
function isShapedLikeDigest(text: string): boolean {
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, Math.max(colon, 0));
  if (!algorithmShape.test(algorithm) || badAlgorithm.test(algorithm)) return false;
  return /^[0-9a-fA-F]{32,}$/.test(text.slice(colon + 1));
}

function suffix({ tag, digest }: DockerName): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

function malformed(): Failure {
  return invalid("invalid reference format");
}

function invalid(message: string, hint?: string): Failure {
  return new Failure("usage", message, { hint });
}
