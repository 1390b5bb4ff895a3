import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tryLockFile } from "../../../transports/containers-storage/lock-file.ts";
import {
  StagingDirectory,
  sweepStaging,
} from "../../../transports/containers-storage/staging-directory.ts";
import { recordLock } from "../../../transports/shared/libc/record-lock.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

describe("StagingDirectory", () => {
  test("is there with its lock, and then both are gone", async () => {
    using workspace = new Workspace();
    {
      await using staging = await StagingDirectory.create(workspace.at("tempdirs"));
      expect(
        readdirSync(workspace.at("tempdirs")).map((name) => name.replace(/[^-]+$/, "")),
      ).toEqual(expect.arrayContaining(["lock-", "temp-dir-"]));
      const [one, two] = [staging.next(), staging.next()];
      expect(one).not.toBe(two);
      mkdirSync(one);
      writeFileSync(two, "");
    }
    expect(readdirSync(workspace.at("tempdirs"))).toEqual([]);
  });

  test("leaves no lock, and holds none, where it cannot be made", async () => {
    using workspace = new Workspace();
    const parent = workspace.at("tempdirs");
    let held = -1;
    const failure = await rejection(
      StagingDirectory.create(parent, (descriptor, wish) => {
        held = descriptor;
        const [lock = ""] = readdirSync(parent);
        writeFileSync(`${parent}/${lock.replace("lock-", "temp-dir-")}`, "in the way");
        return recordLock(descriptor, wish);
      }),
    );
    expect(failure.code).toBe("io");
    expect(readdirSync(parent)).toEqual([expect.stringMatching(/^temp-dir-/)]);
    expect(recordLock(held, "exclusive")).toBe("unavailable");
  });
});

test.each([
  // As the newest engines do, which remove locks that nobody holds.
  ["takes its lock file away", "gone"],
  ["holds its lock file", "held"],
] as const)("StagingDirectory begins anew if somebody who sweeps %s", async (_, meanwhile) => {
  using workspace = new Workspace();
  const parent = workspace.at("tempdirs");
  let asked = 0;
  await using staging = await StagingDirectory.create(parent, (descriptor, wish) => {
    asked += 1;
    if (asked > 1) return recordLock(descriptor, wish);
    if (meanwhile === "held") return "held";
    for (const name of readdirSync(parent)) rmSync(`${parent}/${name}`);
    return recordLock(descriptor, wish);
  });
  expect(asked).toBe(2);
  const lockPath = staging.path.replace("temp-dir-", "lock-");
  expect(existsSync(lockPath)).toBe(true);
  expect(await tryLockFile(lockPath)).toBeUndefined();
});

describe("sweepStaging", () => {
  test("leaves what somebody is at work on, and removes what nobody is", async () => {
    using workspace = new Workspace();
    const parent = workspace.at("tempdirs");
    await using live = await StagingDirectory.create(parent);
    mkdirSync(`${parent}/temp-dir-dead/deep`, { recursive: true });
    writeFileSync(`${parent}/lock-dead`, "");
    mkdirSync(`${parent}/temp-dir-unlocked`);
    writeFileSync(`${parent}/something-else`, "");
    await sweepStaging(parent, transportContext());
    const left = readdirSync(parent);
    expect(existsSync(live.path)).toBe(true);
    expect(left).toHaveLength(4);
    // Without a lock file nobody knows.
    expect(left).toContain("temp-dir-unlocked");
    expect(left).toContain("something-else");
  });

  test("removes locks without a directory, once they are old", async () => {
    using workspace = new Workspace();
    const parent = workspace.at("tempdirs");
    await using live = await StagingDirectory.create(parent);
    writeFileSync(`${parent}/lock-lone`, "");
    await sweepStaging(parent, transportContext(), live.madeMs);
    await sweepStaging(parent, transportContext());
    expect(readdirSync(parent)).toContain("lock-lone");
    await sweepStaging(parent, transportContext(), live.madeMs + 70_000);
    expect(readdirSync(parent)).toHaveLength(2);
  });

  test("has nothing to do where nothing is", async () => {
    using workspace = new Workspace();
    await sweepStaging(workspace.at("none"), transportContext());
  });
});
