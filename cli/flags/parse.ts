// The grammar of a command line: the "pflag" dialect, in which scripts call the original.

import { Failure } from "../../core/failure.ts";
import { nearest } from "../../core/nearest.ts";
import { quoted, quotedCharacter } from "../output/quote.ts";
import { type Flag, type FlagGroup, isFlag, type Values } from "./flag.ts";

/** What has been said on a command line so far, flag by flag. */
export class Given {
  readonly #values = new Map<Flag<unknown>, unknown>();

  /** Takes one mention of a flag. Fails with `usage` if `text` is no value for it. */
  take(flag: Flag<unknown>, text: string): void {
    try {
      this.#values.set(flag, flag.read(text, this.#valueOf(flag)));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const name = flag.shorthand === undefined ? "" : `-${flag.shorthand}, `;
      throw usage(
        `invalid argument ${quoted(text)} for ${quoted(`${name}--${flag.name}`)} flag: ${error.message}`,
      );
    }
  }

  /** Returns the values of a group of flags, in its shape. */
  valuesOf<G extends FlagGroup>(group: G): Values<G>;
  valuesOf(group: FlagGroup): unknown {
    const entries = Object.entries(group).map(([key, entry]) => [
      key,
      isFlag(entry) ? this.#valueOf(entry) : this.valuesOf(entry),
    ]);
    return Object.fromEntries(entries);
  }

  #valueOf(flag: Flag<unknown>): unknown {
    return this.#values.has(flag) ? this.#values.get(flag) : flag.absent;
  }
}

/** What a piece of a command line is read by. */
export interface Grammar {
  readonly flags: readonly Flag<unknown>[];
  /** Whether reading ends before the first word that is no flag. */
  readonly leading?: boolean;
}

/**
 * Takes the flags among `words` into `given`, and returns the words that are none.
 *
 * Fails with `usage` in the words of the original, and hints at the nearest flag.
 */
export function parseWords(
  words: readonly string[],
  { flags, leading = false }: Grammar,
  given: Given,
): readonly string[] {
  const operands: string[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const ends = word === "--";
    if (leading && (ends || !isFlagWord(word))) return [word, ...rest];
    if (ends) return [...operands, ...rest];
    if (!isFlagWord(word)) operands.push(word);
    else if (word.startsWith("--")) takeLong(word, rest, { flags, given });
    else takeShorts(word.slice(1), rest, { flags, given });
  }
  return operands;
}

interface Reading {
  readonly flags: readonly Flag<unknown>[];
  readonly given: Given;
}

/** A lone dash is an operand. */
function isFlagWord(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}

function takeLong(word: string, rest: string[], { flags, given }: Reading): void {
  const body = word.slice(2);
  if (/^[-=]/.test(body)) throw usage(`bad flag syntax: ${word}`);
  const equals = body.indexOf("=");
  const name = equals < 0 ? body : body.slice(0, equals);
  const flag = flags.find((each) => each.name === name || each.aliases.includes(name));
  if (flag === undefined) throw usage(`unknown flag: --${name}`, nearestFlag(name, flags));
  const text = equals < 0 ? (flag.bare ?? rest.shift()) : body.slice(equals + 1);
  if (text === undefined) throw usage(`flag needs an argument: ${word}`);
  given.take(flag, text);
}

function takeShorts(group: string, rest: string[], { flags, given }: Reading): void {
  for (let letters = group; letters !== "";) {
    const [letter = "", next] = letters;
    const flag = flags.find((each) => each.shorthand === letter);
    if (flag === undefined) {
      throw usage(
        `unknown shorthand flag: ${firstByte(letters)} in -${letters}`,
        longSpelling(group, flags),
      );
    }
    if (next === "=" && letters.length > 2) return given.take(flag, letters.slice(2));
    if (flag.bare !== undefined) {
      given.take(flag, flag.bare);
      letters = letters.slice(1);
      continue;
    }
    const text = next === undefined ? rest.shift() : letters.slice(1);
    if (text === undefined) {
      throw usage(`flag needs an argument: ${quotedCharacter(letter)} in -${letters}`);
    }
    return given.take(flag, text);
  }
}

/** The original looks at bytes here, so that a letter beyond ASCII is shown as its first byte. */
function firstByte(letters: string): string {
  return quotedCharacter(String.fromCodePoint(Buffer.from(letters)[0] ?? 0));
}

function nearestFlag(name: string, flags: readonly Flag<unknown>[]): string | undefined {
  const shown = flags.filter((flag) => !flag.hidden).map((flag) => flag.name);
  const near = nearest(name, shown);
  return near === undefined ? undefined : `did you mean --${near}?`;
}

/** Whoever writes `-raw` means `--raw`. */
function longSpelling(group: string, flags: readonly Flag<unknown>[]): string | undefined {
  const name = group.split("=", 1)[0] ?? "";
  return name.length > 1 && flags.some((flag) => flag.name === name)
    ? `did you mean --${group}?`
    : undefined;
}

function usage(message: string, hint?: string): Failure {
  return new Failure("usage", message, { hint });
}
