import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import {
  checkDistinct,
  checkSideBySide,
  jobsFor,
  jobsOf,
  type SyncJob,
} from "../../../core/sync/jobs.ts";
import type { SyncImage } from "../../../core/sync/sync-image.ts";
import { dir } from "../../../transports/dir/reference.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { failureOf } from "../../support/failure-of.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { transportContext } from "../../support/transport-context.ts";

const context = transportContext();
const memory = new MemoryTransport();

function imageOf(path: string): SyncImage {
  return { reference: memory.parseReference(path), context, path, below: path };
}

test("jobsFor counts the images of each group", () => {
  const jobs = jobsFor(
    [{ images: ["a", "b"].map(imageOf) }, { images: [imageOf("c")] }],
    ({ path }) => `to/${path}`,
  );
  expect(jobs.map(({ target, number, of }) => [target, number, of])).toEqual([
    ["to/a", 1, 2],
    ["to/b", 2, 2],
    ["to/c", 1, 1],
  ]);
});

test("checkDistinct refuses two images of one name, and lets one be meant twice", () => {
  const images = ["a", "b", "a"].map(imageOf);
  checkDistinct(jobsFor([{ images }], ({ path }) => path));
  const merged = jobsFor([{ images }], () => "x");
  expect(failureOf(() => checkDistinct(merged))).toMatchObject({
    code: "usage",
    message: 'memory:a and memory:b would both become "x"',
  });
});

test("checkSideBySide refuses a directory within another one, and nothing elsewhere", () => {
  const jobs = jobsFor([{ images: ["x/y:1", "x"].map(imageOf) }], ({ path }) => `/out/${path}`);
  const place = { transport: dir, context, overwrites: false };
  expect(failureOf(() => checkSideBySide(jobs, place))).toMatchObject({ code: "usage" });
  checkSideBySide(jobs, { ...place, transport: docker });
  checkSideBySide(jobs.slice(1), place);
});

describe("jobsOf", () => {
  const layer = { digest: parseDigest(`sha256:${"0".repeat(64)}`), size: 5 };
  const names = ["r/a:1", "r/a:2", "r/b:1", "r/c:1", "r/d:1", "r/e@sha256:0"];
  const all = (images: readonly SyncImage[]) => jobsFor([{ images }], ({ path }) => path);

  test.each<[string, readonly SyncJob[]]>([
    ["names", all(names.map(imageOf))],
    ["sizes", all(names.map((name) => ({ ...imageOf(name), layers: [layer] })))],
  ])("divides by %s: the parts are the whole, and repositories stay together", (_, jobs) => {
    const parts = [0, 1, 2].map((index) => jobsOf({ index, of: 3 }, jobs));
    expect(parts.flat().toSorted((one, other) => one.number - other.number)).toEqual([...jobs]);
    const holders = parts.filter((part) => part.some(({ target }) => target.startsWith("r/a")));
    expect(holders.length).toBe(1);
    expect(
      holders[0]?.filter(({ target }) => target.startsWith("r/a")).map(({ number }) => number),
    ).toEqual([1, 2]);
  });
});
