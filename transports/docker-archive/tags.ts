// Tags: what the images of an archive are called.

import { fullName, parseDockerName } from "../../core/content/docker-name.ts";
import { Failure, inContext } from "../../core/failure.ts";
import type { TagList, TransportContext } from "../../core/image/transport.ts";
import type { DockerTarItem } from "../shared/docker-tar-items.ts";
import { DockerTarReader } from "../shared/docker-tar-reader.ts";
import { type DockerArchiveName, taggedName } from "./name.ts";
import { openArchive } from "./open-archive.ts";

/**
 * Lists the tags of all images in an archive, as they are recorded there. An image without any is listed
 * by its position. Which image the name picks out does not matter.
 */
export async function listTags(
  { path }: DockerArchiveName,
  context: TransportContext,
): Promise<TagList> {
  await using archive = await openArchive(path, context);
  const { items } = await DockerTarReader.open(archive);
  const tags = items.flatMap(namesOf);
  return items.length === 0 ? {} : { tags };
}

function namesOf({ tags }: DockerTarItem, position: number): readonly string[] {
  if (tags.length === 0) return [`@${position}`];
  for (const tag of tags) checkTag(tag, position);
  return tags;
}

/** In the original's words, of which there are three kinds. */
function checkTag(tag: string, position: number): void {
  const quoted = JSON.stringify(tag);
  const name = parsed(tag, position);
  if (name.tag === undefined) {
    throw new Failure(
      "corrupt",
      `Invalid tag ${quoted} (${fullName(name)}): does not contain a tag`,
    );
  }
  try {
    taggedName(name);
  } catch (error) {
    const step = `creating a reference for tag ${quoted} in manifest item @${position}`;
    throw inContext(step, error);
  }
}

function parsed(tag: string, position: number) {
  try {
    return parseDockerName(tag);
  } catch (error) {
    throw inContext(`Invalid tag ${JSON.stringify(tag)} in manifest item @${position}`, error);
  }
}
