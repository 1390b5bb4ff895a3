import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import type { ByteStream } from "../../../core/blob/stream.ts";
import { SharedBlob, type SharedBlobWish } from "../../../core/copy/shared-blob.ts";
import { Spools } from "../../../core/copy/spool.ts";
import { Failure } from "../../../core/failure.ts";
import { chunked } from "../../support/chunks.ts";
import { failureOf } from "../../support/engine.ts";
import { randomBytes } from "../../support/random.ts";
import { Workspace } from "../../support/workspace.ts";

const bytes = randomBytes("shared", 100_000);
const chunkBytes = 1000;

/** A blob that says how often it was opened and whether it was let go. */
function blobOf(wish: Partial<SharedBlobWish> & { readonly directory: string }) {
  const spools = new Spools(wish.directory);
  const seen = { opened: 0, pulled: 0, released: 0 };
  const source = async function* (): ByteStream & AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of chunked(bytes, chunkBytes)) {
        seen.pulled += 1;
        yield chunk;
      }
    } finally {
      seen.released += 1;
    }
  };
  const blob = new SharedBlob({
    open: async () => {
      seen.opened += 1;
      return source();
    },
    wanted: () => true,
    keep: () => spools.make(),
    fresh: false,
    ...wish,
  });
  return { blob, seen };
}

function all(stream: ByteStream): Promise<Uint8Array> {
  return collect(stream, Infinity);
}

describe("SharedBlob", () => {
  test("opens the source once, for readers in step and for those who come later", async () => {
    using workspace = new Workspace();
    const { blob, seen } = blobOf({ directory: workspace.path });
    await using _ = blob;
    const both = await Promise.all([all(blob.read(undefined)), all(blob.read(undefined))]);
    expect(both).toEqual([bytes, bytes]);
    expect(await all(blob.read(undefined))).toEqual(bytes);
    expect(seen).toEqual({ opened: 1, pulled: 100, released: 1 });
  });

  test("pulls what somebody asks for, and no more", async () => {
    using workspace = new Workspace();
    const { blob, seen } = blobOf({ directory: workspace.path });
    await using _ = blob;
    const slow = blob.read(undefined);
    await slow.next();
    expect(seen.pulled).toBe(1);
    const fast = blob.read(undefined);
    for (let count = 0; count < 7; count++) await fast.next();
    expect(seen.pulled).toBe(7);
    await fast.return(undefined);
    expect((await all(slow)).length).toBe(bytes.length - chunkBytes);
    expect(seen).toEqual({ opened: 1, pulled: 100, released: 1 });
  });

  test("keeps nothing for a reader who is alone", async () => {
    using workspace = new Workspace();
    let kept = 0;
    const keep = async () => void kept++;
    const { blob } = blobOf({ directory: workspace.path, wanted: () => false, keep });
    await using _ = blob;
    expect(await all(blob.read(undefined))).toEqual(bytes);
    expect(kept).toBe(0);
    expect(blob.complete).toBe(false);
  });

  test("keeps no more once a reader is alone", async () => {
    using workspace = new Workspace();
    let wanted = true;
    const { blob, seen } = blobOf({ directory: workspace.path, wanted: () => wanted });
    await using _ = blob;
    const reader = blob.read(undefined);
    await reader.next();
    expect(blob.complete).toBe(true);
    wanted = false;
    expect((await all(reader)).length).toBe(bytes.length - chunkBytes);
    expect(blob.complete).toBe(false);
    expect(seen.opened).toBe(1);
  });

  test.each([
    [0, 2],
    [1, 2],
    [5000, 2],
    [5500, 2],
    // The last piece is still in memory.
    [99_500, 1],
  ])(
    "lets those who are behind read anew where %d bytes can be kept",
    async (spoolBytes, opened) => {
      using workspace = new Workspace();
      const spools = new Spools(workspace.path, { spoolFiles: 1, spoolBytes });
      const { blob, seen } = blobOf({ directory: workspace.path, keep: () => spools.make() });
      await using _ = blob;
      const behind = blob.read(undefined);
      const { value: first = new Uint8Array() } = await behind.next();
      expect(await all(blob.read(undefined))).toEqual(bytes);
      const rest = await all(behind);
      expect(Buffer.concat([first, rest])).toEqual(Buffer.from(bytes));
      expect(seen.opened).toBe(opened);
    },
  );

  test("fails for all when the source fails, after what it gave", async () => {
    using workspace = new Workspace();
    const open = async () =>
      (async function* () {
        yield bytes;
        throw new Failure("unavailable", "it broke off");
      })();
    const { blob } = blobOf({ directory: workspace.path, open });
    await using _ = blob;
    for (let count = 0; count < 2; count++) {
      const reader = blob.read(undefined);
      expect((await reader.next()).value).toEqual(bytes);
      expect((await failureOf(reader.next())).message).toBe("it broke off");
    }
    expect(blob.complete).toBe(false);
  });

  test("ends the reading of one, even while nothing comes, and of no other", async () => {
    using workspace = new Workspace();
    const silence = Promise.withResolvers<void>();
    const open = async () =>
      (async function* () {
        await silence.promise;
        yield bytes;
      })();
    const { blob } = blobOf({ directory: workspace.path, open });
    await using _ = blob;
    const leaving = new AbortController();
    const one = failureOf(all(blob.read(leaving.signal)));
    const other = all(blob.read(undefined));
    leaving.abort(new Failure("canceled", "enough"));
    expect((await one).message).toBe("enough");
    silence.resolve();
    expect(await other).toEqual(bytes);
  });

  test("lets go of the source when it is disposed of", async () => {
    using workspace = new Workspace();
    const { blob, seen } = blobOf({ directory: workspace.path });
    const reader = blob.read(undefined);
    await reader.next();
    await reader.return(undefined);
    expect(seen.released).toBe(0);
    await blob[Symbol.asyncDispose]();
    expect(seen.released).toBe(1);
  });
});
