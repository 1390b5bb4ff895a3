// AuthKey: what credentials are kept under, a registry or a part of one.

import { type DockerName, isHost, parseDockerName } from "../content/docker-name.ts";
import { Failure, inContext } from "../failure.ts";

/** A registry, or a path in one. */
export interface AuthKey {
  /** Such as `example.com`, `example.com:5000/team` or `docker.io/library/busybox`. */
  readonly text: string;
  /** The registry's domain, with its port if there is one. */
  readonly host: string;
}

/** Returns the key of a repository in a registry. */
export function keyOfRepository(host: string, repository: string): AuthKey {
  return { host, text: repository === "" ? host : `${host}/${repository}` };
}

/**
 * Parses what a user wants to log in to: a registry, a repository or a namespace in one, or the URL of a
 * registry, of which only the host counts. Fails with `usage`, in the original's words.
 */
export function parseAuthKey(text: string): AuthKey {
  const scheme = schemes.find((each) => text.startsWith(each));
  const bare = scheme === undefined ? text : hostOfUrl(text);
  const [host = ""] = bare.split("/", 1);
  // What else could be wrong with a host is found when it is looked up; see `checkedKey`.
  return host === bare ? { text: bare, host } : parseNamespace(bare, host);
}

/**
 * Fails with `usage` if `text` can be no key of credentials. A line break in it would be another line of
 * what a helper reads.
 */
export function checkedKey(text: string): AuthKey {
  if (schemes.some((each) => text.startsWith(each))) {
    throw invalid(`key ${text} contains http[s]:// prefix`);
  }
  const slash = text.indexOf("/");
  const path = slash < 0 ? "" : text.slice(slash);
  if (path.includes(":")) throw invalid(`key ${text} contains a ':' character after host[:port]`);
  if (text.includes("@")) throw invalid(`key ${text} contains a '@' character`);
  return { text, host: slash < 0 ? text : text.slice(0, slash) };
}

/**
 * Returns the keys under which credentials for `key` may be kept, narrowest first: itself, the paths
 * above it, and the registry. Whole components of the path only: `a/b` never stands for `a/bc`.
 */
export function widerKeys({ text }: AuthKey): readonly string[] {
  const parts = text.split("/");
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("/"));
}

/**
 * Returns the registry that a key in a file means, so that two are equal exactly if they mean the same:
 * Docker writes URLs, and its own registry goes by several names. In files of the `legacy` kind the path
 * of what is no URL does not count either.
 */
export function normalHost(key: string, legacy = false): string {
  const scheme = schemes.find((each) => key.startsWith(each));
  const bare = scheme === undefined ? key : key.slice(scheme.length);
  const [host = ""] = scheme === undefined && !legacy ? [bare] : bare.split("/", 1);
  return dockerHosts.has(host) ? dockerHost : host;
}

/** What Docker's own registry is called in Docker's files and to its helpers. */
export const dockerServer = "https://index.docker.io/v1/";

const schemes = ["http://", "https://"];
const dockerHost = "index.docker.io";
const dockerHosts: ReadonlySet<string> = new Set(["docker.io", "registry-1.docker.io"]);

function hostOfUrl(text: string): string {
  const rest = text.slice(text.indexOf("://") + 3);
  const [authority = ""] = rest.split(/[/?#]/, 1);
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host === "" || isHost(host)) return host;
  throw invalid(`trimming http{s} prefix: parse ${JSON.stringify(text)}: invalid host name`);
}

function parseNamespace(text: string, host: string): AuthKey {
  const name = nameIn(text);
  if (name.tag !== undefined || name.digest !== undefined) {
    throw invalid(`reference ${JSON.stringify(text)} contains tag or digest`);
  }
  if (name.host !== host) {
    throw invalid(
      `key ${JSON.stringify(text)} begins with no registry`,
      `for a namespace of Docker's registry, write docker.io/${text}`,
    );
  }
  return { text, host };
}

function nameIn(text: string): DockerName {
  try {
    return parseDockerName(text);
  } catch (error) {
    throw inContext(`parse reference from ${JSON.stringify(text)}`, error);
  }
}

function invalid(message: string, hint?: string): Failure {
  return new Failure("usage", message, { hint });
}
