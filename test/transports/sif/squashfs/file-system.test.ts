// SquashFS file systems, as mksquashfs makes them.

import { describe, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { collect } from "../../../../core/blob/collect.ts";
import { Failure } from "../../../../core/failure.ts";
import {
  SquashFileSystem,
  type SquashName,
} from "../../../../transports/sif/squashfs/file-system.ts";
import type { MetadataPlace } from "../../../../transports/sif/squashfs/superblock.ts";
import { testWith } from "../../../support/needs.ts";
import { randomBytes } from "../../../support/random.ts";
import { withWindow } from "../../../support/sif-files.ts";
import { squashOf, squashProgram } from "../../../support/squash-image.ts";

const squashTest = testWith(squashProgram);
const noise = randomBytes("noise", 300_001);

/** Of every kind of content: none, less than a block, whole blocks, holes, and some of each. */
const contents: Readonly<Record<string, Uint8Array>> = {
  empty: new Uint8Array(),
  small: noise.subarray(0, 100),
  block: noise.subarray(0, 131_072),
  large: noise,
  zeros: new Uint8Array(400_000),
  mixed: Buffer.concat([noise, new Uint8Array(400_000), noise]),
};

describe("SquashFileSystem", () => {
  for (const flags of [
    [],
    ["-comp", "zstd"],
    ["-noI", "-noD", "-noF", "-noX"],
    ["-no-fragments"],
    ["-always-use-fragments"],
    ["-b", "4096"],
    ["-b", "1M"],
  ]) {
    squashTest(`reads what mksquashfs ${flags.join(" ")} wrote`, async () => {
      const image = squashOf(
        (at) => {
          for (const [name, bytes] of Object.entries(contents)) writeFileSync(at(name), bytes);
        },
        ...flags,
      );
      await withWindow(image, async (window) => {
        const files = await SquashFileSystem.open(window);
        const names = await list(files, files.root);
        expect(names.map(textOf)).toEqual(Object.keys(contents).toSorted());
        for (const name of names) {
          const inode = await files.inode(name.inode);
          if (inode.content.kind !== "file") throw new Error("this is no file");
          expect(await files.owner(inode.uid)).toBe(0);
          const read = await collect(files.content(inode.content), Infinity);
          expect(Buffer.compare(read, contents[textOf(name)]!)).toBe(0);
        }
      });
    });
  }

  squashTest("reads directories of any length", async () => {
    const expected = Array.from({ length: 1200 }, (_, index) => `${index}`.padStart(60, "n"));
    const image = squashOf((at) => {
      mkdirSync(at("inside"));
      for (const name of expected) writeFileSync(at("inside", name), "");
    });
    await withWindow(image, async (window) => {
      const files = await SquashFileSystem.open(window);
      const [inside] = await list(files, files.root);
      const names = await list(files, inside!.inode);
      expect(names.map(textOf)).toEqual(expected.toSorted());
    });
  });

  squashTest("P1: any byte may be wrong, and nothing but a Failure comes of it", async () => {
    const flags = ["-noI", "-noX"];
    const image = squashOf(
      (at) => {
        for (const [name, bytes] of Object.entries(contents)) {
          writeFileSync(at(name), bytes.subarray(0, 9000));
        }
        mkdirSync(at("inside"));
        writeFileSync(at("inside", "file"), "content");
      },
      ...flags,
    );
    // The tables, and the superblock, which says where they are.
    const places = Array.from({ length: 96 }, (_, index) => index);
    for (let at = image.length - 4096; at < image.length; at += 7) if (at > 96) places.push(at);
    let refused = 0;
    for (const [round, place] of places.entries()) {
      const broken = Buffer.from(image);
      broken[place] = broken[place]! ^ (1 << (round % 8));
      try {
        await withWindow(broken, readAll);
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        expect(["corrupt", "unsupported"]).toContain((error as Failure).code);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(50);
  });
});

async function readAll(window: Parameters<typeof SquashFileSystem.open>[0]): Promise<void> {
  const files = await SquashFileSystem.open(window);
  const seen = new Set<string>();
  const walk = async (place: MetadataPlace): Promise<void> => {
    for (const { inode: at } of await list(files, place)) {
      const key = `${at.block}/${at.offset}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const inode = await files.inode(at);
      await files.attributes(inode);
      if (inode.content.kind === "directory") await walk(at);
      if (inode.content.kind !== "file") continue;
      // A flipped bit may make a hole of a terabyte; that is not what is tested.
      let size = 0;
      for await (const { length } of files.content(inode.content)) {
        size += length;
        if (size > 10_000_000) break;
      }
    }
  };
  await walk(files.root);
}

async function list(files: SquashFileSystem, place: MetadataPlace): Promise<readonly SquashName[]> {
  const inode = await files.inode(place);
  if (inode.content.kind !== "directory") throw new Failure("corrupt", "this is no directory");
  return await files.list(inode);
}

function textOf({ name }: SquashName): string {
  return Buffer.from(name).toString();
}
