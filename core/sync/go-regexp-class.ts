// Character classes of regular expressions.

import type { Failure } from "../failure.ts";

/** Tells whether a character belongs to a class. */
export type CharacterTest = (character: string) => boolean;

/** A pattern that is being read. */
export interface Reader {
  readonly pattern: string;
  readonly characters: readonly string[];
  /** Where the next character stands. */
  at: number;
  /** Returns what was read since. */
  textFrom(start: number): string;
  /** Returns the failure of a pattern, in the words of Go. */
  fault(what: string, where: string): Failure;
}

/** Reads a class in brackets, behind the first of them. */
export function readClass(reader: Reader): CharacterTest {
  const start = reader.at - 1;
  const negated = reader.characters[reader.at] === "^";
  if (negated) reader.at++;
  const tests: CharacterTest[] = [];
  for (let first = true; ; first = false) {
    const character = reader.characters[reader.at];
    if (character === undefined) {
      throw reader.fault("missing closing ]", reader.characters.slice(start).join(""));
    }
    if (character === "]" && !first) break;
    tests.push(readMember(reader, character));
  }
  reader.at++;
  return (each) => tests.some((test) => test(each)) !== negated;
}

function readMember(reader: Reader, character: string): CharacterTest {
  const start = reader.at;
  const rest = reader.characters.slice(start, start + 16).join("");
  const [named, negation = "", name = ""] = /^\[:(\^?)(\w+):\]/.exec(rest) ?? [];
  if (named !== undefined) {
    const test = Object.hasOwn(namedClasses, name) ? namedClasses[name] : undefined;
    if (test === undefined) throw reader.fault("invalid character class range", named);
    reader.at += named.length;
    return matching(test, negation !== "");
  }
  const low = readBound(reader, character);
  if (typeof low === "function") return low;
  const dash = reader.characters[reader.at] === "-";
  const next = reader.characters[reader.at + 1];
  if (!dash || next === "]" || next === undefined) return (each) => each === low;
  reader.at++;
  const high = readBound(reader, next);
  if (typeof high === "function" || codeOf(high) < codeOf(low)) {
    throw reader.fault("invalid character class range", reader.textFrom(start));
  }
  return (each) => codeOf(each) >= codeOf(low) && codeOf(each) <= codeOf(high);
}

/** Returns one character, or the class that an escape stands for. */
function readBound(reader: Reader, character: string): string | CharacterTest {
  const start = reader.at;
  reader.at++;
  if (character !== "\\") return character;
  return escaped(reader, start);
}

/** Reads what stands behind a backslash at `start`, as a class. */
export function escapedClass(reader: Reader, start: number): CharacterTest {
  const found = escaped(reader, start);
  return typeof found === "function" ? found : (each) => each === found;
}

function escaped(reader: Reader, start: number): string | CharacterTest {
  const character = reader.characters[reader.at++] ?? "";
  switch (character) {
    case "d":
    case "D":
      return matching(/^[0-9]$/, character === "D");
    case "w":
    case "W":
      return matching(/^[0-9A-Za-z_]$/, character === "W");
    case "s":
    case "S":
      return matching(/^[\t\n\f\r ]$/, character === "S");
    case "p":
    case "P":
      return unicodeClass(reader, start, character === "P");
    case "x":
      return hexadecimal(reader, start);
    case "n":
      return "\n";
    case "t":
      return "\t";
    case "r":
      return "\r";
    case "f":
      return "\f";
    case "v":
      return "\v";
    case "a":
      return "\x07";
    default:
      if (/^[!-/:-@[-`{-~]$/.test(character)) return character;
      throw reader.fault("invalid escape sequence", reader.textFrom(start));
  }
}

function unicodeClass(reader: Reader, start: number, negated: boolean): CharacterTest {
  const rest = reader.characters.slice(reader.at, reader.at + 40).join("");
  const [all, long, short] = /^(?:\{(\^?\w{1,32})\}|(\w))/.exec(rest) ?? [];
  reader.at += all?.length ?? 0;
  const said = long ?? short ?? "";
  const name = said.replace(/^\^/, "");
  // The runtime spells scripts with their kind.
  for (const property of [name, `Script=${name}`]) {
    try {
      const test = new RegExp(`^\\p{${property}}$`, "u");
      return matching(test, negated !== said.startsWith("^"));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  throw reader.fault("invalid character class range", reader.textFrom(start));
}

function hexadecimal(reader: Reader, start: number): string {
  const rest = reader.characters.slice(reader.at, reader.at + 10).join("");
  const [all, long, short] = /^(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/.exec(rest) ?? [];
  reader.at += all?.length ?? 0;
  const code = Number.parseInt(long ?? short ?? "", 16);
  if (all === undefined || code > 0x10ffff) {
    throw reader.fault("invalid escape sequence", reader.textFrom(start));
  }
  return String.fromCodePoint(code);
}

function matching(test: RegExp, negated: boolean): CharacterTest {
  return (each) => test.test(each) !== negated;
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

const namedClasses: Readonly<Record<string, RegExp>> = {
  alnum: /^[0-9A-Za-z]$/,
  alpha: /^[A-Za-z]$/,
  ascii: /^[\x00-\x7f]$/,
  blank: /^[\t ]$/,
  cntrl: /^[\x00-\x1f\x7f]$/,
  digit: /^[0-9]$/,
  graph: /^[!-~]$/,
  lower: /^[a-z]$/,
  print: /^[ -~]$/,
  punct: /^[!-/:-@[-`{-~]$/,
  space: /^[\t\n\v\f\r ]$/,
  upper: /^[A-Z]$/,
  word: /^[0-9A-Za-z_]$/,
  xdigit: /^[0-9A-Fa-f]$/,
};
