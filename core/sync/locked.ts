// Locked images: those that a lock names, and no others.

import {
  type DockerName,
  fullName,
  fullRepository,
  parseDockerName,
} from "../content/docker-name.ts";
import { Failure, inContext } from "../failure.ts";
import type { Transport, TransportContext } from "../image/transport.ts";
import type { LockedImage } from "./lock-file.ts";
import type { SyncFileRegistry, TagFilter } from "./sync-file.ts";
import type { SyncGroup, SyncImage } from "./sync-image.ts";
import { chosenImages, tagChoice } from "./tag-filter.ts";

/** What images of a lock are found by. */
export interface LockedExpansion {
  readonly docker: Transport;
  readonly filter: TagFilter;
  /** Returns how an image's registry is spoken to; undefined if the source does not mean the image. */
  readonly contextOf: (name: DockerName) => TransportContext | undefined;
}

/**
 * Returns the images of a lock that the source means, by the digests they had, a group for each
 * repository. Fails with `config` if the lock has others: it was made for another source.
 */
export function expandLock(
  locked: readonly LockedImage[],
  expansion: LockedExpansion,
): readonly SyncGroup[] {
  const groups = new Map<string, SyncImage[]>();
  for (const each of locked) {
    const name = parseName(each);
    const context = expansion.contextOf(name);
    if (context === undefined) {
      throw new Failure("config", `The lock has ${each.name}, which the source does not mean`, {
        hint: "lock and source have to belong together; --write-lock makes a new one",
      });
    }
    const repository = fullRepository(name);
    const group = groups.get(repository) ?? [];
    groups.set(repository, group);
    group.push(imageOf(each, name, { docker: expansion.docker, context }));
  }
  const choice = tagChoice(expansion.filter);
  return [...groups.values()]
    .map((images) => ({ images: chosenImages(images, choice) }))
    .filter(({ images }) => images.length > 0);
}

function parseName({ name }: LockedImage): DockerName {
  try {
    return parseDockerName(name);
  } catch (error) {
    throw inContext(`The lock has a name that is none, ${JSON.stringify(name)}`, error);
  }
}

/** It is read by its digest, and called by its tag: before the policy, too. */
function imageOf(
  { digest, to, layers, chosen }: LockedImage,
  name: DockerName,
  { docker, context }: { readonly docker: Transport; readonly context: TransportContext },
): SyncImage {
  const tagged = name.digest === undefined && docker.parseReference(`//${fullName(name)}`);
  const pinned = tagged ? tagged.pinned?.(digest) : undefined;
  return {
    reference: pinned ?? docker.parseReference(`//${fullRepository(name)}@${digest}`),
    context,
    path: fullName(name),
    below: fullName(name).slice(name.host.length + 1),
    ...(to !== undefined && { to }),
    ...(name.tag !== undefined && { tag: name.tag }),
    ...(layers !== undefined && { layers }),
    ...(chosen !== undefined && { chosen }),
  };
}

/** Returns the section of a file that means an image; undefined if none does. */
export function sectionFor(
  name: DockerName,
  sections: readonly SyncFileRegistry[],
): SyncFileRegistry | undefined {
  const repository = fullRepository(name);
  return sections.find(({ registry, images, patterns, constraints }) =>
    [
      ...images.map((image) => image.repository),
      ...patterns.map(([each]) => each),
      ...constraints.map(([each]) => each),
    ].some((each) => isRepository(`${registry}/${each}`, repository)),
  );
}

function isRepository(text: string, repository: string): boolean {
  try {
    return fullRepository(parseDockerName(text)) === repository;
  } catch (error) {
    if (error instanceof Failure && error.code === "usage") return false;
    throw error;
  }
}
