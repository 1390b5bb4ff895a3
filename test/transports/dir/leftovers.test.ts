import { describe, expect, test } from "bun:test";
import { chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { digestHex, digestOf } from "../../../core/content/digest.ts";
import { Leftovers } from "../../../transports/dir/leftovers.ts";
import { dir } from "../../../transports/dir/reference.ts";
import { tryLockDirectory } from "../../../transports/shared/directory-lock.ts";
import { partPath, temporaryPath } from "../../../transports/shared/temporary.ts";
import { testWith } from "../../support/needs.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const bytes = new TextEncoder().encode("a layer of some length");
const blob = { mediaType: "x/y", digest: digestOf(bytes), size: bytes.length };
const file = digestHex(blob.digest);

function directoryIn({ path }: Workspace): string {
  const made = temporaryPath(path);
  mkdirSync(made);
  return made;
}

async function adopt(directory: string, workshop: string): Promise<Leftovers> {
  return Leftovers.adopt(directory, { workshop, own: undefined, context: transportContext() });
}

describe("Leftovers", () => {
  test("takes whole blobs into our own workshop, and knows of parts", async () => {
    using workspace = new Workspace();
    const [own, left] = [directoryIn(workspace), directoryIn(workspace)];
    writeFileSync(join(left, file), bytes);
    writeFileSync(partPath(left, blob.digest), bytes.subarray(0, 5));
    await using leftovers = await adopt(workspace.path, own);
    expect(leftovers.heldStart(blob)?.size).toBe(5);
    expect(await leftovers.take(blob)).toBe(bytes.length);
    expect(readdirSync(own)).toEqual([file]);
    leftovers.remove();
    expect(readdirSync(workspace.path)).toEqual([own.slice(workspace.path.length + 1)]);
  });

  test("takes nothing that is not what its name says", async () => {
    using workspace = new Workspace();
    const [own, left] = [directoryIn(workspace), directoryIn(workspace)];
    writeFileSync(join(left, file), Buffer.from(bytes).fill(0));
    await using leftovers = await adopt(workspace.path, own);
    expect(await leftovers.take(blob)).toBeUndefined();
  });

  testWith("root")("F10: takes nothing that another user has planted", async () => {
    using workspace = new Workspace();
    const stranger = 12_345;
    const [own, planted, ours] = [0, 1, 2].map(() => directoryIn(workspace));
    for (const directory of [planted ?? "", ours ?? ""]) {
      writeFileSync(join(directory, file), bytes);
      chownSync(join(directory, file), stranger, stranger);
    }
    chownSync(planted ?? "", stranger, stranger);
    await using leftovers = await adopt(workspace.path, own ?? "");
    expect(await leftovers.take(blob)).toBeUndefined();
    leftovers.remove();
    expect(readdirSync(planted ?? "")).toEqual([file]);
    expect(readdirSync(own ?? "")).toEqual([]);
  });

  test("leaves alone what somebody is working on", async () => {
    using workspace = new Workspace();
    const [own, busy] = [directoryIn(workspace), directoryIn(workspace)];
    writeFileSync(join(busy, file), bytes);
    const lock = await tryLockDirectory(busy);
    if (typeof lock === "string") throw new Error(lock);
    await using _ = lock;
    await using leftovers = await adopt(workspace.path, own);
    expect(await leftovers.take(blob)).toBeUndefined();
    leftovers.remove();
    expect(readdirSync(busy)).toEqual([file]);
  });
});

test("a directory where an image was being put is no important data; one with anything else is", async () => {
  using workspace = new Workspace();
  const open = () => dir.parseReference(workspace.path).openDestination(transportContext());
  directoryIn(workspace);
  writeFileSync(workspace.at(file), bytes);
  writeFileSync(workspace.at("manifest.json"), "{}");
  await (await open())[Symbol.asyncDispose]();
  writeFileSync(workspace.at("thesis.txt"), "");
  expect((await rejection(open())).message).toContain("important data");
});
