import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  entriesIfAny,
  exists,
  isMissing,
  readConfigFile,
  readConfigFileIfAny,
} from "../../../core/config/config-file.ts";
import { limits } from "../../../core/limits.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-file-"));
});

afterAll(() => rm(folder, { recursive: true }));

describe("readConfigFile", () => {
  test.each([0, 1, 64 * 1024, 64 * 1024 + 1, 1_000_000])("reads %d bytes", async (size) => {
    const path = join(folder, `${size}`);
    const content = Buffer.alloc(size, "ab");
    await writeFile(path, content);
    expect(Buffer.from(await readConfigFile(path)).equals(content)).toBe(true);
  });

  test("reads what another program writes into a pipe", async () => {
    const pipe = join(folder, "pipe");
    Bun.spawnSync(["mkfifo", pipe]);
    await using writer = Bun.spawn(["sh", "-c", `printf '{}' > "$0"`, pipe]);
    expect(Buffer.from(await readConfigFile(pipe)).toString()).toBe("{}");
    expect(await writer.exited).toBe(0);
  });

  test("P1: stops at the limit, for instance in an endless file", async () => {
    await expect(readConfigFile("/dev/zero")).rejects.toMatchObject({
      code: "config",
      message: `read /dev/zero: exceeded maximum allowed size of ${limits.configFileBytes} bytes`,
    });
  });

  test.each([
    ["that does not exist", "/nowhere/x", "open /nowhere/x: no such file or directory", true],
    ["below a file", "/dev/null/x", "open /dev/null/x: not a directory", true],
    ["that is a directory", "/dev", "read /dev: is a directory", false],
  ])("fails on a path %s", async (_, path, message, missing) => {
    const failure = await readConfigFile(path).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "config", message });
    expect(isMissing(failure)).toBe(missing);
  });
});

describe("where there is nothing", () => {
  test.each(["/nowhere/x", "/dev/null/x"])("%s is missing, and no failure", async (path) => {
    expect(await readConfigFileIfAny(path)).toBeUndefined();
    expect(entriesIfAny(path)).toBeUndefined();
    expect(exists(path)).toBe(false);
  });
});

describe("where there is something", () => {
  test("a file is read", async () => {
    const path = join(folder, "some");
    await writeFile(path, "content");
    expect(Buffer.from((await readConfigFileIfAny(path)) ?? []).toString()).toBe("content");
    expect(exists(path)).toBe(true);
  });

  test("a directory has entries", async () => {
    const path = await mkdtemp(join(folder, "directory-"));
    await writeFile(join(path, "a"), "");
    expect(entriesIfAny(path)?.map((entry) => [entry.name, entry.isFile()])).toEqual([["a", true]]);
  });

  test("what cannot be read is a failure, and not missing", async () => {
    await expect(readConfigFileIfAny("/dev")).rejects.toMatchObject({
      code: "config",
      message: "read /dev: is a directory",
    });
    // A name that is too long cannot even be asked for.
    const path = join(folder, "x".repeat(300));
    await expect(readConfigFileIfAny(path)).rejects.toMatchObject({
      code: "config",
      message: `open ${path}: file name too long`,
    });
    expect(() => exists(path)).toThrow("file name too long");
    expect(() => entriesIfAny(path)).toThrow("ENAMETOOLONG");
  });
});
