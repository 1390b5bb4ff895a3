import { describe, expect, test } from "bun:test";

import { Spools } from "../../../core/copy/spool.ts";
import { Workspace } from "../../support/workspace.ts";

const bytes = new Uint8Array([1, 2, 3]);

describe("Spools", () => {
  test("makes as many as there may be, and again when one is gone", async () => {
    using workspace = new Workspace();
    const spools = new Spools(workspace.path, { spoolFiles: 2, spoolBytes: 100 });
    await using first = await spools.make();
    const second = await spools.make();
    expect([first, second]).not.toContain(undefined);
    expect(await spools.make()).toBeUndefined();
    await second?.[Symbol.asyncDispose]();
    await second?.[Symbol.asyncDispose]();
    await using third = await spools.make();
    expect(third).toBeDefined();
    expect(await spools.make()).toBeUndefined();
  });

  test("keeps as many bytes as there may be, in all of them together", async () => {
    using workspace = new Workspace();
    const spools = new Spools(workspace.path, { spoolFiles: 9, spoolBytes: 7 });
    const first = await spools.make();
    await using second = await spools.make();
    expect(await first?.append(bytes)).toBe(true);
    expect(await second?.append(bytes)).toBe(true);
    expect(await second?.append(bytes)).toBe(false);
    expect(second?.size).toBe(3);
    await first?.[Symbol.asyncDispose]();
    expect(await second?.append(bytes)).toBe(true);
    expect(await second?.read(0, 100)).toEqual(Buffer.from([1, 2, 3, 1, 2, 3]));
  });

  test("does without what the system refuses", async () => {
    using workspace = new Workspace();
    expect(await new Spools(workspace.at("none")).make()).toBeUndefined();
    const spool = await new Spools(workspace.path).make();
    await spool?.[Symbol.asyncDispose]();
    expect(await spool?.append(bytes)).toBe(false);
  });
});
