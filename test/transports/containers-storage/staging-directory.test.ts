import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import {
  StagingDirectory,
  sweepStaging,
} from "../../../transports/containers-storage/staging-directory.ts";
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

  test("has nothing to do where nothing is", async () => {
    using workspace = new Workspace();
    await sweepStaging(workspace.at("none"), transportContext());
  });
});
