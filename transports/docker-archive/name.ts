// Name: which image of which archive somebody means.

import {
  type DockerName,
  fullName,
  parseDockerName,
  withDefaultTag,
} from "../../core/content/docker-name.ts";
import { Failure, inContext } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { WantedItem } from "../shared/docker-tar-items.ts";
import { parsePosition } from "../shared/position.ts";

/** The name of an image in an archive. */
export interface DockerArchiveName extends ImageName {
  /** The archive, as it was given; `-` is standard input or output. */
  readonly path: string;
  readonly wanted: WantedItem;
}

/** Parses `PATH[:DOCKER-REFERENCE|:@INDEX]`. Fails with `usage`, in the original's words. */
export function parseDockerArchiveName(text: string): DockerArchiveName {
  if (text === "") {
    const form = "isn't of the form <path>[:<reference>]";
    throw new Failure("usage", `docker-archive reference ${text} ${form}`);
  }
  const colon = text.indexOf(":");
  const path = colon < 0 ? text : text.slice(0, colon);
  const wanted: WantedItem = colon < 0 ? { by: "itself" } : parseWanted(text.slice(colon + 1));
  return {
    transport: "docker-archive",
    text: path + suffixOf(wanted),
    path,
    wanted,
    ...(wanted.by === "tag" && { docker: wanted.tag }),
    // Only the transport as a whole can have a policy; what an archive says of itself proves nothing.
    policyIdentity: "",
    policyNamespaces: [],
  };
}

/**
 * Returns the full form of a name, with the tag `latest` if it has none. Fails with `usage` if it has a
 * digest: images in an archive go by tags.
 */
export function taggedName(name: DockerName): string {
  const full = fullName(withDefaultTag(name));
  if (name.digest === undefined) return full;
  const fault =
    name.tag === undefined
      ? "reference does not include a tag"
      : "docker-archive doesn't support digest references";
  throw new Failure("usage", `${fault}: ${full}`);
}

function parseWanted(text: string): WantedItem {
  if (text.startsWith("@")) return { by: "position", position: parsePosition(text.slice(1)) };
  return { by: "tag", tag: taggedName(parseReference(text)) };
}

function parseReference(text: string): DockerName {
  try {
    return parseDockerName(text);
  } catch (error) {
    throw inContext("docker-archive parsing reference", error);
  }
}

function suffixOf(wanted: WantedItem): string {
  switch (wanted.by) {
    case "tag":
      return `:${wanted.tag}`;
    case "position":
      return `:@${wanted.position}`;
    case "itself":
      return "";
  }
}
