import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { Crc64 } from "../../../core/blob/crc64.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { TarSplitEncoder } from "../../../core/blob/tar-split.ts";
import { rebuiltLayer } from "../../../transports/shared/rebuilt-layer.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Records raw bytes as text, and files as their names and contents. */
function tarSplitOf(...parts: readonly (string | readonly [string, Uint8Array])[]): Uint8Array {
  const encoder = new TarSplitEncoder();
  for (const part of parts) {
    if (typeof part === "string") {
      encoder.raw(bytesOf(part));
      continue;
    }
    const [name, content] = part;
    const crc = new Crc64();
    crc.update(content);
    encoder.file(Buffer.from(name, "latin1"), { size: content.length, checksum: crc.digest() });
  }
  return encoder.take("all") ?? new Uint8Array();
}

function rebuild(tarSplit: Uint8Array, ...directories: readonly string[]): Promise<Uint8Array> {
  return collect(rebuiltLayer({ tarSplit: streamOf(tarSplit), directories }), 10_000_000);
}

describe("rebuiltLayer", () => {
  test("puts files between what was recorded", async () => {
    using workspace = new Workspace();
    const large = randomBytes("large", 700_001);
    mkdirSync(workspace.at("etc"));
    writeFileSync(workspace.at("etc/one"), "first");
    writeFileSync(Buffer.concat([bytesOf(`${workspace.path}/`), Buffer.from([0xff])]), large);
    const tarSplit = tarSplitOf(
      "A",
      ["./etc/one", bytesOf("first")],
      "B",
      ["\xff", large],
      "C",
      ["nothing", new Uint8Array()],
      "D",
    );
    const expected = Buffer.concat([bytesOf("AfirstB"), large, bytesOf("CD")]);
    expect(Buffer.compare(await rebuild(tarSplit, workspace.path), expected)).toBe(0);
  });

  test("looks for files in the layers below", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("upper"));
    mkdirSync(workspace.at("lower"));
    writeFileSync(workspace.at("lower/file"), "below");
    const tarSplit = tarSplitOf(["file", bytesOf("below")]);
    const rebuilt = await rebuild(tarSplit, workspace.at("upper"), workspace.at("lower"));
    expect(new TextDecoder().decode(rebuilt)).toBe("below");
  });

  test("takes files from wherever they are kept", async () => {
    const content = randomBytes("kept", 300_000);
    const tarSplit = tarSplitOf("A", ["./d/file", content], "B");
    const rebuildWith = (kept: Uint8Array) =>
      collect(
        rebuiltLayer({
          tarSplit: streamOf(tarSplit),
          files: {
            open: async (path) => (path === "d/file" ? chunked(kept, 1000) : undefined),
          },
        }),
        1_000_000,
      );
    const expected = Buffer.concat([bytesOf("A"), content, bytesOf("B")]);
    expect(Buffer.compare(await rebuildWith(content), expected)).toBe(0);
    for (const wrong of [content.slice(1), Buffer.concat([content, content]), content.with(5, 7)]) {
      expect(await rejection(rebuildWith(wrong))).toMatchObject({
        code: "corrupt",
        message: 'file integrity checksum failed for "./d/file"',
      });
    }
  });

  test.each([
    ["another content", "secone", /integrity checksum failed for "file"/],
    ["less content", "short", /integrity checksum failed for "file"/],
    ["no file", undefined, /Layer has lost its file "file"/],
  ])("fails on %s", async (_, content, message) => {
    using workspace = new Workspace();
    if (content !== undefined) writeFileSync(workspace.at("file"), content);
    const failure = await rejection(
      rebuild(tarSplitOf(["file", bytesOf("second")]), workspace.path),
    );
    expect(failure).toMatchObject({ code: "corrupt", message: expect.stringMatching(message) });
  });

  test.each(["../secret", "up/secret", "link", "a/../../secret"])(
    "never reads what %p leads to",
    async (name) => {
      using workspace = new Workspace();
      mkdirSync(workspace.at("root"));
      writeFileSync(workspace.at("secret"), "secret");
      symlinkSync("..", workspace.at("root/up"));
      symlinkSync("../secret", workspace.at("root/link"));
      const tarSplit = tarSplitOf([name, bytesOf("secret")]);
      await rejection(rebuild(tarSplit, workspace.at("root")));
    },
  );

  test("stops when it is told to, and closes what it opened", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), new Uint8Array(600_000));
    const before = readdirSync("/proc/self/fd").length;
    const tarSplit = tarSplitOf(["file", new Uint8Array(600_000)]);
    const layer = { tarSplit: streamOf(tarSplit), directories: [workspace.path] };
    for await (const _ of rebuiltLayer(layer)) break;
    expect(readdirSync("/proc/self/fd").length).toBe(before);
    const stopped = { tarSplit: streamOf(tarSplit), directories: [workspace.path] };
    const rebuilding = collect(rebuiltLayer(stopped, AbortSignal.abort()), 1_000_000);
    expect(rebuilding).rejects.toThrow();
  });
});
