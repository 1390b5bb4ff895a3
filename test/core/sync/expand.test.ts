import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";

import {
  expandDirectory,
  expandFile,
  expandRepository,
  type Expansion,
} from "../../../core/sync/expand.ts";
import { everyTag, parseSyncFile } from "../../../core/sync/sync-file.ts";
import type { SyncFields, SyncGroup } from "../../../core/sync/sync-image.ts";
import { dir } from "../../../transports/dir/reference.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { failureOf } from "../../support/failure-of.ts";
import { startRegistry } from "../../support/registry-server.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const digest = `sha256:${"0".repeat(64)}`;

function registryWith(tags: readonly string[]) {
  const registry = startRegistry();
  for (const tag of tags) registry.repository("a/b").addManifest(new Uint8Array(), "", tag);
  return registry;
}

function expansionTo(lines: string[], missed: string[] = []): Expansion {
  const say =
    (level: string) =>
    (message: string, fields: SyncFields = {}) => {
      lines.push([level, message, ...Object.values(fields)].join(" | "));
    };
  return {
    docker,
    log: { debug() {}, info: say("info"), warn: say("warn"), error: say("error") },
    retrying: (work) => work(),
    filter: everyTag,
    missed: (name) => missed.push(name),
  };
}

function pathsIn(groups: readonly SyncGroup[]): readonly (readonly string[])[] {
  return groups.map(({ images }) => images.map(({ path }) => path));
}

describe("expandRepository", () => {
  test("means all tags where none is named", async () => {
    await using registry = registryWith(["2", "1"]);
    const lines: string[] = [];
    const { host } = registry;
    const groups = await expandRepository(`${host}/a/b`, dockerContext(), expansionTo(lines));
    expect(pathsIn(groups)).toEqual([[`${host}/a/b:1`, `${host}/a/b:2`]]);
    expect(lines).toEqual([
      `info | Tag presence check | ${host}/a/b | false`,
      `info | Getting tags | ${host}/a/b`,
    ]);
  });

  test.each([
    ["busybox:1", "docker.io/library/busybox:1"],
    [`q.io/a@${digest}`, `q.io/a@${digest}`],
  ])("asks nobody about %s", async (source, path) => {
    const groups = await expandRepository(source, transportContext(), expansionTo([]));
    expect(pathsIn(groups)).toEqual([[path]]);
  });

  test("fails where there are no tags", async () => {
    await using registry = registryWith([]);
    registry.repository("a/b").blobs.set(digest, new Uint8Array());
    const source = `${registry.host}/a/b`;
    const failure = await rejection(expandRepository(source, dockerContext(), expansionTo([])));
    expect(failure.message).toBe(`No images to sync found in "${source}"`);
  });

  test("fails on what is no name, in the original's words", async () => {
    const failure = await rejection(
      expandRepository("docker://a/b", transportContext(), expansionTo([])),
    );
    expect(failure.message).toBe(
      'Cannot obtain a valid image reference for transport "docker" and reference "docker://a/b": invalid reference format',
    );
  });
});

describe("expandFile", () => {
  async function expand(text: string, lines: string[] = [], missed: string[] = []) {
    const file = await parseSyncFile(new TextEncoder().encode(text), () => {});
    return expandFile(file, () => dockerContext(), expansionTo(lines, missed));
  }

  test("means tags, digests, patterns and versions, in the order of the file", async () => {
    await using registry = registryWith(["1.0", "1.1", "v2", "latest", "1.2-rc1"]);
    const { host } = registry;
    const groups = await expand(`
${host}:
  images: {a/b: [latest, "${digest}", gone]}
  images-by-tag-regex: {a/b: ^v}
  images-by-semver: {a/b: ">= 1.1"}
`);
    const name = `${host}/a/b`;
    expect(pathsIn(groups)).toEqual([
      [`${name}:latest`, `${name}@${digest}`, `${name}:gone`],
      [`${name}:v2`],
      [`${name}:1.1`, `${name}:v2`],
    ]);
  });

  test("passes over what is wrong, and says so", async () => {
    await using registry = registryWith(["1.0"]);
    const { host } = registry;
    const lines: string[] = [];
    const missed: string[] = [];
    const groups = await expand(
      `
${host}:
  images: {A/bad: [], a/b: ["bad tag", "sha256:00"], a/gone: []}
  images-by-tag-regex: {a/b: "(", a/c: ^1}
  images-by-semver: {a/b: ">= 5"}
empty: {}
`,
      lines,
      missed,
    );
    expect(groups).toEqual([]);
    expect(lines).toEqual([
      `error | Error parsing repository name, skipping | ${host} | A/bad`,
      "error | invalid reference format: repository name must be lowercase",
      `info | Processing repo | ${host} | a/b`,
      "error | Error parsing ref, skipping | bad tag",
      "error | invalid tag format",
      "error | Error parsing ref, skipping | sha256:00",
      "error | invalid tag format",
      `warn | No refs to sync found | ${host} | a/b`,
      `info | Processing repo | ${host} | a/gone`,
      `info | Querying registry for image tags | ${host} | a/gone`,
      `info | Getting tags | ${host}/a/gone`,
      `error | Error processing repo, skipping | ${host} | a/gone`,
      `error | Error determining repository tags for repo ${host}/a/gone: fetching tags list: repository name not known to registry`,
      "error | error parsing regexp: missing closing ): `(`",
      `info | Processing repo | ${host} | a/b`,
      `info | Querying registry for image tags | ${host} | a/b`,
      `info | Getting tags | ${host}/a/b`,
      `warn | No refs to sync found | ${host} | a/b`,
      "warn | No images specified for registry | empty",
    ]);
    // That no version is wanted is no mistake.
    expect(missed).toEqual([
      `${host}/A/bad`,
      `${host}/a/b:bad tag`,
      `${host}/a/b:sha256:00`,
      `${host}/a/gone`,
      `${host}/a/b`,
      `${host}/a/c`,
      "empty",
    ]);
  });

  test("minds a repository that has no tags at all", async () => {
    await using registry = registryWith([]);
    const missed: string[] = [];
    await expand(`${registry.host}: {images: {a/b: []}}`, [], missed);
    expect(missed).toEqual([`${registry.host}/a/b`]);
  });

  test("C8: a tag that could be a path is refused with its list", async () => {
    await using registry = startRegistry({
      intercept: (seen, usual) =>
        seen.target.endsWith("/tags/list")
          ? Response.json({ name: "a/b", tags: ["ok", "../../etc"] })
          : usual(),
    });
    const lines: string[] = [];
    const groups = await expand(`${registry.host}: {images: {a/b: []}}`, lines);
    expect(groups).toEqual([]);
    expect(lines.at(-1)).toContain('registry returned invalid tag "../../etc"');
  });

  test("keeps our filters of the registry and of the repository", async () => {
    await using registry = registryWith(["1.0", "1.1", "1.2", "2.0", "x"]);
    const groups = await expand(`
${registry.host}:
  exclude: ^2
  images: {a/b: {newest: 2, tags: []}}
`);
    expect(pathsIn(groups)).toEqual([["1.1", "1.2"].map((tag) => `${registry.host}/a/b:${tag}`)]);
  });

  test("carries the name that an image is to have", async () => {
    const groups = await expand(`q.io: {images: {a: [{ref: "1", to: z:9}]}}`);
    expect(groups[0]?.images[0]).toMatchObject({ to: "z:9", tag: "1" });
  });
});

describe("expandDirectory", () => {
  function workspaceWith(...images: readonly string[]): Workspace {
    const workspace = new Workspace();
    for (const image of images) {
      mkdirSync(workspace.at(image), { recursive: true });
      writeFileSync(workspace.at(image, "manifest.json"), "{}");
    }
    return workspace;
  }

  test("names images by their paths below the source", () => {
    using workspace = workspaceWith("h/a:1", "b:2");
    const found = expandDirectory(workspace.path, transportContext(), { dir, filter: everyTag });
    expect(pathsIn(found)).toEqual([["/b:2", "/h/a:1"]]);
    expect(found[0]?.images[0]).toMatchObject({ tag: "2" });
  });

  test("names an image that is the source itself by its last part", () => {
    using workspace = workspaceWith("x:1");
    const source = workspace.at("x:1");
    const found = expandDirectory(source, transportContext(), { dir, filter: everyTag });
    expect(pathsIn(found)).toEqual([["x:1"]]);
  });

  test("fails where there are no images", () => {
    using workspace = workspaceWith();
    const failure = failureOf(() =>
      expandDirectory(workspace.path, transportContext(), { dir, filter: everyTag }),
    );
    expect(failure).toMatchObject({ message: `No images to sync found in "${workspace.path}"` });
  });
});
