import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { lockFile, tryLockFile } from "../../../transports/containers-storage/lock-file.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const context = transportContext();

describe("lockFile", () => {
  test("makes the file, and keeps others out of it for as long as it is held", async () => {
    using workspace = new Workspace();
    const path = workspace.at("lock");
    const held = await lockFile(path, "exclusive", context);
    expect(statSync(path).size).toBe(0);
    expect(await tryLockFile(path)).toBeUndefined();
    let second = false;
    const waiting = lockFile(path, "shared", context).then((lock) => {
      second = true;
      return lock;
    });
    await Bun.sleep(10);
    expect(second).toBe(false);
    await held[Symbol.asyncDispose]();
    await (await waiting)[Symbol.asyncDispose]();
    await (await tryLockFile(path))?.[Symbol.asyncDispose]();
  });

  test("announces a change by other bytes, as many as engines write", async () => {
    using workspace = new Workspace();
    const path = workspace.at("lock");
    const tokens = new Set<string>();
    for (let count = 0; count < 3; count++) {
      await using held = await lockFile(path, "exclusive", context);
      await held.announceChange();
      tokens.add(readFileSync(path).toString("hex"));
      expect(statSync(path).size).toBe(64);
    }
    expect(tokens.size).toBe(3);
  });

  test("gives up when the work is given up", async () => {
    using workspace = new Workspace();
    await using _ = await lockFile(workspace.at("lock"), "exclusive", context);
    const abort = new AbortController();
    const waiting = lockFile(workspace.at("lock"), "shared", {
      ...context,
      signal: abort.signal,
    }).catch((error: unknown) => error);
    abort.abort();
    expect(await waiting).toMatchObject({ name: "AbortError" });
  });

  test("does without where there is nothing to lock, but not to write", async () => {
    using workspace = new Workspace();
    const path = workspace.at("none/lock");
    await using shared = await lockFile(path, "shared", context);
    expect((await rejection(shared.announceChange())).code).toBe("bug");
    expect((await rejection(lockFile(path, "exclusive", context))).code).toBe("io");
    expect(existsSync(workspace.at("none"))).toBe(false);
  });

  test("says so where files cannot be locked", async () => {
    using workspace = new Workspace();
    const lock = lockFile(workspace.at("lock"), "exclusive", context, () => "unavailable");
    expect((await rejection(lock)).code).toBe("unsupported");
  });
});

test("tryLockFile follows no link, and finds nothing where nothing is", async () => {
  using workspace = new Workspace();
  expect(await tryLockFile(workspace.at("none"))).toBeUndefined();
  writeFileSync(workspace.at("there"), "");
  chmodSync(workspace.at("there"), 0o600);
  await (await tryLockFile(workspace.at("there")))?.[Symbol.asyncDispose]();
});
