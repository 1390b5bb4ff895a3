import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";

import { parseDigest } from "../../../core/content/digest.ts";
import {
  checkWritable,
  holdsBeside,
  parseTarget,
  prepareTarget,
  type SyncPlace,
} from "../../../core/sync/target.ts";
import { dir } from "../../../transports/dir/reference.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { failureOf } from "../../support/failure-of.ts";
import { startRegistry } from "../../support/registry-server.ts";
import { Workspace } from "../../support/workspace.ts";

const registry: SyncPlace = { transport: docker, context: dockerContext(), overwrites: false };
const directories: SyncPlace = { ...registry, transport: dir };

describe("parseTarget", () => {
  test("reads a name in a registry, and says what is wrong in the original's words", () => {
    expect(parseTarget("h.io/a:1", registry).docker).toBe("h.io/a:1");
    expect(failureOf(() => parseTarget("h.io/A:1", registry))).toMatchObject({
      message:
        'Cannot obtain a valid image reference for transport "docker" and reference "//h.io/A:1": invalid reference format: repository name must be lowercase',
    });
  });
});

describe("prepareTarget", () => {
  test("makes the directories above a target, and takes away those where nothing was put", () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("there"));
    const path = workspace.at("there/a/b/c/image:1");
    for (const name of [path, `${path}/x`]) {
      using _parents = prepareTarget(name, directories);
      expect(existsSync(workspace.at("there/a/b/c"))).toBe(true);
    }
    expect(readdirSync(workspace.path, { recursive: true })).toEqual(["there"]);
    {
      using _parents = prepareTarget(path, directories);
      writeFileSync(workspace.at("there/a/b/other"), "");
    }
    expect(existsSync(workspace.at("there/a/b/other"))).toBe(true);
    expect(existsSync(workspace.at("there/a/b/c"))).toBe(false);
  });

  test("fails where there can be no directory, and makes none for a registry", () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), "");
    const failure = failureOf(() => prepareTarget(workspace.at("file/a/b"), directories));
    expect(failure).toMatchObject({
      message: expect.stringMatching(/^Destination directory could not be used: /),
    });
    prepareTarget(workspace.at("a/b"), registry)[Symbol.dispose]();
    expect(readdirSync(workspace.path)).toEqual(["file"]);
  });
});

describe("checkWritable", () => {
  test("takes what is not there, what is empty, and what was left unfinished", () => {
    using workspace = new Workspace();
    const name = workspace.at("x", "a:1");
    checkWritable(name, directories);
    mkdirSync(name, { recursive: true });
    checkWritable(name, directories);
    mkdirSync(`${name}/.dray-01234567-0123-0123-0123-0123456789ab`);
    checkWritable(name, directories);
    writeFileSync(`${name}/${"0".repeat(64)}`, "");
    writeFileSync(`${name}/manifest.json`, "");
    checkWritable(name, directories);
    // With its version it is whole, and another image.
    writeFileSync(`${name}/version`, "");
    expect(failureOf(() => checkWritable(name, directories))).toMatchObject({ code: "refused" });
  });

  test("refuses what holds something, unless it may be written over", () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("important"), "");
    const failure = failureOf(() => checkWritable(workspace.path, directories));
    expect(failure).toMatchObject({
      message: `Refusing to overwrite destination directory "${workspace.path}"`,
    });
    checkWritable(workspace.path, { ...directories, overwrites: true });
    expect(failureOf(() => checkWritable(workspace.at("important"), directories))).toMatchObject({
      message: expect.stringMatching(/^Destination directory could not be used: /),
    });
  });
});

describe("holdsBeside", () => {
  test("asks a registry for a manifest by its digest", async () => {
    await using server = startRegistry();
    const bytes = new TextEncoder().encode("{}");
    const digest = server
      .repository("a")
      .addManifest(bytes, "application/vnd.oci.image.manifest.v1+json");
    const reference = parseTarget(`${server.host}/a:1`, registry);
    expect(await holdsBeside(reference, digest, registry)).toBe(true);
    const other = parseDigest(`sha256:${"0".repeat(64)}`);
    expect(await holdsBeside(reference, other, registry)).toBe(false);
    expect(server.lines.at(-1)).toBe(`HEAD /v2/a/manifests/${other}`);
  });
});
