import { describe, expect, test } from "bun:test";
import {
  isId,
  noId,
  parseStorageName,
  resolvedName,
} from "../../../transports/containers-storage/name.ts";
import { failureOf } from "../../support/failure-of.ts";

const id = "0123456789abcdef".repeat(4);
const digest = `sha256:${id}`;

describe("parseStorageName", () => {
  test.each([
    ["x", "docker.io/library/x:latest", {}],
    ["localhost/x:1", "localhost/x:1", {}],
    [`x@${digest}`, `docker.io/library/x@${digest}`, {}],
    [`x:1@${digest}`, `docker.io/library/x:1@${digest}`, {}],
    [`x:1@${id}`, `docker.io/library/x:1@${id}`, {}],
    [`x@${digest}@${id}`, `docker.io/library/x@${digest}@${id}`, {}],
    [`@${id}`, `@${id}`, {}],
    ["[/g]x", "[/g]docker.io/library/x:latest", { graphRoot: "/g", options: [] }],
    ["[/g+/r]x:1", "[/g+/r]docker.io/library/x:1", { graphRoot: "/g", runRoot: "/r", options: [] }],
    [
      "[vfs@/g]x:1",
      "[vfs@/g]docker.io/library/x:1",
      { driver: "vfs", graphRoot: "/g", options: [] },
    ],
    [
      "[overlay@/g+/r:a=b,c=d:e]x:1",
      "[overlay@/g+/r:a=b,c=d:e]docker.io/library/x:1",
      { driver: "overlay", graphRoot: "/g", runRoot: "/r", options: ["a=b", "c=d:e"] },
    ],
  ])("understands %s", (text, spelled, store) => {
    const name = parseStorageName(text);
    expect(name).toMatchObject({ transport: "containers-storage", text: spelled, store });
    expect(parseStorageName(name.text).text).toBe(spelled);
  });

  test.each([
    ["", '"" is an empty reference: invalid reference'],
    ["[/g]", "invalid reference"],
    ["[", "invalid reference"],
    ["[/g", "invalid reference"],
    ["[]x", "invalid reference"],
    ["[@/g]x", "invalid reference"],
    ["[overlay@]x", "invalid reference"],
    ["[g]x", "path name is not absolute"],
    ["[/g+r]x", "path name is not absolute"],
    ["x@", 'empty trailing digest or ID in "x@": invalid reference'],
    ["x@ab", '"ab" does not look like an image ID or digest: invalid reference'],
    ["x@sha256:12", '"sha256:12" does not look like an image ID or digest: invalid reference'],
    [
      "UPPER",
      'parsing named reference "UPPER": invalid reference format: repository name must be lowercase',
    ],
  ])("refuses %s", (text, message) => {
    expect(failureOf(() => parseStorageName(text))).toMatchObject({ code: "usage", message });
  });

  test.each([
    ["abc", "abc", "docker.io/library/abc:latest"],
    ["x@abc123", "abc123", "docker.io/library/x:latest"],
    ["@abc", "abc", undefined],
    [id, id, undefined],
  ])("leaves open what %s is", (text, start, docker) => {
    const name = parseStorageName(text);
    expect(name.start).toBe(start);
    expect(name.text).toBe(text);
    expect(name.docker).toBe(docker as string);
    expect(parseStorageName(name.text)).toEqual(name);
  });

  test("leaves nothing open in names that are no start of an ID", () => {
    for (const text of ["ab", "xyz", "abc:1", "abc/def"]) {
      expect(parseStorageName(text).start).toBeUndefined();
    }
  });

  test("knows the keys of the policy where the name says all of the store", () => {
    expect(parseStorageName("[overlay@/g]x:1").policyIdentity).toBe(
      "[overlay@/g]docker.io/library/x:1",
    );
    expect(parseStorageName("x:1").policyIdentity).toBe("");
  });
});

test("resolvedName has all keys of the policy, narrowest first", () => {
  const name = parseStorageName(`x:1@${digest}@${id}`);
  const place = { driver: "vfs", graphRoot: "/g" };
  const { policyIdentity, policyNamespaces } = resolvedName(name, place, name.wanted);
  expect([policyIdentity, ...policyNamespaces]).toEqual([
    `[vfs@/g]docker.io/library/x:1@${digest}@${id}`,
    `[vfs@/g]docker.io/library/x:1@${digest}`,
    "[vfs@/g]docker.io/library/x:1",
    "[vfs@/g]docker.io/library/x",
    "[vfs@/g]docker.io/library",
    "[vfs@/g]docker.io",
    "[vfs@/g]",
    "[/g]",
  ]);
});

test("isId and noId agree on what an ID is", () => {
  expect(isId(id)).toBe(true);
  expect(isId(id.toUpperCase())).toBe(false);
  expect(isId(id.slice(1))).toBe(false);
  expect(noId("x").message).toStartWith('"x" does not look like an image ID');
});
