import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { CommitFiles } from "../../../transports/ostree/commit-files.ts";
import { writeLayer } from "../../../transports/ostree/layer-objects.ts";
import { Repository } from "../../../transports/ostree/repository.ts";
import { StagedObjects } from "../../../transports/ostree/staged-objects.ts";
import { emptyRepository } from "../../support/ostree-repository.ts";
import { rejection } from "../../support/rejection.ts";
import { type TarEntry, tarOf } from "../../support/tar-bytes.ts";
import { Workspace } from "../../support/workspace.ts";

async function written(workspace: Workspace, entries: readonly TarEntry[]) {
  const repository = await Repository.open(emptyRepository(workspace));
  using staged = new StagedObjects(repository);
  const tar = tarOf(entries);
  const layer = await writeLayer(streamOf(tar), staged);
  staged.publish();
  return { repository, layer, tar };
}

describe("writeLayer", () => {
  test("writes files, links and directories, and leaves devices out", async () => {
    using workspace = new Workspace();
    const { repository, layer, tar } = await written(workspace, [
      { path: "d/", kind: "directory", mode: 0o755 },
      { path: "d/file", body: Buffer.from("content") },
      { path: "link", kind: "symlink", target: "d" },
      { path: "hard", kind: "hardLink", target: "d/file" },
      { path: "dev/null", kind: "characterDevice", device: [1, 3] },
    ]);
    const { files, directories } = await repository.readTree(layer.tree);
    expect(files.map(([name]) => name)).toEqual(["hard", "link"]);
    expect(directories.map(([name]) => name)).toEqual(["d", "dev"]);
    const content = await new CommitFiles(repository, layer.tree).open("link/file");
    expect(content && Buffer.from(await collect(content, 100)).toString()).toBe("content");
    const told = new Map(layer.metadata);
    expect(told.get("docker.uncompressed_size")).toBe(String(tar.length));
    expect(told.get("docker.uncompressed_digest")).toBe(digestOf(tar));
    expect(told.has("tarsplit.output")).toBe(true);
  });

  test.each<readonly [string, readonly TarEntry[], string]>([
    ["an entry outside", [{ path: "../a" }], "corrupt"],
    ["a link to what is not there", [{ path: "a", kind: "hardLink", target: "b" }], "corrupt"],
    ["two files of one path", [{ path: "a" }, { path: "./a" }], "unsupported"],
  ])("refuses %s", async (_, entries, code) => {
    using workspace = new Workspace();
    expect((await rejection(written(workspace, entries))).code).toBe(code as never);
  });
});
