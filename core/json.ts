// JSON: two readers for what comes from outside, and a writer that spells as Go does.
//
// The runtime's own reader takes the last of repeated keys silently and recurses without a limit; its
// writer escapes less than the original's, and digests depend on every byte.

import { Failure } from "./failure.ts";
import { limits } from "./limits.ts";

/**
 * What JSON text means.
 *
 * A number that is not exact, because the text has an integer beyond 2^53, fails `Number.isSafeInteger`.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** The members of an object as plain data: it inherits nothing, and any name is a name like another. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Tells whether `value` is an object, and neither null nor an array. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses JSON that has to have one meaning, such as a policy, a manifest or a signed payload.
 *
 * Fails with `corrupt` on what any reader refuses, and beyond that on a repeated key (`Duplicate key
 * "x"`), on bytes that are not UTF-8, and on anything behind the value (`Unexpected data after JSON
 * object`).
 */
export function parseStrictJson(input: string | Uint8Array): Json {
  return new Reader(decode(input, true), "strict").document();
}

/**
 * Parses JSON that strangers wrote and nobody decides by, such as an image's config.
 *
 * Of repeated keys the last counts, and bytes that are not UTF-8 become U+FFFD. Fails with `corrupt` on
 * anything else that is not one JSON value. Read its members with `memberOf`.
 */
export function parseForeignJson(input: string | Uint8Array): Json {
  return new Reader(decode(input, false), "lenient").document();
}

/**
 * Returns the member that Go's reader would take for `name`: letter case does not matter, the last one
 * counts, and null is the same as none.
 */
export function memberOf(object: JsonObject, name: string): Json | undefined {
  const folded = foldName(name);
  let found: Json | undefined;
  for (const [key, value] of Object.entries(object)) {
    if (value !== null && (key === name || foldName(key) === folded)) found = value;
  }
  return found;
}

/** Returns a member name such that two names are equal exactly if Go's reader takes them for the same. */
export function foldName(name: string): string {
  // The long s is the one letter that Unicode's simple folding joins to ASCII and lower case does not.
  return name.toLowerCase().replaceAll("\u017f", "s");
}

/**
 * Writes a value as Go's encoding/json does, byte for byte: on one line or, with `indent`, on several.
 *
 * Objects are like Go's structs: members stand in the order given, and undefined ones are left out. A Map
 * is like Go's maps: its keys are sorted.
 */
export function encodeJson(value: unknown, indent = ""): string {
  return write(value, indent, "");
}

/** Writes a value on one line, as the bytes that its digest is computed from. */
export function encodeJsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(encodeJson(value));
}

/** Returns JSON text with those characters escaped that Go's writer also escapes, for the sake of HTML. */
export function escapeForHtml(json: string): string {
  return json.replace(escapedForHtml, escapeUnit);
}

/** Returns the entries of a record as a Map, so that it is written like one of Go's maps. */
export function goMap<T>(record: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(record));
}

function decode(input: string | Uint8Array, fatal: boolean): string {
  if (typeof input === "string") return input;
  try {
    // A byte order mark is no blank: every reader of JSON that we compare with refuses it.
    return new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(input);
  } catch (error) {
    throw new Failure("corrupt", "invalid UTF-8 in JSON text", { cause: error });
  }
}

const blanks = /[ \t\r\n]*/y;
const plainText = /[^"\\\u0000-\u001f]*/y;
const numeral = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const fourHexDigits = /[0-9a-fA-F]{4}/y;

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** Reads one document from its start to its end. */
class Reader {
  readonly #text: string;
  readonly #mode: "strict" | "lenient";
  #at = 0;
  #depth = 0;

  constructor(text: string, mode: "strict" | "lenient") {
    this.#text = text;
    this.#mode = mode;
  }

  document(): Json {
    this.#take(blanks);
    const value = this.#value();
    this.#take(blanks);
    if (this.#at < this.#text.length) {
      if (this.#mode === "lenient") throw this.#unexpected("after top-level value");
      throw new Failure("corrupt", "Unexpected data after JSON object");
    }
    return value;
  }

  #value(): Json {
    switch (this.#text[this.#at]) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case "t":
        return this.#literal("true", true);
      case "f":
        return this.#literal("false", false);
      case "n":
        return this.#literal("null", null);
      default:
        return this.#number();
    }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > limits.jsonDepth) {
      throw new Failure("corrupt", `JSON is nested more than ${limits.jsonDepth} deep`);
    }
    this.#at++;
    this.#take(blanks);
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): JsonObject {
    // Without a prototype there is no `__proto__` to assign to.
    const members: Record<string, Json> = Object.create(null);
    if (this.#skip("}")) return members;
    do {
      this.#take(blanks);
      if (this.#text[this.#at] !== '"') {
        throw this.#unexpected("looking for beginning of object key string");
      }
      const name = this.#string();
      if (name in members) {
        if (this.#mode === "strict") {
          throw new Failure("corrupt", `Duplicate key ${encodeJson(name)}`);
        }
        // So that the member also comes last, where other spellings of its name stand between.
        delete members[name];
      }
      this.#take(blanks);
      if (!this.#skip(":")) throw this.#unexpected("after object key");
      this.#take(blanks);
      members[name] = this.#value();
      this.#take(blanks);
    } while (this.#skip(","));
    if (!this.#skip("}")) throw this.#unexpected("after object key:value pair");
    return members;
  }

  #array(): readonly Json[] {
    const items: Json[] = [];
    if (this.#skip("]")) return items;
    do {
      this.#take(blanks);
      items.push(this.#value());
      this.#take(blanks);
    } while (this.#skip(","));
    if (!this.#skip("]")) throw this.#unexpected("after array element");
    return items;
  }

  #string(): string {
    this.#at++;
    let text = this.#take(plainText);
    if (this.#skip('"')) return text;
    while (!this.#skip('"')) {
      text += this.#skip("\\") ? this.#escape() : this.#take(plainText);
      const next = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(next) || next < 0x20) throw this.#unexpected("in string literal");
    }
    // An escaped half of a pair stands for nothing.
    return text.toWellFormed();
  }

  #escape(): string {
    const letter = this.#text[this.#at] ?? "";
    const short = shortEscapes.get(letter);
    if (short === undefined && letter !== "u") throw this.#unexpected("in string escape code");
    this.#at++;
    if (short !== undefined) return short;
    const digits = this.#take(fourHexDigits);
    if (digits === "") {
      this.#take(/[0-9a-fA-F]{0,3}/y);
      throw this.#unexpected("in \\u hexadecimal character escape");
    }
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): number {
    const digits = this.#take(numeral);
    if (digits !== "") return Number(digits);
    if (this.#skip("-")) throw this.#unexpected("in numeric literal");
    throw this.#unexpected("looking for beginning of value");
  }

  #literal<T>(word: string, value: T): T {
    for (const letter of word) {
      if (!this.#skip(letter)) {
        throw this.#unexpected(`in literal ${word} (expecting '${letter}')`);
      }
    }
    return value;
  }

  /** Returns what a sticky expression matches here, perhaps nothing, and moves behind it. */
  #take(expression: RegExp): string {
    expression.lastIndex = this.#at;
    const taken = expression.exec(this.#text)?.[0] ?? "";
    this.#at += taken.length;
    return taken;
  }

  #skip(character: string): boolean {
    const found = this.#text[this.#at] === character;
    if (found) this.#at++;
    return found;
  }

  /** Words of Go's reader, which messages of the original end with. */
  #unexpected(where: string): Failure {
    const point = this.#text.codePointAt(this.#at);
    if (point === undefined) return new Failure("corrupt", "unexpected end of JSON input");
    const character = String.fromCodePoint(point);
    const quoted = character === '"' ? character : JSON.stringify(character).slice(1, -1);
    return new Failure("corrupt", `invalid character '${quoted}' ${where}`);
  }
}

function write(value: unknown, indent: string, margin: string): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return writeString(value);
  if (typeof value === "bigint" || Number.isFinite(value)) return String(value);
  const inner = margin + indent;
  if (Array.isArray(value)) {
    const items = value.map((item) => write(item, indent, inner));
    return bracketed("[]", items, indent, margin);
  }
  if (typeof value === "object") {
    const colon = indent === "" ? ":" : ": ";
    const members = membersOf(value).map(
      ([name, member]) => writeString(name) + colon + write(member, indent, inner),
    );
    return bracketed("{}", members, indent, margin);
  }
  throw new Failure("bug", `A value of type ${typeof value} was to be written as JSON`);
}

function membersOf(object: object): (readonly [string, unknown])[] {
  if (!(object instanceof Map)) {
    return Object.entries(object).filter(([, member]) => member !== undefined);
  }
  return [...object.entries()]
    .map(([name, member]) => [String(name), member] as const)
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function bracketed(brackets: string, parts: string[], indent: string, margin: string): string {
  const [open, close] = brackets;
  if (parts.length === 0) return brackets;
  if (indent === "") return `${open}${parts.join(",")}${close}`;
  const line = `\n${margin}${indent}`;
  return `${open}${line}${parts.join(`,${line}`)}\n${margin}${close}`;
}

const halfPair = /\p{Surrogate}/u;
const escapedForHtml = /[<>&\u2028\u2029]/g;

function writeString(text: string): string {
  const inner = text
    .split(halfPair)
    .map((part) => JSON.stringify(part).slice(1, -1))
    .join("\\ufffd");
  return `"${escapeForHtml(inner)}"`;
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
