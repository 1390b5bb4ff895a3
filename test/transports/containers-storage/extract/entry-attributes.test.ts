import { describe, expect } from "bun:test";
import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tarEntries } from "../../../../core/blob/tar-reader.ts";
import { TarSplitEncoder } from "../../../../core/blob/tar-split.ts";
import { streamOf } from "../../../../core/blob/stream.ts";
import {
  type AttributeForm,
  EntryAttributes,
} from "../../../../transports/containers-storage/extract/entry-attributes.ts";
import { ContainedTree } from "../../../../transports/shared/contained-tree.ts";
import { readXattrs } from "../../../../transports/shared/libc/xattrs.ts";
import { RecordingInput } from "../../../../transports/shared/recording-input.ts";
import { testWith } from "../../../support/needs.ts";
import { tarOf } from "../../../support/tar-bytes.ts";
import { Workspace } from "../../../support/workspace.ts";

const rootTest = testWith("root");
const capability = Buffer.from([1, 0, 0, 2, 0, 4, ...new Uint8Array(14)]);

/** Reads the one entry of an archive: what is to be given. */
async function entry() {
  const pax = { mtime: "1700000000.25", "SCHILY.xattr.security.capability": capability };
  const tar = tarOf([{ path: "file", mode: 0o4750, uid: 7, gid: 8, pax }]);
  await using input = new RecordingInput(streamOf(tar), new TarSplitEncoder());
  for await (const each of tarEntries(input, { asEngines: true })) return each;
  throw new Error("there is no entry");
}

async function given(workspace: Workspace, name: string, form: AttributeForm, link = false) {
  const { path } = workspace;
  using tree = new ContainedTree(path);
  const attributes = new EntryAttributes(tree, form);
  const place = tree.place(name);
  if (link) attributes.giveLink(place, await entry(), name);
  else attributes.giveNamed(place, await entry(), name);
  const { mode, uid, gid, mtimeMs } = lstatSync(workspace.at(name));
  const xattrs = [...readXattrs(Buffer.from(`${workspace.at(name)}\0`)).keys()];
  return { mode: mode & 0o7777, owner: `${uid}:${gid}`, mtimeMs, xattrs };
}

describe("EntryAttributes", () => {
  rootTest("gives a file what its header says, and privileges after the owner", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), "");
    expect(await given(workspace, "file", { rootless: false })).toEqual({
      mode: 0o4750,
      owner: "7:8",
      mtimeMs: 1_700_000_000_250,
      xattrs: ["security.capability"],
    });
  });

  rootTest("keeps owner and mode in an attribute where all files have one mode", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("file"));
    const found = await given(workspace, "file", { rootless: false, forceMask: 0o700 });
    expect(found).toMatchObject({ mode: 0o700, owner: "0:0" });
    expect(found.xattrs.toSorted()).toEqual([
      "security.capability",
      "user.containers.override_stat",
    ]);
  });

  rootTest("gives nothing to what a link leads to", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("target"), "", { mode: 0o600 });
    symlinkSync("target", workspace.at("link"));
    expect(await given(workspace, "link", { rootless: true }, true)).toMatchObject({
      owner: "7:8",
      mtimeMs: 1_700_000_000_250,
    });
    const { mode, uid } = lstatSync(workspace.at("target"));
    expect([mode & 0o7777, uid]).toEqual([0o600, 0]);
  });
});
