import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import { expandLock, sectionFor } from "../../../core/sync/locked.ts";
import { everyTag, parseSyncFile } from "../../../core/sync/sync-file.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { failureOf } from "../../support/failure-of.ts";
import { transportContext } from "../../support/transport-context.ts";

const digest = parseDigest(`sha256:${"0".repeat(64)}`);
const context = transportContext();
const everything = { docker, filter: everyTag, contextOf: () => context };

describe("expandLock", () => {
  test("reads images by their digests, and calls them by their tags", () => {
    const groups = expandLock(
      [
        { name: "h.io/a:1", digest, to: "x:1" },
        { name: "h.io/b:1", digest },
        { name: "h.io/a:2", digest, layers: [] },
      ],
      everything,
    );
    expect(groups.map(({ images }) => images.map(({ path }) => path))).toEqual([
      ["h.io/a:1", "h.io/a:2"],
      ["h.io/b:1"],
    ]);
    const [first, second] = groups[0]?.images ?? [];
    expect(first).toMatchObject({ to: "x:1", tag: "1", below: "a:1" });
    expect(first?.reference).toMatchObject({ text: `//h.io/a@${digest}`, digest });
    expect(second?.layers).toEqual([]);
  });

  test("G7: has them judged by their tags, which the policy knows", () => {
    const tags = [{ name: "h.io/a:1", digest }];
    const [group] = expandLock(tags, everything);
    expect(group?.images[0]?.reference).toMatchObject({
      docker: "h.io/a:1",
      policyIdentity: "h.io/a:1",
      policyNamespaces: ["h.io/a", "h.io", "*.io"],
    });
    const pinned = [{ name: `h.io/a@${digest}`, digest }];
    const [other] = expandLock(pinned, everything);
    expect(other?.images[0]?.reference).toMatchObject({ docker: `h.io/a@${digest}` });
  });

  test("keeps to the choice of tags", () => {
    const filter = { ...everyTag, include: ["2"] };
    const locked = ["1", "2"].map((tag) => ({ name: `h.io/a:${tag}`, digest }));
    const groups = expandLock(locked, { ...everything, filter });
    expect(groups[0]?.images.map(({ tag }) => tag)).toEqual(["2"]);
  });

  test("refuses images that the source does not mean", () => {
    const locked = [{ name: "h.io/a:1", digest }];
    const failure = failureOf(() =>
      expandLock(locked, { ...everything, contextOf: () => undefined }),
    );
    expect(failure).toMatchObject({
      code: "config",
      message: "The lock has h.io/a:1, which the source does not mean",
    });
  });
});

describe("sectionFor", () => {
  test("finds the section by the repositories that it has, of any kind", async () => {
    const sections = await parseSyncFile(
      new TextEncoder().encode(`
h.io: {images: {a: []}, images-by-tag-regex: {b: x}}
h.io/c: {images-by-semver: {d: "1"}}
`),
      () => {},
    );
    const registryOf = (name: string) => sectionFor(parseDockerName(name), sections)?.registry;
    expect(registryOf("h.io/a:1")).toBe("h.io");
    expect(registryOf("h.io/b:1")).toBe("h.io");
    expect(registryOf("h.io/c/d:1")).toBe("h.io/c");
    expect(registryOf("h.io/e:1")).toBeUndefined();
  });
});
