// File streams.

import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { fileStream, readSmallFile } from "../../../transports/shared/file-stream.ts";
import { randomBytes } from "../../support/random.ts";
import { Workspace } from "../../support/workspace.ts";

describe("fileStream", () => {
  test.each([0, 1, 262_143, 262_144, 262_145, 1_000_000])("gives all of %d bytes", async (size) => {
    using workspace = new Workspace();
    const bytes = randomBytes("stream", size);
    writeFileSync(workspace.at("file"), bytes);
    const read = await collect(fileStream(workspace.at("file")), Infinity);
    expect(Buffer.compare(read, bytes)).toBe(0);
  });

  test("opens nothing before it is read, and closes when the reader leaves early", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), randomBytes("stream", 1_000_000));
    const before = openFiles();
    const stream = fileStream(workspace.at("file"));
    expect(openFiles()).toBe(before);
    for await (const _ of stream) break;
    expect(openFiles()).toBe(before);
  });

  test("fails in the words of the system, with the path", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("directory"));
    const failed = (path: string): Promise<unknown> =>
      collect(fileStream(path), Infinity).catch((error: unknown) => error);
    expect(await failed(workspace.at("no"))).toMatchObject({
      code: "io",
      message: `open ${workspace.at("no")}: no such file or directory`,
    });
    expect(await failed(workspace.at("directory"))).toMatchObject({
      code: "io",
      message: `read ${workspace.at("directory")}: is a directory`,
    });
  });

  test("refuses a pipe rather than wait for it", async () => {
    using workspace = new Workspace();
    Bun.spawnSync(["mkfifo", workspace.at("pipe")]);
    const failure = await collect(fileStream(workspace.at("pipe")), 1).catch((e: unknown) => e);
    expect(failure).toMatchObject({
      code: "io",
      message: expect.stringMatching(/not a regular file$/),
    });
  });

  test("ends where a file ends that shrinks meanwhile", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), randomBytes("stream", 2_000_000));
    let size = 0;
    for await (const chunk of fileStream(workspace.at("file"))) {
      size += chunk.length;
      truncateSync(workspace.at("file"), 100);
    }
    expect(size).toBeLessThan(2_000_000);
  });

  test("ends on an abort", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), randomBytes("stream", 2_000_000));
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _ of fileStream(workspace.at("file"), abort.signal)) abort.abort();
    };
    expect(await read().catch((error: Error) => error.name)).toBe("AbortError");
  });
});

test("P1: readSmallFile stops at its limit", async () => {
  using workspace = new Workspace();
  writeFileSync(workspace.at("file"), new Uint8Array(11));
  expect((await readSmallFile(workspace.at("file"), 11)).length).toBe(11);
  const failure = await readSmallFile(workspace.at("file"), 10).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "corrupt" });
});

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}
