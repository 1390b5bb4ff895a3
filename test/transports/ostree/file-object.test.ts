import { describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync, truncateSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { FileObject, userMetaName, writeLink } from "../../../transports/ostree/file-object.ts";
import { checksumOf, encodeFileHeader, encodeMeta } from "../../../transports/ostree/objects.ts";
import { Repository } from "../../../transports/ostree/repository.ts";
import { StagedObjects } from "../../../transports/ostree/staged-objects.ts";
import { readXattrs } from "../../../transports/shared/libc/xattrs.ts";
import { emptyRepository } from "../../support/ostree-repository.ts";
import { randomBytes } from "../../support/random.ts";
import { Workspace } from "../../support/workspace.ts";

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const meta = { uid, gid, mode: 0o100750, xattrs: [["user.a", Buffer.from("b")]] as const };
const linkMeta = { uid, gid, mode: 0o120777, xattrs: [] };
const content = randomBytes("content", 100_000);

describe.each(["bare", "bare-user", "archive"])("FileObject by the mode %s", (mode) => {
  test.each([0, 1, 100_000])("publishes a file of %d bytes under its name", async (size) => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace, mode));
    const bytes = content.subarray(0, size);
    const expected = checksumOf(Buffer.concat([encodeFileHeader(meta, ""), bytes]));
    for (const _ of ["new", "there already"]) {
      using staged = new StagedObjects(repository);
      using file = new FileObject(staged, meta, size);
      for (let at = 0; at < size; at += 30_000) file.write(bytes.subarray(at, at + 30_000));
      expect(file.complete()).toEqual({ checksum: expected, size });
      staged.publish();
    }
    expect(readdirSync(workspace.at("repo/tmp"))).toEqual([]);
    const path = repository.objectPath(expected, "file");
    const held = readFileSync(path);
    const xattrs = readXattrs(Buffer.from(`${path}\0`));
    const status = lstatSync(path);
    expect(status.mtimeMs).toBe(0);
    if (mode === "archive") {
      const header = held.readUInt32BE(0);
      expect(Buffer.compare(inflateRawSync(held.subarray(8 + header)), bytes)).toBe(0);
      return;
    }
    expect(Buffer.compare(held, bytes)).toBe(0);
    if (mode === "bare") {
      expect([status.mode & 0o7777, xattrs.get("user.a")]).toEqual([0o750, new Uint8Array([0x62])]);
    } else {
      expect(Buffer.from(xattrs.get(userMetaName) ?? []).equals(encodeMeta(meta))).toBe(true);
    }
  });

  test("publishes a file anew of which a crash has left the name", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace, mode));
    const publish = () => {
      using staged = new StagedObjects(repository);
      using file = new FileObject(staged, meta, content.length);
      file.write(content);
      const { checksum } = file.complete();
      staged.publish();
      return repository.objectPath(checksum, "file");
    };
    const path = publish();
    const whole = readFileSync(path);
    truncateSync(path);
    expect(publish()).toBe(path);
    expect(Buffer.compare(readFileSync(path), whole)).toBe(0);
  });

  test("publishes a link under its name", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace, mode));
    using staged = new StagedObjects(repository);
    const { checksum, target } = writeLink(staged, linkMeta, "../ü");
    expect(target).toBe("../ü");
    expect(checksum).toBe(checksumOf(encodeFileHeader(linkMeta, "../ü")));
    expect(writeLink(staged, linkMeta, "../ü").checksum).toBe(checksum);
    staged.publish();
    expect(lstatSync(repository.objectPath(checksum, "file")).isSymbolicLink()).toBe(
      mode === "bare",
    );
    staged[Symbol.dispose]();
    expect(readdirSync(workspace.at("repo/tmp"))).toEqual([]);
  });

  test("leaves nothing of a file that was given up", async () => {
    using workspace = new Workspace();
    const repository = await Repository.open(emptyRepository(workspace, mode));
    {
      using staged = new StagedObjects(repository);
      using file = new FileObject(staged, meta, 5);
      file.write(Buffer.from("abc"));
      staged.publish();
    }
    expect(readdirSync(workspace.at("repo/tmp"))).toEqual([]);
    expect(readdirSync(workspace.at("repo/objects"))).toEqual([]);
  });
});
