// Directory locks, with flock and without.

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import {
  lockDirectory,
  lockFileName,
  tryLockDirectory,
} from "../../../transports/shared/directory-lock.ts";
import { flock } from "../../../transports/shared/libc/flock.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const unavailable: typeof flock = () => "unavailable";

describe.each([
  ["with flock", flock],
  ["with a lock file", unavailable],
])("lockDirectory %s", (_, ask) => {
  test("lets one in at a time", async () => {
    using workspace = new Workspace();
    let inside = 0;
    let most = 0;
    const visit = async (): Promise<void> => {
      await using _ = await lockDirectory(workspace.path, "exclusive", transportContext(), ask);
      most = Math.max(most, ++inside);
      await Bun.sleep(1);
      inside--;
    };
    await Promise.all(Array.from({ length: 8 }, visit));
    expect(most).toBe(1);
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  test("gives up when it is told to", async () => {
    using workspace = new Workspace();
    const abort = new AbortController();
    await using _ = await lockDirectory(workspace.path, "exclusive", transportContext(), ask);
    const context = transportContext({ signal: abort.signal });
    const waiting = lockDirectory(workspace.path, "exclusive", context, ask);
    abort.abort();
    expect(await waiting.catch((error: Error) => error.name)).toBe("AbortError");
  });

  test("fails where there is no directory", async () => {
    using workspace = new Workspace();
    const waiting = lockDirectory(workspace.at("no"), "exclusive", transportContext(), ask);
    expect(await waiting.catch((error: unknown) => error)).toMatchObject({ code: "io" });
  });
});

describe("lockDirectory", () => {
  test("lets several share", async () => {
    using workspace = new Workspace();
    await using _a = await lockDirectory(workspace.path, "shared", transportContext());
    await using _b = await lockDirectory(workspace.path, "shared", transportContext());
    expect(await tryLockDirectory(workspace.path)).toBe("held");
  });

  test("removes the lock file of a run that crashed, and no other", async () => {
    using workspace = new Workspace();
    const abort = new AbortController();
    const context = transportContext({ signal: abort.signal });
    writeFileSync(workspace.at(lockFileName), "");
    const waiting = lockDirectory(workspace.path, "exclusive", context, unavailable);
    await Bun.sleep(20);
    expect(existsSync(workspace.at(lockFileName))).toBe(true);
    utimesSync(workspace.at(lockFileName), 1, 1);
    await using _ = await waiting;
  });
});

describe("tryLockDirectory", () => {
  test("locks what nobody has", async () => {
    using workspace = new Workspace();
    const lock = await tryLockDirectory(workspace.path);
    if (typeof lock === "string") throw new Error(lock);
    expect(await tryLockDirectory(workspace.path)).toBe("held");
    await lock[Symbol.asyncDispose]();
  });

  test("says so where nobody can know", async () => {
    using workspace = new Workspace();
    expect(await tryLockDirectory(workspace.path, unavailable)).toBe("unavailable");
  });
});
