import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import type { TagList } from "../../../core/image/transport.ts";
import { parseDockerArchiveName } from "../../../transports/docker-archive/name.ts";
import { listTags } from "../../../transports/docker-archive/tags.ts";
import { dockerTar } from "../../support/docker-tars.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

async function tagsOf(items: unknown, suffix = ""): Promise<TagList> {
  using workspace = new Workspace();
  writeFileSync(workspace.at("a.tar"), dockerTar({ items }));
  return await listTags(parseDockerArchiveName(workspace.at("a.tar") + suffix), transportContext());
}

test.each([
  [
    "as they are recorded, and in their order",
    [{ RepoTags: ["y:1", "docker.io/library/x:2"] }],
    ["y:1", "docker.io/library/x:2"],
  ],
  [
    "by position where there are none",
    [{ RepoTags: null }, { RepoTags: ["x:1"] }, {}],
    ["@0", "x:1", "@2"],
  ],
  [
    "twice where they are there twice",
    [{ RepoTags: ["x:1"] }, { RepoTags: ["x:1"] }],
    ["x:1", "x:1"],
  ],
])("listTags lists tags %s", async (_, items, tags) => {
  expect(await tagsOf(items)).toEqual({ tags });
});

test.each(["[]", "null"])("listTags says that there is no image in %p", async (items) => {
  expect(await tagsOf(items)).toEqual({});
});

test("listTags does not care which image is meant", async () => {
  expect(await tagsOf([{ RepoTags: ["x:1"] }], ":y:7")).toEqual({ tags: ["x:1"] });
  expect(await tagsOf([{ RepoTags: ["x:1"] }], ":@9")).toEqual({ tags: ["x:1"] });
});

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  [
    "UPPER:1",
    'Invalid tag "UPPER:1" in manifest item @0: invalid reference format: repository name must be lowercase',
  ],
  ["x", 'Invalid tag "x" (docker.io/library/x): does not contain a tag'],
  [
    `x@${digest}`,
    `Invalid tag "x@${digest}" (docker.io/library/x@${digest}): does not contain a tag`,
  ],
  [
    `x:1@${digest}`,
    `creating a reference for tag "x:1@${digest}" in manifest item @0: docker-archive doesn't support digest references: docker.io/library/x:1@${digest}`,
  ],
])("listTags refuses the tag %p in the original's words", async (tag, message) => {
  const failure = await rejection(tagsOf([{ RepoTags: [tag] }]));
  expect(failure.message).toBe(message);
});
