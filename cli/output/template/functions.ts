// Functions: what a template can call by name.

import { encodeCompact } from "../json.ts";
import { equalsAny, isLess } from "./comparison.ts";
import { escapeHtml, escapeQuery, escapeScript } from "./escape.ts";
import { bytesOf, characterOf, mapText, textOf } from "./go-text.ts";
import {
  anyType,
  byteType,
  type GoFunction,
  type GoType,
  type GoValue,
  intType,
  stringsType,
  stringType,
} from "./go-type.ts";
import {
  boolValue,
  indirect,
  integerValue,
  isTruth,
  stringsValue,
  stringValue,
  templateFailure,
  unwrapped,
  zeroOf,
} from "./go-value.ts";
import { jsonOf } from "./go-json.ts";
import { printAll, printFormatted, printValue } from "./printf.ts";

type Given = GoValue | undefined;

/** All functions by name: those of Go's templates, and those that the original adds to them. */
export const functions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ["and", { ...variadic([anyType], anyType, (first) => first), settledBy: false }],
  ["or", { ...variadic([anyType], anyType, (first) => first), settledBy: true }],
  ["not", fixed([anyType], (value) => boolValue(!isTruth(value)))],
  ["eq", variadic([anyType], anyType, (value, ...others) => boolValue(equalsAny(value, others)))],
  ["ne", fixed([anyType, anyType], (a, b) => boolValue(!equalsAny(a, [b])))],
  ["lt", fixed([anyType, anyType], (a, b) => boolValue(isLess(a, b)))],
  ["le", fixed([anyType, anyType], (a, b) => boolValue(isLess(a, b) || equalsAny(a, [b])))],
  ["gt", fixed([anyType, anyType], (a, b) => boolValue(!isLess(a, b) && !equalsAny(a, [b])))],
  ["ge", fixed([anyType, anyType], (a, b) => boolValue(!isLess(a, b)))],
  ["index", variadic([anyType], anyType, index)],
  ["slice", variadic([anyType], anyType, slice)],
  ["len", fixed([anyType], length)],
  ["call", variadic([anyType], anyType, call)],
  ["print", variadic([], anyType, (...values) => stringValue(printAll(values)))],
  ["println", variadic([], anyType, (...values) => stringValue(printLine(values)))],
  [
    "printf",
    variadic([stringType], anyType, (pattern, ...values) =>
      stringValue(printFormatted(textIn(pattern), values)),
    ),
  ],
  ["html", variadic([], anyType, (...values) => stringValue(escapeHtml(plainText(values))))],
  ["js", variadic([], anyType, (...values) => stringValue(escapeScript(plainText(values))))],
  ["urlquery", variadic([], anyType, (...values) => stringValue(escapeQuery(plainText(values))))],

  [
    "join",
    fixed([stringsType, stringType], (list, separator) =>
      stringValue(textsIn(list).join(textIn(separator))),
    ),
  ],
  [
    "split",
    fixed([stringType, stringType], (text, separator) =>
      stringsValue(split(textIn(text), textIn(separator))),
    ),
  ],
  ["json", fixed([anyType], (value) => stringValue(encodeCompact(jsonOf(value))))],
  ["lower", fixed([stringType], (text) => stringValue(mapText(textIn(text), lowerCase)))],
  ["upper", fixed([stringType], (text) => stringValue(mapText(textIn(text), upperCase)))],
  ["title", fixed([stringType], (text) => stringValue(title(textIn(text))))],
  [
    "truncate",
    fixed([stringType, intType], (text, length) =>
      stringValue(truncate(textIn(text), integerIn(length))),
    ),
  ],
  [
    "pad",
    fixed([stringType, intType, intType], (text, before, after) =>
      stringValue(pad(textIn(text), integerIn(before), integerIn(after))),
    ),
  ],
]);

function fixed(parameters: readonly GoType[], call: (...given: Given[]) => Given): GoFunction {
  return { parameters, call };
}

function variadic(
  parameters: readonly GoType[],
  rest: GoType,
  call: (...given: Given[]) => Given,
): GoFunction {
  return { parameters, variadic: rest, call };
}

function textIn(value: Given): string {
  return value?.kind === "string" ? value.value : "";
}

function textsIn(value: Given): readonly string[] {
  return value?.kind === "slice" ? (value.items ?? []).map(textIn) : [];
}

function integerIn(value: Given): number {
  return value?.kind === "integer" ? Number(value.value) : 0;
}

function index(item: Given, ...keys: readonly Given[]): Given {
  let held = unwrapped(item);
  if (held === undefined) throw templateFailure("index of untyped nil");
  for (const key of keys) held = unwrapped(itemAt(held, unwrapped(key)));
  return held;
}

function itemAt(item: GoValue | undefined, key: Given): Given {
  const held = indirect(item);
  switch (held?.kind) {
    case "slice":
      return held.items?.[position(key, held.items.length - 1)] ?? outOfRange(key);
    case "string": {
      const bytes = bytesOf(held.value);
      return integerValue(bytes[position(key, bytes.length - 1)] ?? 0, byteType);
    }
    case "map":
      return held.entries?.get(mapKey(key)) ?? zeroOf(held.type.element);
    case "pointer":
      throw templateFailure("index of nil pointer");
    default:
      throw templateFailure(`can't index item of type ${held?.type.name ?? ""}`);
  }
}

function mapKey(key: Given): string {
  if (key?.kind === "string" && key.type.name === "string") return key.value;
  if (key === undefined) throw templateFailure("value is nil; should be of type string");
  throw templateFailure(`value has type ${key.type.name}; should be string`);
}

/** Returns a key as a position that is at most `last`. */
function position(key: Given, last: number): number {
  if (key === undefined) throw templateFailure("cannot index slice/array with nil");
  if (key.kind !== "integer") {
    throw templateFailure(`cannot index slice/array with type ${key.type.name}`);
  }
  if (key.value < 0n || key.value > BigInt(last)) return outOfRange(key);
  return Number(key.value);
}

function outOfRange(key: Given): never {
  throw templateFailure(`index out of range: ${printValue(key)}`);
}

function slice(item: Given, ...bounds: readonly Given[]): Given {
  const held = unwrapped(item);
  if (held === undefined) throw templateFailure("slice of untyped nil");
  if (bounds.length > 3) throw templateFailure(`too many slice indexes: ${bounds.length}`);
  switch (held.kind) {
    case "string": {
      if (bounds.length === 3) throw templateFailure("cannot 3-index slice a string");
      const bytes = bytesOf(held.value);
      return { ...held, value: textOf(bytes.subarray(...range(bounds, bytes.length))) };
    }
    case "slice": {
      const items = held.items ?? [];
      return { ...held, items: items.slice(...range(bounds, items.length)) };
    }
    default:
      throw templateFailure(`can't slice item of type ${held.type.name}`);
  }
}

function range(bounds: readonly Given[], length: number): [number, number] {
  const positions = bounds.map((bound) => position(unwrapped(bound), length));
  const [start = 0, end = length, capacity = Infinity] = positions;
  const invalid = start > end ? [start, end] : end > capacity ? [end, capacity] : undefined;
  if (invalid !== undefined) throw templateFailure(`invalid slice index: ${invalid.join(" > ")}`);
  return [start, end];
}

function length(item: Given): GoValue {
  const held = indirect(item);
  if (held === undefined) throw templateFailure("len of untyped nil");
  switch (held.kind) {
    case "string":
      return integerValue(bytesOf(held.value).length);
    case "slice":
      return integerValue(held.items?.length ?? 0);
    case "map":
      return integerValue(held.entries?.size ?? 0);
    case "pointer":
      throw templateFailure("len of nil pointer");
    default:
      throw templateFailure(`len of type ${held.type.name}`);
  }
}

/** No value of an image is a function. */
function call(item: Given): never {
  if (item === undefined) throw templateFailure("call of nil");
  throw templateFailure(`non-function of type ${item.type.name}`);
}

function printLine(values: readonly Given[]): string {
  return `${values.map(printValue).join(" ")}\n`;
}

/** What is escaped for another language: what `print` gives, but pointers are followed. */
function plainText(values: readonly Given[]): string {
  return printAll(values.map((value) => indirect(value) ?? stringValue("<no value>")));
}

function split(text: string, separator: string): readonly string[] {
  return separator === "" ? [...text] : text.split(separator);
}

/** Of ASCII all but letters, digits and underscores separate words, and of the rest only blanks do. */
const wordStart = /(?<=^|[^\w\u0080-\u{10ffff}]|\p{White_Space})./gsu;

function title(text: string): string {
  return whole(text).replace(wordStart, upperCase);
}

function truncate(text: string, length: number): string {
  if (length < 0) throw templateFailure(`slice bounds out of range [:${length}]`);
  const bytes = bytesOf(text);
  return bytes.length < length ? text : textOf(bytes.subarray(0, length));
}

/** More blanks than anybody wants to look at. */
const maximumBlanks = 1_000_000;

function pad(text: string, before: number, after: number): string {
  if (text === "") return text;
  if (before < 0 || after < 0) throw templateFailure("strings: negative Repeat count");
  if (before + after > maximumBlanks) throw templateFailure("strings: result too long");
  return " ".repeat(before) + text + " ".repeat(after);
}

/** Returns the first of the characters that a capital becomes: Go knows only of one. */
function lowerCase(character: string): string {
  return characterOf(character.toLowerCase().codePointAt(0) ?? 0);
}

/** Letter case is a matter of single characters here, so "ß" has no upper one. */
function upperCase(character: string): string {
  const upper = character.toUpperCase();
  return [...upper].length === 1 ? upper : character;
}

/** Replaces what is no character by the sign for that. */
function whole(text: string): string {
  return text.toWellFormed();
}
