// Strict reading: JSON documents in which nothing may be unknown, missing or of another type.

import { Failure } from "../failure.ts";
import { isJsonObject, type Json, parseStrictJson } from "../json.ts";

/** A JSON value together with where it stands in its document, such as `default[0].keyPath`. */
export interface Placed {
  readonly value: Json;
  /** Empty for the whole document. */
  readonly at: string;
}

/** The members of one object by name. */
export type Members = ReadonlyMap<string, Placed>;

/** Parses a whole document. Fails with `config`, also if a key is repeated in any object. */
export function parseDocument(bytes: Uint8Array): Placed {
  try {
    return { value: parseStrictJson(bytes), at: "" };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure("config", error.message, { cause: error });
  }
}

/**
 * Returns the members of an object, under whatever names.
 *
 * Fails with `config` on anything but an object. `membersOf` says which names may occur, too.
 */
export function entriesOf(object: Placed): Members {
  const { value, at } = object;
  if (!isJsonObject(value)) throw wrong(object, `JSON object expected, got ${kindOf(value)}`);
  return new Map(
    Object.entries(value).map(([name, member]) => [name, { value: member, at: below(at, name) }]),
  );
}

/** Returns the members of an object. Fails with `config` if it has one that is not in `known`. */
export function membersOf(object: Placed, known: readonly string[]): Members {
  const members = entriesOf(object);
  for (const [name, member] of members) {
    if (!known.includes(name)) throw unknownKey(member, name);
  }
  return members;
}

/** Returns a member that has to be there. Fails with `config` if it is not. */
export function needed(object: Placed, members: Members, name: string): Placed {
  const member = members.get(name);
  if (member === undefined) throw wrong(object, `Key ${quoted(name)} missing in a JSON object`);
  return member;
}

/** Returns the `type` that an object says it is of; empty if it says nothing. */
export function typeOf(object: Placed): string {
  const type = entriesOf(object).get("type");
  return type === undefined || type.value === null ? "" : textOf(type);
}

/** Returns a text. Fails with `config` on anything else. */
export function textOf(placed: Placed): string {
  if (typeof placed.value === "string") return placed.value;
  throw wrong(placed, `JSON string expected, got ${kindOf(placed.value)}`);
}

/** Returns the text of a member, or undefined if it is not there or empty. Fails with `config`. */
export function textIn(members: Members, name: string): string | undefined {
  const member = members.get(name);
  return member === undefined ? undefined : textOf(member) || undefined;
}

/** Returns the items of an array. Fails with `config` on anything else. */
export function itemsOf(placed: Placed): readonly Placed[] {
  const { value, at } = placed;
  if (!Array.isArray(value)) throw wrong(placed, `JSON array expected, got ${kindOf(value)}`);
  return value.map((item: Json, index) => ({ value: item, at: `${at}[${index}]` }));
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Returns the bytes that a text stands for in padded base64. Fails with `config` on anything else. */
export function bytesOf(placed: Placed): Uint8Array {
  const text = textOf(placed).replace(/[\r\n]/g, "");
  if (!base64.test(text)) throw wrong(placed, "illegal base64 data");
  return Buffer.from(text, "base64");
}

/** Returns the failure of a document that is wrong at this place. */
export function wrong({ at }: Placed, message: string, cause?: unknown): Failure {
  return new Failure("config", message, { hint: at === "" ? undefined : `look at ${at}`, cause });
}

/** Returns the failure of an object that has a member it may not have. */
export function unknownKey(member: Placed, name: string, cause?: unknown): Failure {
  return wrong(member, `Unknown key ${quoted(name)}`, cause);
}

/** Returns text from a document as it may stand in a message. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

function below(at: string, name: string): string {
  if (!/^[A-Za-z]\w*$/.test(name)) return `${at}[${quoted(name)}]`;
  return at === "" ? name : `${at}.${name}`;
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
