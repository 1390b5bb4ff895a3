// Literals: the values that flags take, in the spelling and with the complaints of Go.

import { Failure } from "../../core/failure.ts";
import { quoted } from "../output/quote.ts";

const yes = ["1", "t", "T", "TRUE", "true", "True"];
const no = ["0", "f", "F", "FALSE", "false", "False"];

/** Reads a boolean. Fails with `usage`, as all of these do. */
export function readToggle(text: string): boolean {
  if (yes.includes(text)) return true;
  if (no.includes(text)) return false;
  throw numberFault("ParseBool", text, "invalid syntax");
}

/** Reads a whole number of 64 bits: decimal, or with the prefix of another base. */
export function readInteger(text: string): number {
  const negative = text.startsWith("-");
  const digits = /^[+-]/.test(text) ? text.slice(1) : text;
  const magnitude = readMagnitude(digits);
  if (magnitude === undefined) throw numberFault("ParseInt", text, "invalid syntax");
  if (magnitude > 2n ** 63n - (negative ? 0n : 1n)) {
    throw numberFault("ParseInt", text, "value out of range");
  }
  return Number(negative ? -magnitude : magnitude);
}

/** Reads a decimal number, as the original reads those of a list. */
export function readDecimal(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text)) throw numberFault("Atoi", text, "invalid syntax");
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw numberFault("Atoi", text, "value out of range");
  return value;
}

/** Reads a whole number of 64 bits that has no sign. */
export function readUnsigned(text: string): number {
  const magnitude = readMagnitude(text);
  if (magnitude === undefined) throw numberFault("ParseUint", text, "invalid syntax");
  if (magnitude >= 2n ** 64n) throw numberFault("ParseUint", text, "value out of range");
  return Number(magnitude);
}

/** Underscores may stand between digits, and behind the prefix of a base. */
const magnitudes = [
  /^0[xX](_?[0-9a-fA-F])+$/,
  /^0[bB](_?[01])+$/,
  /^0[oO](_?[0-7])+$/,
  /^0(_?[0-7])*$/,
  /^[1-9](_?[0-9])*$/,
];

function readMagnitude(text: string): bigint | undefined {
  if (!magnitudes.some((form) => form.test(text))) return undefined;
  const digits = text.replaceAll("_", "");
  return BigInt(/^0[0-9]/.test(digits) ? `0o${digits.slice(1)}` : digits);
}

/** Nanoseconds in each unit of time. */
const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Reads a span of time such as `1h30m` or `300ms`, and returns milliseconds. */
export function readDuration(text: string): number {
  const unsigned = /^[+-]/.test(text) ? text.slice(1) : text;
  if (unsigned === "0") return 0;
  let rest = unsigned;
  let nanoseconds = 0;
  if (rest === "") throw durationFault(text);
  while (rest !== "") {
    const number = /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)/.exec(rest)?.[0];
    if (number === undefined) throw durationFault(text);
    rest = rest.slice(number.length);
    const unit = /^[^0-9.]*/.exec(rest)?.[0] ?? "";
    if (unit === "") throw fault(`time: missing unit in duration ${quoted(text)}`);
    const length = Object.hasOwn(units, unit) ? units[unit] : undefined;
    if (length === undefined) {
      throw fault(`time: unknown unit ${quoted(unit)} in duration ${quoted(text)}`);
    }
    nanoseconds += Number(number) * length;
    // The original counts in 64 bits.
    if (nanoseconds >= 2 ** 63) throw durationFault(text);
    rest = rest.slice(unit.length);
  }
  return (text.startsWith("-") ? -nanoseconds : nanoseconds) / 1e6;
}

/** Bytes in each unit of size. A single letter means what servers' configuration files mean by it. */
const sizes: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
};

/** Reads a size such as `10M` or `512KiB`, and returns bytes: at least one. */
export function readSize(text: string): number {
  const [, number = "", unit = ""] = /^([0-9]{1,15})([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(sizes, unit.toLowerCase()) ? sizes[unit.toLowerCase()] : undefined;
  const bytes = Number(number) * (factor ?? 0);
  if (number !== "" && bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw fault(
    `invalid size ${quoted(text)}: write a number of bytes, or one with k, M or G behind it`,
  );
}

/** Reads one record of comma-separated values, where quotes may enclose commas and, doubled, quotes. */
export function readRecord(text: string): readonly string[] {
  if (text === "") return [];
  const fields: string[] = [];
  // Empty lines come before the record, and what follows it is not looked at.
  let at = /^[\r\n]*/.exec(text)?.[0].length ?? 0;
  if (at === text.length) throw fault("EOF");
  for (;;) {
    const field = text[at] === '"' ? readQuotedField(text, at) : readBareField(text, at);
    fields.push(field.value);
    at = field.end;
    if (text[at] !== ",") return fields;
    at++;
  }
}

interface Field {
  readonly value: string;
  /** Where the comma or the end of the record stands. */
  readonly end: number;
}

function readBareField(text: string, start: number): Field {
  const value = /^[^,\r\n]*/.exec(text.slice(start))?.[0] ?? "";
  const quote = value.indexOf('"');
  if (quote >= 0) throw recordFault(text, start + quote, 'bare " in non-quoted-field');
  return { value, end: start + value.length };
}

function readQuotedField(text: string, start: number): Field {
  const found = /^"((?:[^"]|"")*)"/.exec(text.slice(start));
  if (found === null)
    throw recordFault(text, text.length, 'extraneous or missing " in quoted-field');
  const end = start + found[0].length;
  if (end < text.length && !/[,\r\n]/.test(text[end] ?? "")) {
    throw recordFault(text, end - 1, 'extraneous or missing " in quoted-field');
  }
  return { value: (found[1] ?? "").replaceAll('""', '"'), end };
}

function recordFault(text: string, at: number, what: string): Failure {
  const before = text.slice(0, at).split("\n");
  const column = Buffer.byteLength(before.at(-1) ?? "") + 1;
  return fault(`parse error on line ${before.length}, column ${column}: ${what}`);
}

function numberFault(reader: string, text: string, what: string): Failure {
  return fault(`strconv.${reader}: parsing ${quoted(text)}: ${what}`);
}

function durationFault(text: string): Failure {
  return fault(`time: invalid duration ${quoted(text)}`);
}

function fault(message: string): Failure {
  return new Failure("usage", message);
}
