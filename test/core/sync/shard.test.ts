import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { divide, parseShard } from "../../../core/sync/shard.ts";
import { failureOf } from "../../support/failure-of.ts";

describe("parseShard", () => {
  test.each<[string, Record<string, string>, number, number]>([
    ["1/4", {}, 0, 4],
    ["4/4", {}, 3, 4],
    ["auto/4", { JOB_COMPLETION_INDEX: "0" }, 0, 4],
    ["auto", { CI_NODE_INDEX: "2", CI_NODE_TOTAL: "3" }, 1, 3],
    [
      "auto",
      { SLURM_ARRAY_TASK_ID: "7", SLURM_ARRAY_TASK_MIN: "5", SLURM_ARRAY_TASK_COUNT: "4" },
      2,
      4,
    ],
    ["auto/9", { SLURM_ARRAY_TASK_ID: "8" }, 8, 9],
    ["auto", { CLOUD_RUN_TASK_INDEX: "1", CLOUD_RUN_TASK_COUNT: "2" }, 1, 2],
  ])("%s, with %j, is part %d of %d", (text, variables, index, of) => {
    expect(parseShard(text, variables)).toEqual({ index, of });
  });

  test.each<[string, Record<string, string>]>([
    ["0/4", {}],
    ["5/4", {}],
    ["1/1001", {}],
    ["1/0", {}],
    ["1", {}],
    ["x/4", {}],
    ["auto", {}],
    ["auto", { JOB_COMPLETION_INDEX: "1" }],
    ["auto/2", { JOB_COMPLETION_INDEX: "2" }],
    ["auto/2", { JOB_COMPLETION_INDEX: "-1" }],
  ])("refuses %s with %j", (text, variables) => {
    expect(failureOf(() => parseShard(text, variables))).toMatchObject({ code: "usage" });
  });
});

describe("divide", () => {
  const layer = (name: string, size: number) => {
    return { digest: digestOf(new TextEncoder().encode(name)), size };
  };

  test("keeps a repository together, and gives every shard some", () => {
    const items = Array.from({ length: 300 }, (_, index) => ({ repository: `r${index % 100}` }));
    const shards = divide(items, 4);
    for (let index = 0; index < 100; index++) {
      expect(new Set([shards[index], shards[index + 100], shards[index + 200]]).size).toBe(1);
    }
    for (const shard of [0, 1, 2, 3]) {
      expect(shards.filter((each) => each === shard).length).toBeWithin(30, 130);
    }
  });

  test("moves few repositories when there is one shard more", () => {
    const items = Array.from({ length: 200 }, (_, index) => ({ repository: `r${index}` }));
    const [four, five] = [divide(items, 4), divide(items, 5)];
    const moved = four.filter((shard, index) => shard !== five[index]).length;
    expect(moved).toBeLessThan(70);
  });

  test("keeps repositories together that share layers, and shards of about one size", () => {
    const items = Array.from({ length: 40 }, (_, index) => ({
      repository: `r${index}`,
      layers: [layer(`base ${index % 8}`, 1000), layer(`own ${index}`, 100)],
    }));
    const shards = divide(items, 4);
    for (let index = 0; index < 32; index++)
      expect(shards[index]).toBe(shards[index + 8] as number);
    const counts = [0, 1, 2, 3].map((shard) => shards.filter((each) => each === shard).length);
    expect(counts).toEqual([10, 10, 10, 10]);
  });

  test("divides what shares layers where one shard would get it all", () => {
    const items = Array.from({ length: 40 }, (_, index) => ({
      repository: `r${index}`,
      layers: [layer("base", 10), layer(`own ${index}`, 1000)],
    }));
    const counts = [0, 1, 2, 3].map((shard) => divide(items, 4).filter((s) => s === shard).length);
    expect(counts).toEqual([10, 10, 10, 10]);
  });

  test("does not depend on the order", () => {
    const items = Array.from({ length: 20 }, (_, index) => ({
      repository: `r${index}`,
      layers: [layer(`own ${index}`, index)],
    }));
    expect(divide(items.toReversed(), 3).toReversed()).toEqual([...divide(items, 3)]);
  });
});
