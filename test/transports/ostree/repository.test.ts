import { describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { parseChecksum } from "../../../transports/ostree/objects.ts";
import { Repository } from "../../../transports/ostree/repository.ts";
import { recordLock } from "../../../transports/shared/libc/record-lock.ts";
import { emptyRepository } from "../../support/ostree-repository.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const signal = new AbortController().signal;

describe("Repository", () => {
  test("keeps branches", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    const commit = parseChecksum("c".repeat(64));
    expect(repository.readBranch("ociimage/x")).toBeUndefined();
    repository.writeBranch("ociimage/x", commit);
    expect(repository.readBranch("ociimage/x")).toBe(commit);
    expect(readFileSync(workspace.at("repo/refs/heads/ociimage/x"), "utf8")).toBe(`${commit}\n`);
    mkdirSync(workspace.at("repo/refs/heads/ociimage/y"));
    expect(() => repository.writeBranch("ociimage/y", commit)).toThrow();
    expect(readdirSync(workspace.at("repo/tmp"))).toEqual([]);
  });

  test("removes what crashed runs have left, once it is old", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    const [old, young] = [repository.temporaryPath(), repository.temporaryPath()];
    const others = workspace.at("repo/tmp/staging-of-ostree");
    for (const path of [old, young, others]) mkdirSync(path);
    for (const path of [old, others]) utimesSync(path, 0, 0);
    repository.removeLeftovers();
    expect([old, young, others].map((path) => existsSync(path))).toEqual([false, true, true]);
    expect(Math.abs(repository.nowMs() - Date.now())).toBeLessThan(60_000);
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
