import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseChecksum } from "../../../transports/ostree/objects.ts";
import { Repository } from "../../../transports/ostree/repository.ts";
import { recordLock } from "../../../transports/shared/libc/record-lock.ts";
import { closeSync, openSync } from "node:fs";
import { emptyRepository } from "../../support/ostree-repository.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const signal = new AbortController().signal;

describe("Repository", () => {
  test("keeps objects and branches", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    const meta = repository.writeMeta({ uid: 0, gid: 0, mode: 0o040755, xattrs: [] });
    const tree = repository.writeTree({ files: [], directories: [] });
    expect(repository.has(tree, "dirtree")).toBe(true);
    expect(await repository.readTree(tree)).toEqual({ files: [], directories: [] });
    const commit = repository.writeCommit({ tree, meta, metadata: new Map([["a", "b"]]) });
    const read = await repository.readCommit(commit);
    expect([read.metadata.get("a"), read.tree, read.meta]).toEqual(["b", tree, meta]);
    expect(Math.abs(Number(read.time) - Date.now() / 1000)).toBeLessThan(60);
    expect(repository.readBranch("ociimage/x")).toBeUndefined();
    repository.sync();
    repository.writeBranch("ociimage/x", commit);
    expect(repository.readBranch("ociimage/x")).toBe(commit);
    expect(readFileSync(workspace.at("repo/refs/heads/ociimage/x"), "utf8")).toBe(`${commit}\n`);
    expect(readdirSync(workspace.at("repo/tmp"))).toEqual([]);
  });

  test.each([
    ["[core]\nrepo_version=1\nmode=bare-split-xattrs\n", /unknown mode "bare-split-xattrs"/],
    ["[core]\nrepo_version=2\n", /not a repository of version 1, but "2"/],
    ["[other]\nrepo_version=1\n", /not a repository of version 1/],
    ["", /not a repository/],
  ])("refuses the config %p", async (config, message) => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("config"), config);
    expect(await rejection(Repository.open(workspace.path))).toMatchObject({
      code: "unsupported",
      message: expect.stringMatching(message),
    });
  });

  test("knows modes by all of their names", async () => {
    using workspace = new Workspace();
    const modes = ["bare", "bare-user", "archive", "archive-z2"];
    const opened = modes.map(async (mode) => {
      return (await Repository.open(emptyRepository(workspace, mode, mode))).mode;
    });
    expect(await Promise.all(opened)).toEqual(["bare", "bare-user", "archive", "archive"]);
    writeFileSync(workspace.at("bare/config"), "[core]\n# comment\nrepo_version = 1\n");
    expect((await Repository.open(workspace.at("bare"))).mode).toBe("bare");
  });

  test("believes no object that is not what its name says", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    const name = parseChecksum("a".repeat(64));
    mkdirSync(workspace.at("repo/objects/aa"));
    writeFileSync(repository.objectPath(name, "dirtree"), "something else");
    expect(await rejection(repository.readTree(name))).toMatchObject({ code: "corrupt" });
    mkdirSync(workspace.at("repo/refs/heads/ociimage"));
    writeFileSync(workspace.at("repo/refs/heads/ociimage/x"), "../../../../etc/passwd");
    expect(() => repository.readBranch("ociimage/x")).toThrow("Not the name of an object");
  });

  test("shares its lock, and waits for whoever has it alone", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    {
      using _ = await repository.lock({ signal });
      using __ = await repository.lock({ signal });
    }
    expect(existsSync(workspace.at("repo/.lock"))).toBe(true);
    const other = openSync(workspace.at("repo/.lock"), "r+");
    expect(recordLock(other, "exclusive")).toBe("done");
    const stopped = AbortSignal.timeout(20);
    expect(repository.lock({ signal: stopped })).rejects.toThrow();
    await Bun.sleep(60);
    closeSync(other);
    using _ = await repository.lock({ signal });
  });
});
