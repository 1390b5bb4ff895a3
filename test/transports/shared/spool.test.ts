// Spool: what can be read only once.

import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { onceStream, Spool } from "../../../transports/shared/spool.ts";
import { chunked } from "../../support/chunks.ts";
import { testWith } from "../../support/needs.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { SmallDisk } from "../../support/small-disk.ts";
import { Workspace } from "../../support/workspace.ts";

const content = randomBytes("spool", 300_000);

describe("Spool", () => {
  test("gives what it was given, as often as it is asked, and vanishes", async () => {
    using workspace = new Workspace();
    {
      await using spool = await Spool.keep(chunked(content, 777), workspace.path);
      expect(Buffer.compare(await collect(spool.open(), Infinity), content)).toBe(0);
      expect(Buffer.compare(await collect(spool.open(), Infinity), content)).toBe(0);
      expect(statSync(spool.path).mode & 0o777).toBe(0o600);
    }
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  test("leaves nothing if what feeds it breaks off", async () => {
    using workspace = new Workspace();
    const breaking = async function* () {
      yield content;
      throw new Error("the pipe broke");
    };
    const failure = await rejection(Spool.keep(breaking(), workspace.path));
    expect(failure.message).toBe("the pipe broke");
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  testWith("root")("F9: names the path and leaves nothing when the disk is full", async () => {
    using disk = new SmallDisk(64 * 1024);
    const failure = await rejection(Spool.keep(chunked(content, 10_000), disk.path));
    expect(failure.code).toBe("io");
    expect(failure.message).toStartWith(`write ${disk.path}/`);
    expect(failure.message).toEndWith(": no space left on device");
    expect(readdirSync(disk.path)).toEqual([]);
  });
});

describe("onceStream", () => {
  test("reads a pipe to its end", async () => {
    using workspace = new Workspace();
    const pipe = workspace.at("pipe");
    Bun.spawnSync(["mkfifo", pipe]);
    const writer = Bun.spawn(["dd", `of=${pipe}`, "bs=1000", "status=none"], { stdin: content });
    expect(Buffer.compare(await collect(onceStream(pipe), Infinity), content)).toBe(0);
    await writer.exited;
  });

  test("F8: an abort ends it while nothing comes", async () => {
    using workspace = new Workspace();
    const pipe = workspace.at("pipe");
    Bun.spawnSync(["mkfifo", pipe]);
    // Open at both ends, and nothing is ever written.
    const writer = Bun.spawn(["sh", "-c", 'exec sleep 60 1<>"$0"', pipe]);
    const abort = new AbortController();
    const reading = rejection(collect(onceStream(pipe, abort.signal), Infinity));
    await Bun.sleep(30);
    abort.abort();
    expect((await reading).code).toBe("canceled");
    writer.kill();
    await writer.exited;
  });

  test("reads devices for which the system does not wait", async () => {
    expect((await collect(onceStream("/dev/null"), Infinity)).length).toBe(0);
    const zeros = onceStream("/dev/zero");
    const { value } = await zeros.next();
    expect(value?.length).toBeGreaterThan(0);
    await zeros.return(undefined);
  });

  test("says what could not be opened", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("directory"));
    const failure = await rejection(collect(onceStream(workspace.at("nothing")), Infinity));
    expect(failure).toMatchObject({ code: "io", message: expect.stringContaining("nothing") });
  });
});
