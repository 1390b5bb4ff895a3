// Names of ostree: an image, and the repository that it is kept in.

import { lstatSync } from "node:fs";
import { parseDockerName } from "../../core/content/docker-name.ts";
import { Failure } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import { explicitPath } from "../shared/explicit-path.ts";

/** Where systems that boot from ostree keep theirs. */
const defaultRepository = "/ostree/repo";

/** An image in a repository. */
export interface OstreeName extends ImageName {
  /** With its tag, and otherwise as the user spelled it. */
  readonly image: string;
  readonly repository: string;
}

/** Parses `IMAGE[:TAG][@/REPOSITORY]`. Fails with `usage`. */
export function parseOstreeName(text: string): OstreeName {
  const cut = text.indexOf("@/");
  const named = cut < 0 ? text : text.slice(0, cut);
  const place = cut < 0 ? defaultRepository : text.slice(cut + 1);
  const { tag, digest } = parseDockerName(named);
  if (digest !== undefined) {
    throw new Failure("usage", `Invalid OSTree reference ${text}: images have no digests there`);
  }
  const image = tag === undefined ? `${named}:latest` : named;
  const repository = explicit(place);
  if (repository.includes(":")) {
    throw new Failure(
      "usage",
      `Invalid OSTree reference ${image}@${place}: path ${repository} contains a colon`,
    );
  }
  return {
    transport: "ostree",
    text: `${image}@${repository}`,
    image,
    repository,
    policyIdentity: `${repository}:${image}`,
    policyNamespaces: repositoriesAbove(image).map((each) => `${repository}:${each}`),
  };
}

/** The default need not be there: then no image is, either. */
function explicit(path: string): string {
  const missing = lstatSync(path, { throwIfNoEntry: false }) === undefined;
  return path === defaultRepository && missing ? path : explicitPath(path);
}

/** Returns the image without its tag, and what is above it. */
function repositoriesAbove(image: string): readonly string[] {
  const found: string[] = [];
  let name = image.slice(0, image.lastIndexOf(":"));
  for (;;) {
    found.push(name);
    const slash = name.lastIndexOf("/");
    if (slash < 0) return found;
    name = name.slice(0, slash);
  }
}

/** Returns the branch of an image, or of a blob, which goes by the hex digits of its digest. */
export function branchOf(name: string): string {
  const escaped = [...Buffer.from(name)].map((byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9.-]/.test(character)) return character;
    return `_${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `ociimage/${escaped.join("")}`;
}

/** Fails with `config` unless `scope` is a repository, a colon, and perhaps the beginning of a name. */
export function checkScope(scope: string): void {
  const colon = scope.indexOf(":");
  const invalid = (why: string) => new Failure("config", `Invalid scope ${scope}: ${why}`);
  if (colon < 0) throw invalid("Must include a repository and a colon");
  const repository = scope.slice(0, colon);
  if (!repository.startsWith("/")) throw invalid("Must be an absolute path");
  if (
    repository
      .split("/")
      .slice(1)
      .some((part) => ["", ".", ".."].includes(part))
  ) {
    throw invalid("Uses non-canonical path format");
  }
}
