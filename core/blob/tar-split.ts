// Tar-split: what an archive holds besides the content of its files, so that it can be built again.
//
// One JSON object a line, in the order of the archive: raw bytes, or "here stands the content of that
// file". Stores of images keep it beside a layer's files, and zstd:chunked layers carry it.

import { Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import { limits } from "../limits.ts";
import type { ByteStream } from "./stream.ts";

/** A part of an archive. */
export type TarSplitRecord =
  | { readonly kind: "raw"; readonly bytes: Uint8Array }
  | {
      readonly kind: "file";
      /** As its header has it: not cleaned, and perhaps no text. */
      readonly name: Uint8Array;
      /** 0 for whatever has no content. */
      readonly size: number;
      /** As `Crc64` computes it; absent where there is no content. */
      readonly checksum?: Uint8Array;
    };

/** So much raw archive is in one line, at most. */
const rawBytes = 1024 * 1024;

/** Lines are handed on when there are so many bytes of them. */
const batchBytes = 256 * 1024;

/**
 * Encodes what is recorded of an archive while it passes, as lines.
 *
 * Bytes are given out in batches by `take`, so that whoever records need not wait for whoever writes.
 */
export class TarSplitEncoder {
  #position = 0;
  readonly #names = new Set<string>();
  #nameBytes = 0;
  #raw: Uint8Array[] = [];
  #rawBytes = 0;
  #lines: string[] = [];
  #lineBytes = 0;

  /** Records bytes of the archive: headers, padding, or content that nobody keeps. */
  raw(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + rawBytes - this.#rawBytes);
      this.#raw.push(part);
      this.#rawBytes += part.length;
      at += part.length;
      if (this.#rawBytes === rawBytes) this.#endRaw();
    }
  }

  /**
   * Records an entry, behind the bytes of its headers. `content` is absent if it has none, or none that
   * is kept.
   *
   * Fails with `unsupported` if an entry of the same path was recorded: nobody could tell them apart.
   */
  file(name: Uint8Array, content?: { readonly size: number; readonly checksum: Uint8Array }): void {
    this.#addName(name);
    this.#endRaw();
    const stated = content === undefined || content.size === 0 ? undefined : content;
    const text = textOf(name);
    this.#line({
      type: 1,
      ...(text === undefined ? { name_raw: base64(name) } : text === "" ? {} : { name: text }),
      ...(stated === undefined ? {} : { size: stated.size }),
      payload: stated === undefined ? null : base64(stated.checksum),
    });
  }

  /** Returns encoded lines, if there are enough of them to be worth it or, with `all`, whatever there is. */
  take(all: "all" | "enough"): Uint8Array<ArrayBuffer> | undefined {
    if (all === "all") this.#endRaw();
    if (this.#lineBytes < (all === "all" ? 1 : batchBytes)) return undefined;
    const bytes = new TextEncoder().encode(this.#lines.join(""));
    this.#lines = [];
    this.#lineBytes = 0;
    return bytes;
  }

  #addName(name: Uint8Array): void {
    const path = cleanPath(name);
    if (this.#names.has(path)) {
      throw new Failure("unsupported", `duplicates of file paths not supported: ${quoted(path)}`);
    }
    this.#names.add(path);
    this.#nameBytes += path.length;
    if (this.#names.size > limits.layerEntries || this.#nameBytes > limits.layerNamesBytes) {
      throw new Failure("unsupported", `Layer has more than ${limits.layerEntries} entries`);
    }
  }

  #endRaw(): void {
    if (this.#rawBytes === 0) return;
    this.#line({ type: 2, payload: Buffer.concat(this.#raw).toString("base64") });
    this.#raw = [];
    this.#rawBytes = 0;
  }

  #line(record: object): void {
    const line = `${JSON.stringify({ ...record, position: this.#position })}\n`;
    this.#position += 1;
    this.#lines.push(line);
    this.#lineBytes += line.length;
  }
}

/**
 * Returns the path of an entry without what means nothing: `.`, `..` behind a name, doubled slashes, and
 * those at the ends. Bytes are one character each, as in Latin-1; the root is the empty path.
 */
export function cleanPath(name: Uint8Array): string {
  const kept: string[] = [];
  for (const part of latin(name).split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== ".." || kept.length === 0 || kept.at(-1) === "..") kept.push(part);
    else kept.pop();
  }
  return kept.join("/");
}

/** Parses the lines of a tar-split, uncompressed. Fails with `corrupt`. */
export async function* parseTarSplit(bytes: ByteStream): AsyncGenerator<TarSplitRecord> {
  let position = 0;
  for await (const line of lines(bytes)) {
    const { record, position: stated } = parseLine(line);
    if (stated !== position) throw corrupt(`has record ${stated} in the place of ${position}`);
    position += 1;
    yield record;
  }
}

async function* lines(bytes: ByteStream): AsyncGenerator<string> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const chunk of bytes) {
    let at = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, at)) {
      rest.push(chunk.subarray(at, end));
      const line = Buffer.concat(rest).toString("utf8");
      if (line !== "") yield line;
      rest = [];
      restBytes = 0;
      at = end + 1;
    }
    if (at === chunk.length) continue;
    rest.push(chunk.subarray(at));
    restBytes += chunk.length - at;
    if (restBytes > limits.tarSplitLineBytes) {
      throw corrupt(`has a longer line than ${limits.tarSplitLineBytes} bytes`);
    }
  }
  const last = Buffer.concat(rest).toString("utf8");
  if (last !== "") yield last;
}

const newline = 0x0a;

/** A line as it stands there, believed by nobody. */
interface Line {
  readonly type?: unknown;
  readonly name?: unknown;
  readonly name_raw?: unknown;
  readonly size?: unknown;
  readonly payload?: unknown;
  readonly position?: unknown;
}

function parseLine(text: string): { readonly record: TarSplitRecord; readonly position: unknown } {
  const line = parseObject(text);
  const { type, name = "", name_raw: raw, size = 0, payload, position } = line;
  const content = typeof payload === "string" ? Buffer.from(payload, "base64") : undefined;
  if (type === 2) return { record: { kind: "raw", bytes: content ?? new Uint8Array() }, position };
  if (type !== 1) throw corrupt(`has a record of type ${quoted(String(type))}`);
  if (typeof name !== "string" || (raw !== undefined && typeof raw !== "string")) {
    throw corrupt("has a file without a name");
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw corrupt(`has a file of size ${quoted(String(size))}`);
  }
  if (size > 0 && content?.length !== 8) throw corrupt("has a file without a checksum");
  const bytes = typeof raw === "string" ? Buffer.from(raw, "base64") : Buffer.from(name, "utf8");
  const checksum = size === 0 || content === undefined ? {} : { checksum: content };
  return { record: { kind: "file", name: bytes, size, ...checksum }, position };
}

function parseObject(text: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure("corrupt", `Tar-split has a line that is not JSON`, { cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw corrupt("has a line that is not an object");
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns bytes as text; undefined if they are none. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

function corrupt(what: string): Failure {
  return new Failure("corrupt", `Tar-split ${what}`);
}
