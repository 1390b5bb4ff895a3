// Flags: what may be said on a command line, as values.

import { Failure } from "../../core/failure.ts";
import {
  readDecimal,
  readDuration,
  readInteger,
  readRecord,
  readSize,
  readToggle,
  readUnsigned,
} from "./literals.ts";

/** One flag: its spelling, its help, and how its text becomes a value. */
export interface Flag<T> {
  /** The long name, without dashes. */
  readonly name: string;
  /** One letter that stands for the name; absent if there is none. */
  readonly shorthand?: string;
  /** The first backquoted word names the value in help texts. */
  readonly help: string;
  /** What kind of value follows, as help texts show it; empty if none has to. */
  readonly type: string;
  /** The value of a flag that is not given. */
  readonly absent: T;
  /** What `--name` alone stands for; absent if a value has to follow. */
  readonly bare?: string;
  /** Whether help and completion keep quiet about it. */
  readonly hidden: boolean;
  /** Other long names, never shown. */
  readonly aliases: readonly string[];
  /** Takes one mention of the flag. `before` is what earlier mentions gave. Fails with `usage`. */
  read(text: string, before: T): T;
}

/** Flags under the names their values go by; a group within keeps its values together. */
export interface FlagGroup {
  readonly [key: string]: Flag<unknown> | FlagGroup;
}

/** The values of a group of flags, in the shape of the group. */
export type Values<G> = {
  readonly [K in keyof G]: G[K] extends Flag<infer T> ? T : Values<G[K]>;
};

/** What most flags do without. */
export interface FlagOptions {
  readonly shorthand?: string;
  readonly hidden?: boolean;
  readonly aliases?: readonly string[];
}

/** Tells a flag from a group of flags. */
export function isFlag(entry: Flag<unknown> | FlagGroup): entry is Flag<unknown> {
  return typeof entry["name"] === "string";
}

/** Returns all flags of a group, in the order they are written down. */
export function flagsIn(group: FlagGroup): readonly Flag<unknown>[] {
  return Object.values(group).flatMap((entry) => (isFlag(entry) ? [entry] : flagsIn(entry)));
}

/** Something that is on or off, and off unless said otherwise. */
export function toggle(name: string, help: string, options: FlagOptions = {}): Flag<boolean> {
  return {
    ...common(name, help, options),
    type: "",
    bare: "true",
    absent: false,
    read: readToggle,
  };
}

/** Something that is on, off, or left to somebody else. */
export function maybeToggle(
  name: string,
  help: string,
  options: FlagOptions = {},
): Flag<boolean | undefined> {
  return { ...toggle(name, help, options), absent: undefined };
}

/** Some text, empty unless given. */
export function text(name: string, help: string, options: FlagOptions = {}): Flag<string> {
  return { ...common(name, help, options), type: "string", absent: "", read: (given) => given };
}

/** Some text, where absent and empty are different things. */
export function maybeText(
  name: string,
  help: string,
  options: FlagOptions = {},
): Flag<string | undefined> {
  return { ...text(name, help, options), absent: undefined };
}

/** One of several words; the first unless given. */
export function choice<const W extends readonly [string, ...string[]]>(
  name: string,
  words: W,
  help: string,
  options: FlagOptions = {},
): Flag<W[number]> {
  const all: readonly W[number][] = words;
  return {
    ...common(name, help, options),
    type: "string",
    absent: words[0],
    read(given) {
      const word = all.find((each) => each === given);
      if (word !== undefined) return word;
      throw new Failure("usage", `must be one of ${words.join(", ")}`);
    },
  };
}

/** Any number of texts: each mention adds one record of comma-separated values. */
export function list(
  name: string,
  help: string,
  options: FlagOptions = {},
): Flag<readonly string[]> {
  return {
    ...common(name, help, options),
    type: "strings",
    absent: [],
    read: (given, before) => [...before, ...readRecord(given)],
  };
}

/** Any number of texts: each mention adds one, commas and all. */
export function texts(
  name: string,
  help: string,
  options: FlagOptions = {},
): Flag<readonly string[]> {
  return {
    ...common(name, help, options),
    type: "stringArray",
    absent: [],
    read: (given, before) => [...before, given],
  };
}

/** A whole number, 0 unless given. */
export function integer(name: string, help: string, options: FlagOptions = {}): Flag<number> {
  return { ...common(name, help, options), type: "int", absent: 0, read: readInteger };
}

/** A whole number, where absent means that nothing is said. */
export function maybeInteger(
  name: string,
  help: string,
  options: FlagOptions = {},
): Flag<number | undefined> {
  return { ...integer(name, help, options), absent: undefined };
}

/** Any number of whole numbers: each mention adds those between its commas. */
export function integers(
  name: string,
  help: string,
  options: FlagOptions = {},
): Flag<readonly number[]> {
  return {
    ...common(name, help, options),
    type: "ints",
    absent: [],
    read: (given, before) => [...before, ...given.split(",").map(readDecimal)],
  };
}

/** A whole number that is not negative, 0 unless given. */
export function unsigned(name: string, help: string, options: FlagOptions = {}): Flag<number> {
  return { ...common(name, help, options), type: "uint", absent: 0, read: readUnsigned };
}

/** A span of time such as `1m30s`, in milliseconds; 0 unless given. */
export function duration(name: string, help: string, options: FlagOptions = {}): Flag<number> {
  return { ...common(name, help, options), type: "duration", absent: 0, read: readDuration };
}

/** A number of bytes such as `10M`, where absent means that nothing is said. */
export function maybeSize(
  name: string,
  help: string,
  options: FlagOptions = {},
): Flag<number | undefined> {
  return { ...common(name, help, options), type: "size", absent: undefined, read: readSize };
}

function common(name: string, help: string, options: FlagOptions) {
  const { shorthand, hidden = false, aliases = [] } = options;
  return { name, help, hidden, aliases, ...(shorthand === undefined ? {} : { shorthand }) };
}
