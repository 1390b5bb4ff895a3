// Locks, as files that the flags name.

import { writeFileSync } from "node:fs";

import { readConfigFile } from "../../core/config/config-file.ts";
import { fullName, parseDockerName } from "../../core/content/docker-name.ts";
import { platformName, type PlatformWish } from "../../core/content/platform.ts";
import { asFailure, during, Failure, inContext } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { type LockedImage, parseLock, renderLock } from "../../core/sync/lock-file.ts";
import type { SyncJob } from "../../core/sync/jobs.ts";
import type { SyncResult } from "../../core/sync/sync.ts";
import type { SourceKind } from "./kinds.ts";

/** What the flags say about locks. */
export interface LockFlags {
  readonly locked: string;
  readonly writeLock: string;
  readonly shard: string;
}

/**
 * Fails with `usage` where locks make no sense: only registries have digests to go by, and half a lock would
 * be taken for a whole one.
 */
export function checkLocks(
  from: SourceKind,
  { locked, writeLock: written, shard }: LockFlags,
): void {
  if (written !== "" && shard !== "") {
    throw new Failure("usage", "Only one of --write-lock and --shard can be specified", {
      hint: "write the lock before, with --dry-run",
    });
  }
  if (from === "docker" || from === "yaml" || (locked === "" && written === "")) return;
  throw new Failure("usage", `--locked and --write-lock are for registries, not for ${from}`);
}

/** Reads a lock; undefined if there is to be none. */
export async function readLock(path: string): Promise<readonly LockedImage[] | undefined> {
  if (path === "") return undefined;
  const bytes = await readConfigFile(path, limits.lockBytes);
  return during(`reading lock ${JSON.stringify(path)}`, () => parseLock(bytes));
}

/** What is to be written down. */
export interface LockContent {
  /** What came of the jobs, in their order. */
  readonly results: readonly Pick<SyncResult, "source">[];
  /** For which images were chosen from lists. */
  readonly platform: PlatformWish;
}

/** Writes down what was found at the sources, if that is wanted. */
export function writeLock(
  path: string,
  jobs: readonly SyncJob[],
  { results, platform }: LockContent,
): void {
  if (path === "") return;
  const images = jobs.flatMap(({ image }, index): readonly LockedImage[] => {
    const found = results[index]?.source;
    const { docker } = image.reference;
    if (found === undefined || docker === undefined) return [];
    const { host, repository } = parseDockerName(docker);
    const { tag, to } = image;
    const name = fullName({
      host,
      repository,
      ...(tag === undefined ? { digest: found.digest } : { tag }),
    });
    const layers = found.layers ?? image.layers;
    const chosen = found.chosen && { platform: platformName(platform), digest: found.chosen };
    return [
      {
        name,
        digest: found.digest,
        ...(to !== undefined && { to }),
        ...(layers !== undefined && { layers }),
        ...(chosen !== undefined && { chosen }),
      },
    ];
  });
  try {
    writeFileSync(path, renderLock(images), { mode: 0o644 });
  } catch (error) {
    throw inContext(`writing lock ${JSON.stringify(path)}`, asFailure(error));
  }
}
