// Tar item: one entry of an archive that we write, byte for byte.
//
// The library that writes our other archives takes names and attributes for text, which they are not.

/** What an entry says; its content follows elsewhere. */
export interface TarItem {
  readonly path: Uint8Array;
  readonly kind: keyof typeof typeFlags;
  /** The permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** In seconds since 1970, and not before. */
  readonly modified: number;
  /** Of the content, in bytes; 0 if absent. */
  readonly size?: number;
  /** Where a link leads. */
  readonly target?: Uint8Array;
  readonly device?: { readonly major: number; readonly minor: number };
  /** Extended attributes. */
  readonly attributes?: readonly TarAttribute[];
}

/** An extended attribute, with its name in full. */
export interface TarAttribute {
  readonly name: string;
  readonly value: Uint8Array;
}

const typeFlags = {
  file: "0",
  hardLink: "1",
  symlink: "2",
  characterDevice: "3",
  blockDevice: "4",
  directory: "5",
  fifo: "6",
  extended: "x",
} as const;

const blockBytes = 512;

/** What ends an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * blockBytes);

/** Returns what stands before the content of an entry: its header, and what does not fit into that. */
export function tarHead(item: TarItem): Uint8Array {
  const records = recordsOf(item);
  if (records.length === 0) return headerOf(item);
  const body = Buffer.concat(records);
  const extended = headerOf({
    path: bytesOf("././@PaxHeader"),
    kind: "extended",
    mode: 0o644,
    uid: 0,
    gid: 0,
    modified: 0,
    size: body.length,
  });
  return Buffer.concat([extended, body, tarPadding(body.length), headerOf(item)]);
}

/** Returns what fills content of `size` bytes up to the next entry. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((blockBytes - (size % blockBytes)) % blockBytes);
}

function headerOf(item: TarItem): Uint8Array {
  const { size = 0, target, device } = item;
  const header = Buffer.alloc(blockBytes);
  header.set(shortened(item.path), 0);
  writeNumber(header, item.mode, { at: 100, width: 8 });
  writeNumber(header, item.uid, { at: 108, width: 8 });
  writeNumber(header, item.gid, { at: 116, width: 8 });
  writeNumber(header, size, { at: 124, width: 12 });
  writeNumber(header, item.modified, { at: 136, width: 12 });
  header.write(typeFlags[item.kind], 156, "latin1");
  if (target !== undefined) header.set(shortened(target), 157);
  header.write("ustar\x0000", 257, "latin1");
  writeNumber(header, device?.major ?? 0, { at: 329, width: 8 });
  writeNumber(header, device?.minor ?? 0, { at: 337, width: 8 });
  // The checksum is computed with blanks in its own place.
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

const nameBytes = 100;

/** What a long name is cut down to must not look like the name of a directory. */
function shortened(name: Uint8Array): Uint8Array {
  if (name.length <= nameBytes) return name;
  return name[nameBytes - 1] === slash
    ? name.subarray(0, nameBytes - 1)
    : name.subarray(0, nameBytes);
}

const slash = 0x2f;

interface Field {
  readonly at: number;
  readonly width: number;
}

/** A number that does not fit is 0 here, and stands in a record. */
function writeNumber(header: Buffer, value: number, { at, width }: Field): void {
  const shown = fits(value, width) ? value : 0;
  header.write(shown.toString(8).padStart(width - 1, "0"), at, "latin1");
}

function fits(value: number, width: number): boolean {
  return value < 8 ** (width - 1);
}

function recordsOf({ path, target, uid, gid, size = 0, attributes = [] }: TarItem): Uint8Array[] {
  const records: Uint8Array[] = [];
  const add = (key: string, value: Uint8Array | number) =>
    records.push(recordOf(key, typeof value === "number" ? bytesOf(String(value)) : value));
  if (path.length > nameBytes) add("path", path);
  if (target !== undefined && target.length > nameBytes) add("linkpath", target);
  if (!fits(uid, 8)) add("uid", uid);
  if (!fits(gid, 8)) add("gid", gid);
  if (!fits(size, 12)) add("size", size);
  for (const { name, value } of attributes) add(`SCHILY.xattr.${name}`, value);
  return records;
}

/** A record counts itself: its length in digits is part of the length. */
function recordOf(key: string, value: Uint8Array): Uint8Array {
  const rest = Buffer.concat([bytesOf(` ${key}=`), value, bytesOf("\n")]);
  let digits = 1;
  while (String(rest.length + digits).length > digits) digits += 1;
  return Buffer.concat([bytesOf(String(rest.length + digits)), rest]);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
