// Jobs: the images of a run, with the names that they are to have, and whether those go together.

import { dirname, resolve } from "node:path";
import { fullRepository, parseDockerName } from "../content/docker-name.ts";
import { Failure } from "../failure.ts";
import { spelled } from "../image/name.ts";
import { divide, type Shard } from "./shard.ts";
import type { SyncImage } from "./sync-image.ts";
import type { SyncPlace } from "./target.ts";

/** One image, and what it is to be called. */
export interface SyncJob {
  readonly image: SyncImage;
  /** The name at the destination, without its transport. */
  readonly target: string;
  /** Which one of its group it is, from one, and of how many. */
  readonly number: number;
  readonly of: number;
}

/** Returns the jobs that groups of images come to, by what the images are to be called. */
export function jobsFor(
  groups: readonly { readonly images: readonly SyncImage[] }[],
  nameOf: (image: SyncImage) => string,
): readonly SyncJob[] {
  return groups.flatMap(({ images }) =>
    images.map((image, index) => ({
      image,
      target: nameOf(image),
      number: index + 1,
      of: images.length,
    })),
  );
}

/** Returns the jobs of one part. Their numbers stay those of the whole: all parts speak of the same. */
export function jobsOf({ index, of }: Shard, jobs: readonly SyncJob[]): readonly SyncJob[] {
  const shards = divide(
    jobs.map(({ image }) => ({ repository: repositoryOf(image), layers: image.layers })),
    of,
  );
  return jobs.filter((_, position) => shards[position] === index);
}

function repositoryOf({ reference, path }: SyncImage): string {
  const { docker } = reference;
  return docker === undefined
    ? path.replace(/:[^:/]*$/, "")
    : fullRepository(parseDockerName(docker));
}

/**
 * Fails with `usage` if two images are to have one name, of which one would be lost. That an image is meant twice
 * is no harm.
 */
export function checkDistinct(jobs: readonly SyncJob[]): void {
  const sources = new Map<string, string>();
  for (const { image, target } of jobs) {
    const source = spelled(image.reference);
    const other = sources.get(target) ?? source;
    sources.set(target, other);
    if (other === source) continue;
    throw new Failure(
      "usage",
      `${other} and ${source} would both become ${JSON.stringify(target)}`,
      {
        hint: "look at the rules of --map: each image needs a name of its own",
      },
    );
  }
}

/**
 * Fails with `usage` if an image is to be inside of the directory of another one: what else lies in a directory
 * goes when its image is replaced.
 */
export function checkSideBySide(jobs: readonly SyncJob[], { transport }: SyncPlace): void {
  if (transport.name !== "dir") return;
  const targets = new Map(jobs.map(({ target }) => [resolve(target), target]));
  for (const [path, target] of targets) {
    for (let above = dirname(path); above !== dirname(above); above = dirname(above)) {
      const outer = targets.get(above);
      if (outer === undefined) continue;
      throw new Failure(
        "usage",
        `Cannot copy an image to ${JSON.stringify(target)} and another one to ${JSON.stringify(outer)}, which it is inside of`,
        { hint: "other names can be had with --map" },
      );
    }
  }
}
