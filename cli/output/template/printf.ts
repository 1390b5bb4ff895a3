// Printf: values as text, after Go's fmt.
//
// See https://pkg.go.dev/fmt. What cannot be printed as asked becomes part of the text (`%!d(string=x)`).

import { bytesOf, characterOf, quoteCharacter, quoteText } from "./go-text.ts";
import type { GoValue } from "./go-type.ts";
import { methodOf, unwrapped } from "./go-value.ts";
import { formatFloat } from "./number.ts";
import { readVerb, type Verb } from "./verb.ts";

/** An argument; undefined is an untyped nil. */
export type Argument = GoValue | undefined;

const plainVerb: Verb = {
  letter: "v",
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
};

/** Returns a value as `%v` prints it. */
export function printValue(value: Argument): string {
  return formatValue(value, plainVerb);
}

/** Returns values as Go's Print does: with blanks between those that are no strings. */
export function printAll(values: readonly Argument[]): string {
  const isText = (value: Argument): boolean => unwrapped(value)?.kind === "string";
  return values
    .map((value, index) => {
      const joined = index === 0 || isText(value) || isText(values[index - 1]);
      return (joined ? "" : " ") + printValue(value);
    })
    .join("");
}

/** Returns `pattern` with its verbs replaced by the values. */
export function printFormatted(pattern: string, values: readonly Argument[]): string {
  let text = "";
  let at = 0;
  let next = 0;
  let reordered = false;
  while (at < pattern.length) {
    const percent = pattern.indexOf("%", at);
    if (percent < 0) return text + pattern.slice(at) + surplus(values, reordered ? Infinity : next);
    text += pattern.slice(at, percent);
    const read = readVerb(pattern, percent + 1, { values, next });
    at = read.end;
    next = read.next;
    reordered = read.reordered;
    text += read.fault ?? "";
    const { verb } = read;
    if (verb === undefined) continue;
    if (verb.letter === "%") text += "%";
    else if (read.badIndex) text += `%!${verb.letter}(BADINDEX)`;
    else if (next >= values.length) text += `%!${verb.letter}(MISSING)`;
    else text += formatValue(values[next++], verb);
  }
  return text + surplus(values, reordered ? Infinity : next);
}

function surplus(values: readonly Argument[], from: number): string {
  if (from >= values.length) return "";
  const shown = values
    .slice(from)
    .map((value) => (value === undefined ? "<nil>" : `${typeName(value)}=${printValue(value)}`));
  return `%!(EXTRA ${shown.join(", ")})`;
}

/** Returns a value as a verb prints it. */
export function formatValue(argument: Argument, verb: Verb): string {
  const value = unwrapped(argument);
  if (value === undefined) {
    if (verb.letter === "T" || verb.letter === "v") return padded("<nil>", verb);
    return `%!${verb.letter}(<nil>)`;
  }
  if (verb.letter === "T") return padded(value.type.name, verb);
  return formatNested(value, verb, 0);
}

function typeName(value: GoValue): string {
  return unwrapped(value)?.type.name ?? "";
}

function formatNested(value: GoValue, verb: Verb, depth: number): string {
  const own = ownText(value, verb);
  if (own !== undefined) return own;
  const nested = (each: GoValue): string => formatNested(each, verb, depth + 1);
  const goSyntax = verb.letter === "v" && verb.sharp;
  const { name } = value.type;
  switch (value.kind) {
    case "bool":
      if (verb.letter !== "t" && verb.letter !== "v") return badVerb(value, verb);
      return padded(String(value.value), verb);
    case "integer":
      return formatInteger(value, value.value, verb);
    case "float":
      return formatReal(value, value.value, verb);
    case "string":
      return formatText(value, value.value, verb);
    case "any":
      return nested(value.value);
    case "slice": {
      if (!goSyntax) return `[${(value.items ?? []).map(nested).join(" ")}]`;
      if (value.items === undefined) return `${name}(nil)`;
      return `${name}{${value.items.map(nested).join(", ")}}`;
    }
    case "map": {
      const key = (text: string): string => formatText(value, text, verb, "string");
      const entries = [...(value.entries ?? [])].map(([k, v]) => `${key(k)}:${nested(v)}`);
      if (!goSyntax) return `map[${entries.join(" ")}]`;
      return value.entries === undefined ? `${name}(nil)` : `${name}{${entries.join(", ")}}`;
    }
    case "struct": {
      const named = goSyntax || verb.plus;
      const fields = value.fields.map((field, index) => {
        const label = named ? `${value.type.fields[index]?.name ?? ""}:` : "";
        return label + nested(field);
      });
      return goSyntax ? `${name}{${fields.join(", ")}}` : `{${fields.join(" ")}}`;
    }
    case "time": {
      // What a time consists of inside; the year 1 lies so many seconds before 1970.
      const inside = [
        BigInt(value.value.nanoseconds),
        BigInt(value.value.seconds) + 62135596800n,
        0n,
      ];
      return `{${inside.map((each) => formatInteger(value, each, verb)).join(" ")}}`;
    }
    case "pointer": {
      if (value.target === undefined) return formatNil(value, verb);
      return `&${formatNested(value.target, verb, depth + 1)}`;
    }
  }
}

/** Returns what a value with a text of its own says, where the verb wants a text. */
function ownText(value: GoValue, verb: Verb): string | undefined {
  if (!/^[vsqxX]$/.test(verb.letter)) return undefined;
  const goSyntax = verb.letter === "v" && verb.sharp;
  const method = methodOf(value, goSyntax ? "GoString" : "String");
  if (method === undefined) return undefined;
  if (value.kind === "pointer" && value.target === undefined) return padded("<nil>", verb);
  const text = method.call();
  if (text?.kind !== "string") return undefined;
  return goSyntax ? text.value : formatText(text, text.value, verb);
}

function formatNil(value: GoValue, verb: Verb): string {
  if (verb.letter === "v") return padded(verb.sharp ? `(${value.type.name})(nil)` : "<nil>", verb);
  if (/^[bodxX]$/.test(verb.letter)) return formatInteger(value, 0n, verb);
  return `%!${verb.letter}(${value.type.name}=<nil>)`;
}

function badVerb(value: GoValue, { letter }: Verb, type = value.type.name): string {
  // Not by its own text: that is what could not be printed.
  const plain = value.kind === "string" ? value.value : formatNested(value, plainVerb, 1);
  return `%!${letter}(${type}=${plain})`;
}

const bases: ReadonlyMap<string, readonly [number, string]> = new Map([
  ["b", [2, "0b"]],
  ["o", [8, "0"]],
  ["O", [8, "0o"]],
  ["x", [16, "0x"]],
  ["X", [16, "0X"]],
]);

function formatInteger(value: GoValue, integer: bigint, verb: Verb): string {
  switch (verb.letter) {
    case "v":
      if (verb.sharp && value.type.name === "uint8") return `0x${integer.toString(16)}`;
      return withSign(integer < 0n, magnitude(integer, 10, verb), verb);
    case "d":
      return withSign(integer < 0n, magnitude(integer, 10, verb), verb);
    case "c":
      return padded(characterOf(Number(integer)), verb);
    case "q":
      return padded(
        quoteCharacter(characterOf(Number(integer)).codePointAt(0) ?? 0, verb.plus),
        verb,
      );
    case "U":
      return padded(formatPoint(integer, verb), { ...verb, zero: false });
    default: {
      const base = bases.get(verb.letter);
      if (base === undefined) return badVerb(value, verb);
      const digits = magnitude(integer, base[0], verb);
      const prefix = verb.letter === "O" || verb.sharp ? base[1] : "";
      const cased = verb.letter === "X" ? digits.toUpperCase() : digits;
      return withSign(integer < 0n, prefix + cased, verb);
    }
  }
}

function formatPoint(point: bigint, { sharp, precision }: Verb): string {
  const hex = point
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(precision ?? 0, 4), "0");
  return sharp ? `U+${hex} '${characterOf(Number(point))}'` : `U+${hex}`;
}

/** Returns the digits of an integer, filled up to the precision or, with zeros, to the width. */
function magnitude(integer: bigint, base: number, verb: Verb): string {
  const negative = integer < 0n;
  const digits = (negative ? -integer : integer).toString(base);
  if (verb.precision !== undefined) {
    return verb.precision === 0 && integer === 0n ? "" : digits.padStart(verb.precision, "0");
  }
  if (!verb.zero || verb.minus) return digits;
  const signs = negative || showsPlus(verb) || verb.space ? 1 : 0;
  return digits.padStart((verb.width ?? 0) - signs, "0");
}

function withSign(negative: boolean, digits: string, verb: Verb): string {
  const sign = negative ? "-" : showsPlus(verb) ? "+" : verb.space ? " " : "";
  return padded(digits === "" ? "" : sign + digits, { ...verb, zero: false });
}

/** Of `%v`, a plus asks for the names of fields instead. */
function showsPlus({ letter, plus }: Verb): boolean {
  return plus && letter !== "v";
}

function formatReal(value: GoValue, real: number, verb: Verb): string {
  const letter = verb.letter === "v" ? "g" : verb.letter.toLowerCase();
  if (letter !== "e" && letter !== "f" && letter !== "g") return badVerb(value, verb);
  const precision = verb.precision ?? (letter === "g" ? undefined : 6);
  const digits = formatFloat(Math.abs(real), letter, precision);
  const cased = /^[EFG]$/.test(verb.letter) ? digits.toUpperCase() : digits;
  const signs = real < 0 || showsPlus(verb) || verb.space ? 1 : 0;
  const filled = verb.zero && !verb.minus ? cased.padStart((verb.width ?? 0) - signs, "0") : cased;
  return withSign(real < 0, filled, verb);
}

function formatText(value: GoValue, text: string, verb: Verb, type = value.type.name): string {
  const cut = verb.precision === undefined ? text : [...text].slice(0, verb.precision).join("");
  switch (verb.letter) {
    case "v":
      return verb.sharp ? padded(quoteText(cut), verb) : padded(cut, verb);
    case "s":
      return padded(cut, verb);
    case "q":
      return padded(verb.sharp && isRaw(cut) ? `\`${cut}\`` : quoteText(cut, verb.plus), verb);
    case "x":
    case "X":
      return padded(formatBytes(bytesOf(text), verb), verb);
    default:
      return `%!${verb.letter}(${type}=${text})`;
  }
}

function isRaw(text: string): boolean {
  return /^[^`\u0000-\u0008\u000a-\u001f\u007f\ufeff\ud800-\udfff]*$/u.test(text);
}

function formatBytes(bytes: Uint8Array, { letter, precision, sharp, space }: Verb): string {
  const pairs = [...bytes.subarray(0, precision)].map((byte) => byte.toString(16).padStart(2, "0"));
  const prefix = sharp && pairs.length > 0 ? "0x" : "";
  const text = prefix + pairs.join(space ? ` ${prefix}` : "");
  return letter === "X" ? text.toUpperCase() : text;
}

function padded(text: string, { width = 0, minus, zero }: Verb): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  return minus ? text + " ".repeat(missing) : (zero ? "0" : " ").repeat(missing) + text;
}
