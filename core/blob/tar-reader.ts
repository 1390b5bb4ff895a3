// Tar reader: what an archive consists of, exact to the byte.
//
// Two readers that disagree about where an entry begins are an attack. So whatever is known to be read
// in more ways than one is refused, and nothing is guessed.

import type { ByteStream } from "./stream.ts";
import { Failure } from "../failure.ts";
import { limits } from "../limits.ts";
import { blockBytes, isZeroBlock, parseTarHeader, type TarHeader, untilNul } from "./tar-header.ts";
import { StreamInput, type TarInput } from "./tar-input.ts";
import {
  bytesRecord,
  numberRecord,
  parseTarRecords,
  type TarRecords,
  timeRecord,
} from "./tar-records.ts";

/** What an entry of an archive is. */
export type TarEntryKind =
  | "file"
  | "hard-link"
  | "symbolic-link"
  | "character-device"
  | "block-device"
  | "directory"
  | "fifo"
  /** Of one program only, such as the label of a volume. */
  | "other";

/** One entry of an archive, and all that its headers say. */
export interface TarEntry {
  readonly kind: TarEntryKind;
  /** As it stands there, perhaps no text at all. */
  readonly nameBytes: Uint8Array;
  /** As text for people: what is none is replaced. */
  readonly name: string;
  /** Where a link leads; empty for anything else. */
  readonly linkBytes: Uint8Array;
  readonly link: string;
  /** Where its first header stands, which may be an extended one. */
  readonly start: number;
  /** Where its content stands. */
  readonly offset: number;
  /** How much content it has in the archive; less than the file had if that had holes. */
  readonly size: number;
  /** Whether the content is a file with its holes left out. */
  readonly sparse: boolean;
  readonly typeFlag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** In nanoseconds since 1970. */
  readonly modifiedNs: bigint;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Its own pax records. */
  readonly records: TarRecords;
  /** The pax records that hold for everything from here on. */
  readonly globalRecords: TarRecords;
}

/** An entry on its way, with what it contains. */
export interface TarMember {
  readonly entry: TarEntry;
  /** To be read, if at all, before the next entry is asked for. */
  readonly content: ByteStream;
}

/** Returns where an entry's last block ends. */
export function endOf({ offset, size }: Pick<TarEntry, "offset" | "size">): number {
  return offset + Math.ceil(size / blockBytes) * blockBytes;
}

/**
 * Reads an archive as it comes, up to the blocks of zeros that end it.
 *
 * Fails with `corrupt` where it is cut off or contradicts itself.
 */
export async function* readTar(bytes: ByteStream): AsyncGenerator<TarMember> {
  await using input = new StreamInput(bytes);
  for await (const entry of tarEntries(input)) {
    yield { entry, content: contentOf(entry, input) };
  }
}

async function* contentOf({ offset, size }: TarEntry, input: StreamInput): ByteStreamGenerator {
  if (input.position !== offset) throw new Failure("bug", "An entry of a stream was read twice");
  while (input.position < offset + size) {
    yield await input.some(offset + size - input.position);
  }
}

type ByteStreamGenerator = AsyncGenerator<Uint8Array>;

/** How an archive is read where readers disagree. */
export interface TarDialect {
  /**
   * Whether records for all entries are passed over, and so are the sizes of entries that have no content,
   * as engines do when they unpack layers. Absent: the former count, and the latter are refused.
   */
  readonly asEngines?: boolean;
}

/**
 * Walks over the entries of an archive, and passes over what is left of each one's content.
 *
 * Fails as `readTar` does. What follows the end of the archive is left in the input.
 */
export async function* tarEntries(
  input: TarInput,
  dialect: TarDialect = {},
): AsyncGenerator<TarEntry> {
  let globalRecords: TarRecords = new Map();
  for (;;) {
    const start = input.position;
    const found = await readHeaders(input, globalRecords, dialect);
    if (found === undefined) return;
    globalRecords = found.globalRecords;
    const entry = entryOf({ ...found, dialect }, start, input.position);
    yield entry;
    await input.skip(entry.offset + entry.size - input.position);
    // Padding that was not written has not been lost.
    await input.take(endOf(entry) - input.position);
  }
}

interface HeadersOfDialect extends Headers {
  readonly dialect: TarDialect;
}

/** The header of an entry, with everything that precedes and extends it. */
interface Headers {
  readonly header: TarHeader;
  readonly longName?: Uint8Array;
  readonly longLink?: Uint8Array;
  readonly records: TarRecords;
  readonly globalRecords: TarRecords;
}

async function readHeaders(
  input: TarInput,
  before: TarRecords,
  { asEngines = false }: TarDialect,
): Promise<Headers | undefined> {
  const global = new Map(before);
  const found: { longName?: Uint8Array; longLink?: Uint8Array; records?: TarRecords } = {};
  const once = (key: keyof typeof found): void => {
    if (found[key] !== undefined) throw corrupt("A tar entry has two extended headers of a kind");
  };
  let extended = 0;
  for (;;) {
    const block = await input.take(blockBytes);
    if (block.length === 0 || isZeroBlock(block)) {
      if (Object.keys(found).length > 0) throw corrupt("Tar archive ends after an extended header");
      if (block.length > 0) await readEnd(input);
      return undefined;
    }
    if (block.length < blockBytes) throw corrupt("Tar archive is cut off in a header");
    const header = parseTarHeader(block);
    const extension = extensions[header.typeFlag];
    if (extension === undefined) {
      await passHoles(input, header);
      return { ...found, header, records: found.records ?? new Map(), globalRecords: global };
    }
    extended += header.size;
    if (extended > limits.tarRecordsBytes) throw tooLong("extended header", limits.tarRecordsBytes);
    const content = await readExtension(input, header, extension);
    switch (extension) {
      case "records":
        once("records");
        found.records = parseTarRecords(content);
        break;
      case "global":
        if (!asEngines) addGlobal(global, parseTarRecords(content));
        break;
      case "longName":
      case "longLink":
        once(extension);
        found[extension] = untilNul(content);
        break;
    }
  }
}

type Extension = "records" | "global" | "longName" | "longLink";

const extensions: Readonly<Record<string, Extension>> = {
  x: "records",
  g: "global",
  L: "longName",
  K: "longLink",
};

async function readExtension(
  input: TarInput,
  { size }: TarHeader,
  extension: Extension,
): Promise<Uint8Array> {
  const isName = extension === "longName" || extension === "longLink";
  // The NUL that ends a name is counted.
  if (isName && size > limits.tarNameBytes + 1) throw tooLong("name", limits.tarNameBytes);
  const padded = Math.ceil(size / blockBytes) * blockBytes;
  const content = await input.take(padded);
  if (content.length < padded) throw corrupt("Tar archive is cut off in an extended header");
  return content.slice(0, size);
}

function addGlobal(global: Map<string, Uint8Array>, records: TarRecords): void {
  for (const [key, value] of records) {
    if (key === "path" || key === "linkpath" || key === "size") {
      throw corrupt(`Tar archive has one ${key} for all entries`);
    }
    global.set(key, value);
  }
  let held = 0;
  for (const [key, value] of global) held += key.length + value.length;
  if (held > limits.tarRecordsBytes) throw tooLong("extended header", limits.tarRecordsBytes);
}

/** The second block of zeros. Where the first one stands alone, some readers go on and others stop. */
async function readEnd(input: TarInput): Promise<void> {
  const block = await input.take(blockBytes);
  if (!isZeroBlock(block)) throw corrupt("Tar archive goes on after a block of zeros");
}

/** Old GNU archives tell of holes in blocks that no size counts. */
async function passHoles(input: TarInput, { moreHoles }: TarHeader): Promise<void> {
  for (let more = moreHoles; more;) {
    const block = await input.take(blockBytes);
    if (block.length < blockBytes) throw corrupt("Tar archive is cut off in a map of holes");
    more = block[504] !== 0;
  }
}

function entryOf(headers: HeadersOfDialect, start: number, offset: number): TarEntry {
  const { header, records, globalRecords } = headers;
  const nameBytes = one("name", headers.longName, bytesRecord(records, "path")) ?? header.name;
  const linkBytes = one("link", headers.longLink, bytesRecord(records, "linkpath")) ?? header.link;
  for (const each of [nameBytes, linkBytes]) {
    if (each.length > limits.tarNameBytes) throw tooLong("name", limits.tarNameBytes);
  }
  const kind = kindOf(header.typeFlag, nameBytes);
  const isLink = kind === "hard-link" || kind === "symbolic-link";
  const name = textOf(nameBytes);
  const owner = new Map([...globalRecords, ...records]);
  return {
    kind,
    nameBytes,
    name,
    linkBytes: isLink ? linkBytes : new Uint8Array(),
    link: isLink ? textOf(linkBytes) : "",
    start,
    offset,
    size: sizeOf(headers, kind, name),
    sparse: header.typeFlag === "S" || [...records.keys()].some((key) => sparseKey.test(key)),
    typeFlag: header.typeFlag,
    mode: header.mode,
    uid: numberRecord(owner, "uid") ?? header.uid,
    gid: numberRecord(owner, "gid") ?? header.gid,
    modifiedNs: timeRecord(owner, "mtime") ?? header.modifiedNs,
    userName: bytesRecord(owner, "uname") ?? header.userName,
    groupName: bytesRecord(owner, "gname") ?? header.groupName,
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    records,
    globalRecords,
  };
}

const sparseKey = /^(GNU\.sparse\.|SCHILY\.realsize)/;

/** What both formats say has to be said by both alike. */
function one(
  what: string,
  gnu: Uint8Array | undefined,
  pax: Uint8Array | undefined,
): Uint8Array | undefined {
  if (gnu !== undefined && pax !== undefined && Buffer.compare(gnu, pax) !== 0) {
    throw corrupt(`Tar entry has two ${what}s, ${quoted(gnu)} and ${quoted(pax)}`);
  }
  return gnu ?? pax;
}

const kinds: Readonly<Record<string, TarEntryKind>> = {
  "\0": "file",
  "0": "file",
  "1": "hard-link",
  "2": "symbolic-link",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
  "7": "file",
  S: "file",
};

function kindOf(typeFlag: string, name: Uint8Array): TarEntryKind {
  // The oldest archives have no other way to say so.
  if (typeFlag === "\0" && name.at(-1) === 0x2f) return "directory";
  return kinds[typeFlag] ?? "other";
}

/** Larger sizes do not fit into octal digits, and some programs then write anything there. */
const octalBytes = 8 ** 11;

function sizeOf(headers: HeadersOfDialect, kind: TarEntryKind, name: string): number {
  const { header, records, dialect } = headers;
  const hasContent = kind === "file" || kind === "other";
  if (!hasContent && dialect.asEngines === true) return 0;
  const stated = numberRecord(records, "size");
  if (stated !== undefined && stated < 0)
    throw corrupt(`Tar entry has the negative size ${stated}`);
  if (stated !== undefined && stated !== header.size && stated < octalBytes) {
    throw corrupt(
      `Tar entry ${quotedText(name)} has two sizes, ${header.size} and ${stated} bytes`,
    );
  }
  const size = stated ?? header.size;
  if (size > 0 && !hasContent) {
    throw corrupt(
      `Tar entry ${quotedText(name)} is a ${kind.replace("-", " ")}, but has ${size} bytes of content`,
    );
  }
  return size;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function quoted(bytes: Uint8Array): string {
  return quotedText(textOf(bytes));
}

function quotedText(text: string): string {
  return JSON.stringify(text.slice(0, limits.shownCharacters));
}

function tooLong(what: string, limitBytes: number): Failure {
  return corrupt(`Tar archive has a longer ${what} than ${limitBytes} bytes`);
}

function corrupt(what: string): Failure {
  return new Failure("corrupt", what);
}
