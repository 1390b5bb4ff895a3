// The docker transport's face: `docker://host/repository:tag`, and what it means.

import {
  type DockerName,
  familiarName,
  fullName,
  parseDockerName,
  policyIdentityOf,
  policyNamespacesOf,
  withDefaultTag,
} from "../../core/content/docker-name.ts";
import { Failure } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { ImageReference, Transport } from "../../core/image/transport.ts";

/** Images in a registry. */
export const docker: Transport = {
  name: "docker",
  parseReference: (text) => referenceTo(parseImage(text)),
  // Any scope may match: hosts, paths and wildcards of hosts are all plain text.
  checkPolicyScope: () => {},
  listTags: async (text, context) => {
    const repository = parseRepository(text);
    return (await import("./tags.ts")).listTags(repository, context);
  },
  verifyLogin: async (host, context) => (await import("./login.ts")).verifyLogin(host, context),
};

/**
 * What stands at the end of the name of a destination that is known by its digest only, and whose digest
 * nobody knows yet. Such a name has neither tag nor digest.
 */
const unknownDigest = "@@unknown-digest@@";

function parseImage(text: string): DockerName {
  const spelled = withoutSlashes(text, `docker: image reference ${text} does not start with //`);
  if (!spelled.endsWith(unknownDigest)) {
    const name = withDefaultTag(parseDockerName(spelled));
    if (name.tag !== undefined && name.digest !== undefined) {
      throw new Failure(
        "usage",
        "Docker references with both a tag and digest are currently not supported",
        { hint: "leave out the tag: the digest says more" },
      );
    }
    return name;
  }
  const name = parseDockerName(spelled.slice(0, -unknownDigest.length));
  if (name.tag !== undefined || name.digest !== undefined) {
    throw new Failure(
      "usage",
      `docker: image reference ${JSON.stringify(fullName(name) + unknownDigest)} has unknown digest set but it contains either a tag or digest`,
    );
  }
  return name;
}

function parseRepository(text: string): DockerName {
  const problem = `docker: image reference docker:${text} does not start with docker://`;
  const name = parseDockerName(withoutSlashes(text, problem));
  if (name.tag !== undefined || name.digest !== undefined) {
    throw new Failure("usage", "No tag or digest allowed in reference");
  }
  return name;
}

function withoutSlashes(text: string, problem: string): string {
  if (text.startsWith("//")) return text.slice(2);
  throw new Failure("usage", problem, { hint: `write docker://${text}` });
}

function referenceTo(name: DockerName, image = imageNameOf(name)): ImageReference {
  return {
    ...image,
    pinned: (digest) => {
      const { host, repository } = name;
      const pinned = { host, repository, digest };
      const { docker: known, policyIdentity, policyNamespaces } = image;
      const judged = {
        ...(known !== undefined && { docker: known }),
        policyIdentity,
        policyNamespaces,
      };
      return referenceTo(pinned, { ...imageNameOf(pinned), ...judged });
    },
    openSource: async (context) => (await import("./source.ts")).openSource(name, image, context),
    openDestination: async (context) =>
      (await import("./destination.ts")).openDestination(name, image, context),
    openProbe: async (context) => (await import("./probe.ts")).openProbe(name, image, context),
    glance: async (context, as) => (await import("./glance.ts")).glance(name, context, as),
    deleteImage: async (context) => (await import("./delete.ts")).deleteImage(name, context),
    deleteTag: async (context) => (await import("./delete.ts")).deleteTag(name, context),
    planDeletion: async (context, tagOnly) =>
      (await import("./delete.ts")).planDeletion(name, context, tagOnly),
    listTags: async (context) => (await import("./tags.ts")).disclosedTags(name, context),
  };
}

function imageNameOf(name: DockerName): ImageName {
  const known = name.tag !== undefined || name.digest !== undefined;
  return {
    transport: "docker",
    text: `//${familiarName(name)}${known ? "" : unknownDigest}`,
    docker: fullName(name),
    ...(name.digest === undefined ? {} : { digest: name.digest }),
    policyIdentity: policyIdentityOf(name),
    policyNamespaces: policyNamespacesOf(name),
  };
}
