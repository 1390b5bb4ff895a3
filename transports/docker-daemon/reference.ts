// docker-daemon: the face of the transport that speaks to a Docker engine, or to one that is like it.

import {
  type DockerName,
  familiarName,
  fullName,
  parseDockerName,
  policyIdentityOf,
  policyNamespacesOf,
} from "../../core/content/docker-name.ts";
import { isDigest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { ImageReference, Transport } from "../../core/image/transport.ts";

/** The transport `docker-daemon:NAME:TAG`, `docker-daemon:NAME@DIGEST` or `docker-daemon:sha256:ID`. */
export const dockerDaemon: Transport = {
  name: "docker-daemon",
  parseReference,
  checkPolicyScope(scope) {
    // Images that are known by an ID only have no scope of their own.
    if (!isDigest(scope)) return;
    throw new Failure(
      "config",
      `docker-daemon: can not use algo:digest value ${scope} as a namespace`,
    );
  },
};

function parseReference(text: string): ImageReference {
  const name = parseName(text);
  const image = name === undefined ? imageById(text) : imageByName(name);
  return {
    ...image,
    openSource: async (context) => (await import("./source.ts")).openSource(image, context),
    openDestination: async (context) =>
      (await import("./destination.ts")).openDestination(image, name, context),
    openProbe: async (context) => (await import("./probe.ts")).openProbe(image, name, context),
  };
}

/** Returns the name of an image, or undefined for one that is known by its ID only. */
function parseName(text: string): DockerName | undefined {
  if (isDigest(text)) {
    if (text.startsWith("sha256:")) return undefined;
    throw invalid(text, "only digest algorithm sha256 accepted");
  }
  const name = parseDockerName(text);
  const familiar = familiarName({ host: name.host, repository: name.repository });
  if (familiar === "sha256") {
    throw invalid(
      text,
      "The sha256 repository name is reserved for (non-shortened) digest references",
    );
  }
  if (name.tag === undefined && name.digest === undefined) {
    throw new Failure(
      "usage",
      `docker-daemon: reference ${familiar} has neither a tag nor a digest`,
      { hint: `write docker-daemon:${familiar}:latest` },
    );
  }
  if (name.tag !== undefined && name.digest !== undefined) {
    throw new Failure(
      "usage",
      "docker-daemon: references with both a tag and digest are currently not supported",
    );
  }
  return name;
}

function imageById(text: string): ImageName {
  return { transport: "docker-daemon", text, policyIdentity: "", policyNamespaces: [] };
}

function imageByName(name: DockerName): ImageName {
  return {
    transport: "docker-daemon",
    text: familiarName(name),
    docker: fullName(name),
    ...(name.digest !== undefined && { digest: name.digest }),
    policyIdentity: policyIdentityOf(name),
    policyNamespaces: policyNamespacesOf(name),
  };
}

function invalid(text: string, what: string): Failure {
  return new Failure("usage", `Invalid docker-daemon: reference ${text}: ${what}`);
}
