// Finding an image: which one of a store's images a name means.

import { type Digest, isDigest } from "../../core/content/digest.ts";
import {
  fullName,
  fullRepository,
  parseDockerName,
  type DockerName,
} from "../../core/content/docker-name.ts";
import { Failure } from "../../core/failure.ts";
import { spelled } from "../../core/image/name.ts";
import { noId, parseName, type StorageName, type WantedImage } from "./name.ts";
import type { KeptImage } from "./read-store.ts";

/**
 * Returns what a name wants once it is known which images there are: text that is the start of the one
 * image's ID stands for that ID. Fails with `usage` if it means nothing else.
 */
export function resolveStart(
  { wanted, start, text }: StorageName,
  images: readonly KeptImage[],
): WantedImage {
  if (start === undefined) return wanted;
  const id = idStartingWith(start, images);
  if (text.includes("@")) {
    if (id === undefined) throw noId(start);
    return { ...wanted, id };
  }
  if (id !== undefined) return { id };
  // Spelled like an ID, this says what is wrong with it as a name.
  return wanted.docker === undefined ? { docker: parseName(start) } : wanted;
}

function idStartingWith(start: string, images: readonly KeptImage[]): string | undefined {
  const ids = images.map(({ record }) => record.id);
  if (ids.includes(start)) return start;
  const [only, ...others] = ids.filter((id) => id.startsWith(start));
  return others.length === 0 ? only : undefined;
}

/**
 * Returns the images that are meant: one or, where a list's digest leads to several that were chosen
 * from it, those. Fails with `not-found`.
 */
export function findImages(
  wanted: WantedImage,
  images: readonly KeptImage[],
  name: StorageName,
): readonly [KeptImage, ...KeptImage[]] {
  const { docker, id } = wanted;
  if (id === undefined) {
    const [first, ...others] = docker === undefined ? [] : findByName(docker, images);
    if (first !== undefined) return [first, ...others];
    throw missing(`reference ${JSON.stringify(shown(name))} does not resolve to an image ID`);
  }
  const found = images.find(({ record }) => record.id === id);
  if (found === undefined) throw missing(`reading image ${JSON.stringify(id)}: image not known`);
  if (docker !== undefined && !isIn(found, docker)) {
    throw missing(`no image matching reference ${JSON.stringify(shown(name))} found`);
  }
  return [found];
}

function findByName(docker: DockerName, images: readonly KeptImage[]): readonly KeptImage[] {
  const text = fullName(docker);
  const exact = images.find(({ record }) => record.names.includes(text));
  if (exact !== undefined) return [exact];
  const { digest } = docker;
  if (digest === undefined) return [];
  return images.filter((image) => digestsOf(image).has(digest) && isIn(image, docker));
}

/** Returns the digests that an image goes by: of its manifest, and of the list that it was chosen from. */
function digestsOf({ record }: KeptImage): ReadonlySet<Digest> {
  const digests = new Set<Digest>();
  for (const [key, digest] of record.bigDataDigests) {
    if (key.startsWith("manifest")) digests.add(digest);
  }
  const own = record.json["digest"];
  if (typeof own === "string" && isDigest(own)) digests.add(own);
  return digests;
}

function isIn({ record }: KeptImage, docker: DockerName): boolean {
  const repository = fullRepository(docker);
  return record.names.some((name) => {
    try {
      return fullRepository(parseDockerName(name)) === repository;
    } catch (error) {
      // What other programs call it need not be a name to us.
      if (error instanceof Failure) return false;
      throw error;
    }
  });
}

function shown(name: StorageName): string {
  return spelled(name).slice(name.transport.length + 1);
}

function missing(what: string): Failure {
  return new Failure("not-found", `${what}: identifier is not an image`);
}
