// Shards: which part of the images is whose, where several machines share the work without a word.

import type { Digest } from "../content/digest.ts";
import { Failure } from "../failure.ts";
import { limits } from "../limits.ts";
import type { LockedLayer } from "./lock-file.ts";

/** One of several parts. */
export interface Shard {
  /** Counted from 0. */
  readonly index: number;
  readonly of: number;
}

/**
 * Parses `I/N`, counted from 1; `auto`, or `auto/N` where the environment says only which part it is.
 *
 * Fails with `usage`.
 */
export function parseShard(
  text: string,
  variables: Readonly<Record<string, string | undefined>>,
): Shard {
  const [, index, of] = /^(?:(\d{1,6})\/|auto\/?)(\d{1,6})?$/.exec(text) ?? [];
  const shard =
    index === undefined && /^auto(\/\d+)?$/.test(text)
      ? shardIn(variables, of === undefined ? undefined : Number(of))
      : { index: Number(index) - 1, of: Number(of) };
  if (shard.index >= 0 && shard.index < shard.of && shard.of <= limits.shards) return shard;
  throw new Failure("usage", `Cannot use ${JSON.stringify(text)} as a shard`, {
    hint: `write I/N with I from 1 to N, and N up to ${limits.shards}, auto, or auto/N`,
  });
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Array jobs say which of them they are: from 0, from 1, or from wherever they were told to begin. */
function shardIn(variables: Variables, of: number | undefined): Shard {
  const numberIn = (name: string) => {
    const text = variables[name] ?? "";
    return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
  };
  const first = (...names: readonly string[]) => names.map(numberIn).find((n) => n !== undefined);
  const fromZero = first(
    "JOB_COMPLETION_INDEX",
    "AWS_BATCH_JOB_ARRAY_INDEX",
    "CLOUD_RUN_TASK_INDEX",
  );
  const node = numberIn("CI_NODE_INDEX");
  const task = numberIn("SLURM_ARRAY_TASK_ID");
  const index =
    fromZero ??
    (node === undefined ? undefined : node - 1) ??
    (task === undefined ? undefined : task - (numberIn("SLURM_ARRAY_TASK_MIN") ?? 0));
  const total = of ?? first("CI_NODE_TOTAL", "SLURM_ARRAY_TASK_COUNT", "CLOUD_RUN_TASK_COUNT");
  if (index === undefined || total === undefined) {
    throw new Failure(
      "usage",
      `The environment does not say which shard this is${index === undefined ? "" : ", of how many"}`,
      {
        hint: "it is taken from JOB_COMPLETION_INDEX, CI_NODE_INDEX and CI_NODE_TOTAL, or SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT; or write --shard auto/N or I/N",
      },
    );
  }
  return { index, of: total };
}

/** What has to be divided. */
export interface Divisible {
  /** The repository it is in: all of one stays together. */
  readonly repository: string;
  /** Absent where nobody knows. */
  readonly layers?: readonly LockedLayer[] | undefined;
}

/**
 * Returns for each item the shard it belongs to, the same on every machine.
 *
 * Where all layers are known, repositories that share some stay together, as far as no shard gets far
 * more than its part; the rest is divided by size. Otherwise names alone decide.
 */
export function divide(items: readonly Divisible[], of: number): readonly number[] {
  const known = items.every(({ layers }) => layers !== undefined);
  const shards = known ? bySize(items, of) : byName(items, of);
  return items.map(({ repository }) => shards.get(repository) ?? 0);
}

/** Of all shards a repository goes where its name weighs most, so that few move when their number changes. */
function byName(items: readonly Divisible[], of: number): ReadonlyMap<string, number> {
  const weigh = (repository: string, shard: number) =>
    Bun.hash.xxHash64(`${shard} ${repository}`) as bigint;
  const choose = (repository: string): number => {
    let best = 0;
    for (let shard = 1; shard < of; shard++) {
      if (weigh(repository, shard) > weigh(repository, best)) best = shard;
    }
    return best;
  };
  return new Map(items.map(({ repository }) => [repository, choose(repository)]));
}

/** So much more than its part a shard may get before what shares layers is divided after all. */
const tolerance = 1.25;

function bySize(items: readonly Divisible[], of: number): ReadonlyMap<string, number> {
  const repositories = new Map<string, Map<Digest, number>>();
  for (const { repository, layers = [] } of items) {
    const known = repositories.get(repository) ?? new Map<Digest, number>();
    for (const { digest, size } of layers) known.set(digest, size);
    repositories.set(repository, known);
  }
  const names = [...repositories.keys()].toSorted();
  const all = new Map([...repositories.values()].flatMap((layers) => [...layers]));
  const most = (sumOf(all) / of) * tolerance;
  const groups = relatives(names, repositories).flatMap((group) =>
    sizeOf(group, repositories) <= most ? [group] : group.map((name) => [name]),
  );
  const loads = Array.from({ length: of }, () => 0);
  const shards = new Map<string, number>();
  const sizes = new Map(groups.map((group) => [group, sizeOf(group, repositories)]));
  const largestFirst = groups.toSorted(
    (one, other) =>
      (sizes.get(other) ?? 0) - (sizes.get(one) ?? 0) ||
      ((one[0] ?? "") < (other[0] ?? "") ? -1 : 1),
  );
  for (const group of largestFirst) {
    const lightest = loads.indexOf(Math.min(...loads));
    // What weighs nothing is work all the same.
    loads[lightest] = (loads[lightest] ?? 0) + (sizes.get(group) ?? 0) + group.length;
    for (const name of group) shards.set(name, lightest);
  }
  return shards;
}

/** Returns the repositories in groups that share layers, directly or by way of others. */
function relatives(
  names: readonly string[],
  repositories: ReadonlyMap<string, ReadonlyMap<Digest, number>>,
): readonly (readonly string[])[] {
  const groupOf = new Map<string, string[]>();
  const owner = new Map<Digest, string>();
  for (const name of names) {
    let group = [name];
    groupOf.set(name, group);
    for (const digest of repositories.get(name)?.keys() ?? []) {
      const other = owner.get(digest);
      const others = other === undefined ? undefined : groupOf.get(other);
      owner.set(digest, name);
      if (others === undefined || others === group) continue;
      const [smaller, larger] = others.length < group.length ? [others, group] : [group, others];
      larger.push(...smaller);
      for (const each of smaller) groupOf.set(each, larger);
      group = larger;
    }
  }
  return [...new Set(groupOf.values())].map((group) => group.toSorted());
}

function sizeOf(
  group: readonly string[],
  repositories: ReadonlyMap<string, ReadonlyMap<Digest, number>>,
): number {
  return sumOf(new Map(group.flatMap((name) => [...(repositories.get(name) ?? [])])));
}

function sumOf(layers: ReadonlyMap<Digest, number>): number {
  return [...layers.values()].reduce((sum, size) => sum + size, 0);
}
