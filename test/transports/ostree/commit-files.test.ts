import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { CommitFiles } from "../../../transports/ostree/commit-files.ts";
import { FileObject, writeLink } from "../../../transports/ostree/file-object.ts";
import { Repository } from "../../../transports/ostree/repository.ts";
import { StagedObjects } from "../../../transports/ostree/staged-objects.ts";
import { emptyRepository } from "../../support/ostree-repository.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const meta = { uid, gid, mode: 0o100644, xattrs: [] };
const content = randomBytes("content", 300_000);

/** A tree with a file in a directory, and links that lead there and elsewhere. */
async function treeOf(workspace: Workspace, mode: string) {
  const repository = await Repository.open(emptyRepository(workspace, mode));
  using staged = new StagedObjects(repository);
  using object = new FileObject(staged, meta, content.length);
  object.write(content.subarray(0, 100_000));
  object.write(content.subarray(100_000));
  const { checksum } = object.complete();
  const link = (target: string) => writeLink(staged, { ...meta, mode: 0o120777 }, target).checksum;
  const directory = staged.writeMeta({ ...meta, mode: 0o040755 });
  const inner = staged.writeTree({
    files: [
      ["ü", checksum],
      ["up", link("../../../d")],
    ],
    directories: [],
  });
  const root = staged.writeTree({
    files: [
      ["absolute", link("/d")],
      ["relative", link("./d/.")],
      ["loop", link("loop")],
      ["outside", link("../../../../etc")],
      ["file", checksum],
    ],
    directories: [["d", inner, directory]],
  });
  staged.publish();
  return { repository, files: new CommitFiles(repository, root), checksum };
}

const latin = (path: string) => Buffer.from(path).toString("latin1");

describe.each(["bare", "bare-user", "archive"])("CommitFiles by the mode %s", (mode) => {
  test.each(["file", "d/ü", "absolute/ü", "relative/ü", "d/up/ü", "absolute/up/up/ü"])(
    "opens %p",
    async (path) => {
      using workspace = new Workspace();
      const { files } = await treeOf(workspace, mode);
      const stream = await files.open(latin(path));
      expect(
        Buffer.compare(await collect(stream ?? (async function* () {})(), 400_000), content),
      ).toBe(0);
    },
  );

  test.each(["", "nothing", "d", "loop/a", "outside/passwd", "file/a", "d/up/up/x/y"])(
    "finds nothing at %p",
    async (path) => {
      using workspace = new Workspace();
      const { files } = await treeOf(workspace, mode);
      expect(await files.open(latin(path))).toBeUndefined();
    },
  );

  test("does not believe a broken object", async () => {
    using workspace = new Workspace();
    const { repository, files, checksum } = await treeOf(workspace, mode);
    writeFileSync(repository.objectPath(checksum, "file"), Buffer.alloc(20, 0xff));
    const reading = async () => {
      const stream = await files.open("file");
      return collect(stream ?? (async function* () {})(), 400_000);
    };
    if (mode === "archive") expect(await rejection(reading())).toMatchObject({ code: "corrupt" });
    else expect((await reading()).length).toBe(20);
  });
});
