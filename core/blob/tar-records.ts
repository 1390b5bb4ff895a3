// Tar records: what a pax header says, beyond what fits into an ordinary one.

import { Failure } from "../failure.ts";

/** Values by key. They are bytes: names need not be text, and capabilities never are. */
export type TarRecords = ReadonlyMap<string, Uint8Array>;

const space = 0x20;
const newline = 0x0a;

/** Parses the content of a pax header. Fails with `corrupt` unless all of it is records. */
export function parseTarRecords(bytes: Uint8Array): TarRecords {
  const records = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length;) {
    const { key, value, end } = parseRecord(bytes, at);
    const earlier = records.get(key);
    // The last one counts, but not every reader knows that.
    if (decisive.has(key) && earlier !== undefined && Buffer.compare(earlier, value) !== 0) {
      throw fault(`contradicts itself about ${key}`);
    }
    records.set(key, value);
    at = end;
  }
  return records;
}

/** Records by which readers find their way. */
const decisive: ReadonlySet<string> = new Set(["path", "linkpath", "size"]);

interface ParsedRecord {
  readonly key: string;
  readonly value: Uint8Array;
  readonly end: number;
}

/** `LENGTH KEY=VALUE\n`, where the length counts all of it. */
function parseRecord(bytes: Uint8Array, at: number): ParsedRecord {
  const gap = bytes.indexOf(space, at);
  const digits = text(bytes.subarray(at, gap < 0 ? at : Math.min(gap, at + 20)));
  const end = at + (/^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0);
  if (gap < 0 || end <= gap + 1 || end > bytes.length || bytes[end - 1] !== newline) {
    throw fault("has a record of the wrong length");
  }
  const equals = bytes.indexOf(0x3d, gap);
  if (equals < 0 || equals === gap + 1 || equals >= end) throw fault("has a record without a key");
  const key = text(bytes.subarray(gap + 1, equals));
  const value = bytes.slice(equals + 1, end - 1);
  if (decisive.has(key) && value.includes(0)) throw fault(`has a NUL in ${key}`);
  return { key, value, end };
}

/** Returns the whole number of a record; undefined where it is absent or empty. */
export function numberRecord(records: TarRecords, key: string): number | undefined {
  const value = textRecord(records, key);
  if (value === undefined) return undefined;
  const number = /^-?[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw fault(`has an invalid ${key} ${JSON.stringify(value)}`);
  return number;
}

/** Returns the time of a record in nanoseconds since 1970; undefined where it is absent or empty. */
export function timeRecord(records: TarRecords, key: string): bigint | undefined {
  const value = textRecord(records, key);
  if (value === undefined) return undefined;
  const [, sign, seconds = "", fraction = ""] =
    /^(-?)([0-9]{1,18})(?:\.([0-9]*))?$/.exec(value) ?? [];
  if (seconds === "") throw fault(`has an invalid ${key} ${JSON.stringify(value)}`);
  const size = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
  return sign === "-" ? -size : size;
}

/** Returns the bytes of a record; undefined where it is absent or empty, which mean the same. */
export function bytesRecord(records: TarRecords, key: string): Uint8Array | undefined {
  const value = records.get(key);
  return value === undefined || value.length === 0 ? undefined : value;
}

function textRecord(records: TarRecords, key: string): string | undefined {
  const value = bytesRecord(records, key);
  return value === undefined ? undefined : text(value).slice(0, 100);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function fault(what: string): Failure {
  return new Failure("corrupt", `Extended tar header ${what}`);
}
