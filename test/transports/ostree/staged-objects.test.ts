import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { checksumOf, parseChecksum } from "../../../transports/ostree/objects.ts";
import { Repository } from "../../../transports/ostree/repository.ts";
import { StagedObjects } from "../../../transports/ostree/staged-objects.ts";
import { emptyRepository } from "../../support/ostree-repository.ts";
import { Workspace } from "../../support/workspace.ts";

const directory = { uid: 0, gid: 0, mode: 0o040755, xattrs: [] };

function writeCommit(staged: StagedObjects) {
  const meta = staged.writeMeta(directory);
  const tree = staged.writeTree({ files: [], directories: [] });
  return {
    meta,
    tree,
    commit: staged.writeCommit({ tree, meta, metadata: new Map([["a", "b"]]) }),
  };
}

describe("StagedObjects", () => {
  test("become part of the repository", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    {
      using staged = new StagedObjects(repository);
      const { tree, meta, commit } = writeCommit(staged);
      expect(staged.has(tree, "dirtree")).toBe(true);
      expect(staged.has(tree, "dirmeta")).toBe(false);
      staged.publish();
      expect(await repository.readTree(tree)).toEqual({ files: [], directories: [] });
      const read = await repository.readCommit(commit);
      expect([read.metadata.get("a"), read.tree, read.meta]).toEqual(["b", tree, meta]);
      expect(Math.abs(Number(read.time) - Date.now() / 1000)).toBeLessThan(60);
    }
    expect(readdirSync(workspace.at("repo/tmp"))).toEqual([]);
  });

  test("get no name before they are on the disk, and commits get theirs last", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    const objects = () =>
      readdirSync(workspace.at("repo/objects"), { recursive: true }).filter((each) =>
        String(each).includes("."),
      );
    const seen: number[] = [];
    using staged = new StagedObjects(repository, () => {
      seen.push(objects().length);
      if (seen.length > 1) return;
      // By then all of their content is there.
      const under = readdirSync(workspace.at("repo/tmp"), { recursive: true, encoding: "utf8" });
      const files = under.filter((each) => each.includes("/"));
      expect(files).toHaveLength(3);
      for (const file of files) {
        const content = readFileSync(workspace.at("repo/tmp", file));
        const [name] = file.split("/")[1]?.split(".") ?? [];
        expect<string | undefined>(checksumOf(content)).toBe(name);
      }
    });
    const { commit, tree } = writeCommit(staged);
    // What cannot get its name keeps those after it from theirs.
    writeFileSync(workspace.at("repo/objects", tree.slice(0, 2)), "in the way");
    expect(() => staged.publish()).toThrow();
    expect(existsSync(repository.objectPath(commit, "commit"))).toBe(false);
    expect(seen).toEqual([0]);
  });

  test("are synced once more when they have their names", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    const seen: boolean[] = [];
    let path = "";
    using staged = new StagedObjects(repository, () => seen.push(existsSync(path)));
    path = repository.objectPath(writeCommit(staged).commit, "commit");
    staged.publish();
    expect(seen).toEqual([false, true]);
    staged.publish();
    expect(seen).toHaveLength(2);
  });

  test("are written anew where a crash has left a name and nothing else", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    const write = () => {
      using staged = new StagedObjects(repository);
      const { meta } = writeCommit(staged);
      staged.publish();
      return repository.objectPath(meta, "dirmeta");
    };
    const path = write();
    const whole = readFileSync(path);
    truncateSync(path);
    expect(write()).toBe(path);
    expect(Buffer.compare(readFileSync(path), whole)).toBe(0);
  });

  test("leave nothing where they are given up", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace));
    {
      using staged = new StagedObjects(repository);
      writeCommit(staged);
    }
    expect(readdirSync(workspace.at("repo/tmp"))).toEqual([]);
    expect(readdirSync(workspace.at("repo/objects"))).toEqual([]);
    using other = new StagedObjects(repository);
    expect(other.has(parseChecksum("a".repeat(64)), "file")).toBe(false);
  });
});
