// Tar bytes: archives written header by header, so that a test can make every odd entry there is.

/** What kind of entry it is: the type flag of its header. */
export type TarKind = keyof typeof typeFlags;

/** One entry of an archive. What is absent gets the least surprising value. */
export interface TarEntry {
  /** As bytes where the name is not UTF-8. */
  readonly path: string | Uint8Array;
  readonly kind?: TarKind;
  readonly body?: Uint8Array;
  /** What a link points to. */
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** In seconds since 1970. */
  readonly mtime?: number;
  /** Major and minor number of a device. */
  readonly device?: readonly [major: number, minor: number];
  /** Extended records that go before the entry, such as `SCHILY.xattr.user.note`. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
}

const typeFlags = {
  file: "0",
  hardLink: "1",
  symlink: "2",
  characterDevice: "3",
  blockDevice: "4",
  directory: "5",
  fifo: "6",
  pax: "x",
} as const;

const blockBytes = 512;

/** Returns an archive of the entries, ended by two empty blocks. */
export function tarOf(entries: readonly TarEntry[]): Uint8Array {
  return Buffer.concat([...entries.flatMap(entryBytes), new Uint8Array(2 * blockBytes)]);
}

/** Returns the header of an entry whose body, of `size` bytes, somebody else writes. */
export function tarHeader(entry: TarEntry, size = entry.body?.length ?? 0): Uint8Array {
  const header = Buffer.alloc(blockBytes);
  const name = bytesOf(entry.path);
  const octal = (value: number, at: number, width: number) =>
    header.write(value.toString(8).padStart(width - 1, "0"), at, "latin1");
  header.set(name.subarray(0, 100), 0);
  octal(entry.mode ?? 0o644, 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(entry.mtime ?? 0, 136, 12);
  header.write(typeFlags[entry.kind ?? "file"], 156, "latin1");
  header.set(bytesOf(entry.target ?? "").subarray(0, 100), 157);
  header.write("ustar\x0000", 257, "latin1");
  octal(entry.device?.[0] ?? 0, 329, 8);
  octal(entry.device?.[1] ?? 0, 337, 8);
  return sealed(header);
}

/** Gives a header that was changed the checksum that fits. */
export function sealed(header: Uint8Array): Uint8Array {
  const bytes = Buffer.from(header);
  // The checksum is computed with blanks in its own place.
  bytes.fill(" ", 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

/** Returns a header with some text written into it, at offsets, and the checksum that fits. */
export function tarHeaderWith(
  entry: TarEntry,
  changes: Readonly<Record<number, string>>,
  size?: number,
): Uint8Array {
  const bytes = Buffer.from(tarHeader(entry, size));
  for (const [at, text] of Object.entries(changes)) bytes.write(text, Number(at), "latin1");
  return sealed(bytes);
}

/** Returns the zeros that fill a body of `size` bytes up to the next block. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((blockBytes - (size % blockBytes)) % blockBytes);
}

function entryBytes(entry: TarEntry): readonly Uint8Array[] {
  const body = entry.body ?? new Uint8Array();
  const records = { ...longNames(entry), ...entry.pax };
  const parts = [tarHeader(entry), body, tarPadding(body.length)];
  if (Object.keys(records).length === 0) return parts;
  const extended = Buffer.concat(Object.entries(records).map(paxRecord));
  return [
    tarHeader({ path: "PaxHeaders/entry", kind: "pax", body: extended }),
    extended,
    tarPadding(extended.length),
    ...parts,
  ];
}

function longNames({ path, target }: TarEntry): Record<string, string | Uint8Array> {
  return {
    ...(bytesOf(path).length > 100 ? { path } : {}),
    ...(target !== undefined && target.length > 100 ? { linkpath: target } : {}),
  };
}

/** A record counts itself: its length in digits is part of the length. */
function paxRecord([key, value]: readonly [string, string | Uint8Array]): Uint8Array {
  const rest = Buffer.concat([bytesOf(` ${key}=`), bytesOf(value), bytesOf("\n")]);
  let digits = 1;
  while (String(rest.length + digits).length > digits) digits += 1;
  return Buffer.concat([bytesOf(String(rest.length + digits)), rest]);
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text;
}
