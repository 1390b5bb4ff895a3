// Where archives go: to a file that is whole or not there, or straight out.

import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { Failure } from "../../../core/failure.ts";
import {
  checkUnchanged,
  findTarTarget,
  openTarOutput,
} from "../../../transports/shared/tar-output.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";
import { StuckPipe } from "../../support/stuck-pipe.ts";
import { transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

const context = transportContext();
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

describe("openTarOutput", () => {
  test("F6: a file appears when it is complete, and not before", async () => {
    using workspace = new Workspace();
    const path = workspace.at("archive");
    writeFileSync(path, "old");
    {
      await using output = await openTarOutput(path, context);
      await output.write(text("new"));
      expect(readFileSync(path, "utf8")).toBe("old");
      await output.complete();
    }
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(Object.keys(treeOf(workspace.path))).toEqual(["archive"]);
  });

  test("F6: without completion the old one stays, and nothing else", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("archive"), "old");
    const before = treeOf(workspace.path);
    {
      await using output = await openTarOutput(workspace.at("archive"), context);
      await output.write(text("new"));
    }
    expect(treeOf(workspace.path)).toEqual(before);
  });

  test("keeps the mode of what it replaces, and follows links to it", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), "old");
    chmodSync(workspace.at("file"), 0o600);
    symlinkSync("file", workspace.at("link"));
    await using output = await openTarOutput(workspace.at("link"), context);
    await output.write(text("new"));
    await output.complete();
    expect(readFileSync(workspace.at("file"), "utf8")).toBe("new");
    expect(statSync(workspace.at("file")).mode & 0o777).toBe(0o600);
    expect(treeOf(workspace.path)["link"]).toBe("-> file");
  });

  test("takes back and writes over what it was given", async () => {
    using workspace = new Workspace();
    await using output = await openTarOutput(workspace.at("archive"), context);
    const { undo } = output;
    if (undo === undefined) throw new Error("a file cannot be changed");
    await output.write(text("0123456789"));
    await undo.truncate(6);
    expect(output.position).toBe(6);
    await output.write(text("abc"));
    await undo.patch(text("XY"), 1);
    await undo.truncate(8);
    await output.write(text("!"));
    await output.complete();
    expect(readFileSync(workspace.at("archive"), "utf8")).toBe("0XY345ab!");
  });

  test("a pipe that nobody reads is not waited for, once all is to end", async () => {
    using workspace = new Workspace();
    using _ = new StuckPipe(workspace.at("pipe"));
    const controller = new AbortController();
    const { signal } = controller;
    await using output = await openTarOutput(workspace.at("pipe"), { ...context, signal });
    const writing = rejection(Promise.resolve(output.write(text("all"))));
    controller.abort(new Failure("canceled", "enough"));
    expect((await writing).message).toBe("enough");
  });

  test("a pipe gets the bytes as they come", async () => {
    using workspace = new Workspace();
    Bun.spawnSync(["mkfifo", workspace.at("pipe")]);
    const reader = Bun.spawn(["cat", workspace.at("pipe")], { stdout: "pipe" });
    const big = new Uint8Array(1_000_003).fill(0x61);
    {
      await using output = await openTarOutput(workspace.at("pipe"), context);
      expect(output.undo).toBeUndefined();
      await output.write(big);
      await output.write(text("b"));
      expect(output.position).toBe(big.length + 1);
      await output.complete();
    }
    expect(await reader.stdout.text()).toBe(`${"a".repeat(big.length)}b`);
    expect(statSync(workspace.at("pipe")).isFIFO()).toBe(true);
  });

  test("a reader that leaves is an error", async () => {
    using workspace = new Workspace();
    Bun.spawnSync(["mkfifo", workspace.at("pipe")]);
    const reader = Bun.spawn(["head", "-c", "1", workspace.at("pipe")], { stdout: "ignore" });
    await using output = await openTarOutput(workspace.at("pipe"), context);
    const failure = await rejection(
      (async () => {
        for (let round = 0; round < 100; round++) await output.write(new Uint8Array(100_000));
      })(),
    );
    expect(failure.message).toContain(workspace.at("pipe"));
    await reader.exited;
  });

  test("fails where there is no directory to write to", async () => {
    using workspace = new Workspace();
    const failure = await rejection(openTarOutput(workspace.at("no", "archive"), context));
    expect(failure.code).toBe("io");
  });

  test("removes what crashed runs left, when it is done", async () => {
    using workspace = new Workspace();
    const leftover = workspace.at(`.dray-${crypto.randomUUID()}`);
    writeFileSync(leftover, "left");
    utimesSync(leftover, 1, 1);
    await using output = await openTarOutput(workspace.at("archive"), context);
    await output.complete();
    expect(Object.keys(treeOf(workspace.path))).toEqual(["archive"]);
  });
});

describe("findTarTarget", () => {
  test("refuses a directory", () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("directory"));
    expect(failureOf(() => findTarTarget(workspace.at("directory")))).toMatchObject({
      code: "io",
      message: `open ${workspace.at("directory")}: is a directory`,
    });
  });

  test("refuses a link to nothing", () => {
    using workspace = new Workspace();
    symlinkSync("nothing", workspace.at("link"));
    expect(failureOf(() => findTarTarget(workspace.at("link")))).toMatchObject({ code: "io" });
  });
});

describe("checkUnchanged", () => {
  const message = (path: string) =>
    `${path} was changed by somebody else while the image was written`;

  test("lets pass what is as it was", () => {
    using workspace = new Workspace();
    const path = workspace.at("archive");
    checkUnchanged(findTarTarget(path));
    writeFileSync(path, "a");
    checkUnchanged(findTarTarget(path));
  });

  test("refuses what was changed, made or removed", () => {
    using workspace = new Workspace();
    const path = workspace.at("archive");
    const missing = findTarTarget(path);
    writeFileSync(path, "a");
    expect(failureOf(() => checkUnchanged(missing))).toMatchObject({ message: message(path) });
    const found = findTarTarget(path);
    writeFileSync(path, "ab");
    expect(failureOf(() => checkUnchanged(found))).toMatchObject({ message: message(path) });
  });
});
