// Odd layers: archives with the entries that tools write and readers argue about, each in one way.

import { randomBytes } from "./random.ts";
import { type TarEntry, sealed, tarHeader, tarHeaderWith, tarOf, tarPadding } from "./tar-bytes.ts";

/**
 * What becomes of a layer in a store: it is taken and given back, it is refused, or it is taken and can never
 * be given back, which only the original does.
 */
export type Fate = "kept" | "refused" | "lost";

/** A layer with something odd in it. */
export interface OddLayer {
  readonly name: string;
  readonly tar: Uint8Array;
  /** By the original: overlay, then vfs where that differs. */
  readonly fate: readonly [overlay: Fate, vfs?: Fate];
  /** What we do instead, where losing is nothing to copy. */
  readonly ours?: readonly [overlay: Fate, vfs?: Fate];
}

const text = (content: string) => new TextEncoder().encode(content);
const zeros = (blocks: number) => new Uint8Array(512 * blocks);
const file = { path: "a", body: text("content") };
const header = tarHeader(file);
const padding = tarPadding(file.body.length);

/** An entry with other bytes in its header. */
const changed = (entry: TarEntry, changes: Readonly<Record<number, string>>, size?: number) =>
  Buffer.concat([
    tarHeaderWith(entry, changes, size),
    entry.body ?? zeros(0),
    tarPadding(entry.body?.length ?? 0),
  ]);

const typed = (type: string) => Buffer.concat([changed(file, { 156: type }), zeros(2)]);

function entry(kept: TarEntry): Uint8Array {
  return tarOf([kept]).subarray(0, -1024);
}

/** A long name as GNU tar has it. */
function gnuLong(type: "L" | "K", name: string): Uint8Array {
  const body = text(`${name}\0`);
  return changed({ path: "././@LongLink", body }, { 156: type, 257: "ustar  \0" });
}

/** A number as two's complement, which is how large and negative ones are written. */
function binary(at: number, width: number, value: bigint): Uint8Array {
  const bytes = Buffer.from(tarHeader({ path: "a" }));
  let rest = BigInt.asUintN(8 * width - 1, value) | (1n << BigInt(8 * width - 1));
  for (let index = at + width - 1; index >= at; index -= 1) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return Buffer.concat([sealed(bytes), zeros(2)]);
}

const deep = `${"d".repeat(60)}/${"e".repeat(60)}/`.repeat(3);
const dir = { path: "d/", kind: "directory", mode: 0o755 } as const;
const hard = (path: string, target: string): TarEntry => ({ path, kind: "hardLink", target });
const soft = (path: string, target: string): TarEntry => ({ path, kind: "symlink", target });

const plain = (name: string, ...entries: readonly TarEntry[]): OddLayer => ({
  name,
  tar: tarOf(entries),
  fate: ["kept"],
});

const refused = (name: string, ...entries: readonly TarEntry[]): OddLayer => ({
  name,
  tar: tarOf(entries),
  fate: ["refused"],
});

const raw = (name: string, ...parts: readonly Uint8Array[]): OddLayer => ({
  name,
  tar: Buffer.concat(parts),
  fate: ["kept"],
});

/** Each of them under a name of its own. */
export const oddLayers: readonly OddLayer[] = [
  plain("names of pax", { path: `${deep}file`, body: text("x") }, soft("l", deep)),
  raw(
    "names of GNU",
    gnuLong("L", `${deep}file`),
    entry({ path: "cut", body: text("x") }),
    gnuLong("K", deep),
    entry(soft("link", "cut")),
    zeros(2),
  ),
  raw("a prefix of ustar", changed(file, { 345: "some/pre/fix" }), zeros(2)),
  raw("a header of v7", changed(file, { 257: "\0\0\0\0\0\0\0\0" }), zeros(2)),
  raw("a type of NUL", changed(file, { 156: "\0" }), zeros(2)),
  raw(
    "a directory of v7",
    changed({ path: "d/" }, { 156: "\0", 257: "\0\0\0\0\0\0\0\0" }),
    zeros(2),
  ),
  plain("names with dots", { ...dir, path: "./d/" }, { path: "./d/./a" }, { path: "d/../b" }),
  plain("an absolute name", { path: "/abs/olute", body: text("x") }),
  plain("the root", { path: "./", kind: "directory", mode: 0o700, uid: 5, mtime: 7 }, file),
  plain("names that are no text", { path: Buffer.from([0x66, 0xff, 0x0a, 0x01, 0x6f]) }),
  plain("a file and a directory with a name in Unicode", { path: "ü/ä", body: text("x") }),
  plain("attributes", {
    ...file,
    pax: {
      "SCHILY.xattr.user.binary": Buffer.from([0, 255, 10]),
      "SCHILY.xattr.trusted.note": "x",
      "SCHILY.xattr.security.capability": Buffer.from([
        1,
        0,
        0,
        2,
        0,
        4,
        ...zeros(1).subarray(14, 28),
      ]),
    },
  }),
  plain("attributes of a directory", { ...dir, pax: { "SCHILY.xattr.user.a": "b" } }, file),
  plain("attributes of overlayfs", {
    ...dir,
    pax: { "SCHILY.xattr.trusted.overlay.opaque": "y" },
  }),
  raw("an owner in binary", binary(108, 8, 4_000_000_000n)),
  raw("a size in binary", binary(124, 12, 0n)),
  plain("large owners", { ...file, pax: { uid: "4294967294", gid: "4294967294" } }),
  raw("a time before 1970", binary(136, 12, -5n)),
  plain("a time before 1970 by pax", { ...file, pax: { mtime: "-5.25" } }),
  plain("a time behind 2106", { ...file, pax: { mtime: "5000000000.5" } }),
  plain("a time behind 2446", { ...file, pax: { mtime: "20000000000" } }),
  plain("nanoseconds", { ...file, pax: { mtime: "1700000000.123456789", atime: "1700000001.5" } }),
  plain("an older look than change", { ...file, pax: { mtime: "1700000000", atime: "1" } }),
  raw(
    "records for all",
    changed({ path: "g", body: text("10 uid=77\n") }, { 156: "g" }),
    entry(file),
    zeros(2),
  ),
  plain(
    "devices",
    { path: "char", kind: "characterDevice", device: [1, 3], mode: 0o666 },
    { path: "block", kind: "blockDevice", device: [259, 70_000], mode: 0o660, gid: 6 },
    { path: "fifo", kind: "fifo", mode: 0o4711, mtime: 9 },
    { path: "zero", kind: "characterDevice", device: [0, 0] },
  ),
  plain("a hard link", file, hard("b", "a")),
  plain(
    "a hard link of another mode",
    { ...file, mode: 0o4711 },
    { ...hard("b", "a"), mode: 0o755 },
  ),
  plain("a hard link of another owner", file, { ...hard("b", "./a"), uid: 5, mtime: 77 }),
  plain("a hard link to a link", soft("l", "nowhere"), { ...hard("b", "l"), uid: 7, mode: 0o600 }),
  refused("a hard link to a later file", hard("b", "a"), file),
  refused("a hard link out", hard("b", "../../../../etc/passwd")),
  refused("a path twice", file, file),
  refused("a path as file and directory", { path: "d" }, dir),
  refused("a path as directory and link", dir, soft("d", "x")),
  { name: "a contiguous file", tar: typed("7"), fate: ["refused"] },
  { name: "a sparse file of GNU", tar: typed("S"), fate: ["refused"] },
  {
    name: "a sparse file of pax",
    tar: tarOf([
      {
        ...file,
        pax: {
          "GNU.sparse.size": "2000",
          "GNU.sparse.numblocks": "1",
          "GNU.sparse.map": "1000,7",
          "GNU.sparse.name": "b",
        },
      },
    ]),
    fate: ["lost"],
    ours: ["refused"],
  },
  {
    name: "a link with a size",
    tar: Buffer.concat([tarHeader(soft("l", "a"), 7), zeros(2)]),
    fate: ["lost"],
    ours: ["kept"],
  },
  {
    name: "a whiteout with content",
    tar: tarOf([{ path: ".wh.a", body: randomBytes("whiteout", 2000) }]),
    fate: ["lost"],
    ours: ["kept"],
  },
  {
    name: "a way out",
    tar: tarOf([{ path: "../x", body: text("x") }]),
    fate: ["lost"],
    ours: ["refused"],
  },
  {
    name: "a whiteout after its file",
    tar: tarOf([file, { path: ".wh.a" }]),
    fate: ["refused", "lost"],
    ours: ["refused"],
  },
  plain("a whiteout before its file", { path: ".wh.a" }, { path: "a" }),
  plain("a whiteout of nothing that was", dir, { path: "d/.wh.never", uid: 7 }),
  plain("a whiteout in a directory that nobody made", { path: "x/y/.wh.never" }),
  {
    name: "a whiteout below a file",
    tar: tarOf([{ path: "f" }, { path: "f/.wh.x" }]),
    fate: ["kept", "refused"],
  },
  plain("an opaque directory", dir, { path: "d/.wh..wh..opq" }, { path: "d/a" }),
  plain(
    "an opaque directory, told late",
    { path: "d/a", body: text("x") },
    { path: "d/.wh..wh..opq" },
  ),
  plain("an opaque root", { path: ".wh..wh..opq" }, { path: "a" }),
  {
    name: "leftovers of an older engine",
    tar: tarOf([{ path: ".wh..wh.aufs", body: text("x") }, file]),
    fate: ["lost"],
    ours: ["kept"],
  },
  {
    name: "empty leftovers of an older engine",
    tar: tarOf([{ path: ".wh..wh.orph", kind: "directory" }, { path: ".wh..wh.plnk" }, file]),
    fate: ["kept"],
  },
  plain("entries below a link", dir, soft("l", "d"), { path: "l/a", body: text("x") }),
  // The original unpacks them inside the layer, and looks for them outside.
  {
    name: "entries below a link to an absolute path",
    tar: tarOf([dir, soft("l", "/d"), { path: "l/a", body: text("x") }]),
    fate: ["lost"],
    ours: ["kept"],
  },
  {
    name: "entries below a link up",
    tar: tarOf([dir, soft("l", "../../../d"), { path: "l/a", body: text("x") }]),
    fate: ["lost"],
    ours: ["kept"],
  },
  {
    name: "two files in one place",
    tar: tarOf([dir, soft("l", "d"), { path: "d/a", body: text("x") }, { path: "l/a" }]),
    fate: ["lost"],
    ours: ["refused", "lost"],
  },
  refused("an entry below a link to nowhere", soft("l", "nowhere"), { path: "l/a" }),
  refused("an entry below a link to a file", file, soft("l", "a"), { path: "l/a" }),
  refused("an entry below a file", file, { path: "a/b" }),
  plain("a link replaced by a directory", dir, soft("l", "d"), { ...dir, path: "l/../l2" }),
  plain("set bits", { path: "s", mode: 0o6755, uid: 3 }, { ...dir, mode: 0o3777, gid: 9 }),
  plain(
    "a file in a directory whose group passes on",
    { ...dir, mode: 0o2755, gid: 9 },
    { path: "d/x/y" },
  ),
  plain(
    "a directory after its files",
    { path: "d/a", body: text("x") },
    { ...dir, mode: 0o711, mtime: 5 },
  ),
  plain("directories without rights", { ...dir, mode: 0 }, { path: "d/a", mode: 0 }),
  raw("no end", header, file.body, padding),
  raw("no end and no padding", header, file.body),
  raw("one block at the end", header, file.body, padding, zeros(1)),
  raw("many blocks at the end", header, file.body, padding, zeros(30)),
  raw("junk behind the end", header, file.body, padding, zeros(2), text("junk")),
  raw(
    "padding that is none",
    header,
    file.body,
    padding.map(() => 7),
    zeros(2),
  ),
  { name: "an end within a file", tar: Buffer.concat([header, text("con")]), fate: ["refused"] },
  { name: "an end within a header", tar: header.subarray(0, 300), fate: ["refused"] },
];
