// Programs of regular expressions: from the text of a pattern to instructions.

import { Failure } from "../failure.ts";
import { limits } from "../limits.ts";
import { type CharacterTest, escapedClass, type Reader, readClass } from "./go-regexp-class.ts";

/** One step of a program. */
export type Instruction =
  | { readonly kind: "character"; readonly accepts: CharacterTest }
  /** Both ways are followed, and the first is preferred. */
  | { readonly kind: "split"; readonly first: number; readonly second: number }
  | { readonly kind: "jump"; readonly to: number }
  | { readonly kind: "save"; readonly slot: number }
  | {
      readonly kind: "assert";
      readonly holds: (characters: readonly string[], position: number) => boolean;
    }
  | { readonly kind: "match" };

/** What a pattern means. */
export interface Program {
  readonly instructions: readonly Instruction[];
  /** The whole match counts as one. */
  readonly groups: number;
}

/** Parses a pattern. Fails with `usage`, in the words of Go. */
export function parseProgram(pattern: string): Program {
  const parser = new Parser(pattern);
  const root = parser.parseAll();
  const instructions: Instruction[] = [];
  emit({ kind: "group", inner: root, number: 0 }, instructions, pattern);
  instructions.push({ kind: "match" });
  return { instructions, groups: parser.groups };
}

type Node =
  | { readonly kind: "empty" }
  | { readonly kind: "character"; readonly accepts: CharacterTest }
  | { readonly kind: "assert"; readonly holds: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly parts: readonly Node[] }
  | { readonly kind: "group"; readonly inner: Node; readonly number: number }
  | {
      readonly kind: "repeat";
      readonly inner: Node;
      readonly least: number;
      /** Infinity where there is no end. */
      readonly most: number;
      readonly lazy: boolean;
    };

type Assertion = (characters: readonly string[], position: number) => boolean;

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  readonly ungreedy: boolean;
}

class Parser implements Reader {
  readonly pattern: string;
  readonly characters: readonly string[];
  at = 0;
  groups = 1;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false, ungreedy: false };

  constructor(pattern: string) {
    this.pattern = pattern;
    this.characters = Array.from(pattern);
  }

  parseAll(): Node {
    const node = this.#parseChoice();
    if (this.at < this.characters.length) throw this.fault("unexpected )", this.pattern);
    return node;
  }

  fault(what: string, where: string): Failure {
    return new Failure("usage", `error parsing regexp: ${what}: \`${where}\``);
  }

  textFrom(start: number): string {
    return this.characters.slice(start, this.at).join("");
  }

  #parseChoice(): Node {
    const flags = this.#flags;
    const parts = [this.#parseSequence()];
    while (this.characters[this.at] === "|") {
      this.at++;
      parts.push(this.#parseSequence());
    }
    this.#flags = flags;
    return parts.length === 1 ? (parts[0] as Node) : { kind: "choice", parts };
  }

  #parseSequence(): Node {
    const parts: Node[] = [];
    for (;;) {
      const character = this.characters[this.at];
      if (character === undefined || character === "|" || character === ")") break;
      const start = this.at;
      parts.push(this.#repeated(this.#parseOne(character), start));
    }
    return { kind: "sequence", parts };
  }

  #parseOne(character: string): Node {
    this.at++;
    const { ignoreCase, multiLine, dotAll } = this.#flags;
    switch (character) {
      case "(":
        return this.#parseGroup();
      case "[":
        return { kind: "character", accepts: folded(readClass(this), ignoreCase) };
      case ".":
        return { kind: "character", accepts: (each) => dotAll || each !== "\n" };
      case "^":
        return { kind: "assert", holds: multiLine ? atLineStart : atStart };
      case "$":
        return { kind: "assert", holds: multiLine ? atLineEnd : atEnd };
      case "*":
      case "+":
      case "?":
        throw this.fault("missing argument to repetition operator", character);
      case "\\":
        return this.#parseEscape();
      default:
        return literal(character, ignoreCase);
    }
  }

  #parseEscape(): Node {
    const start = this.at - 1;
    const character = this.characters[this.at++];
    switch (character) {
      case undefined:
        throw this.fault("trailing backslash at end of expression", "");
      case "A":
        return { kind: "assert", holds: atStart };
      case "z":
        return { kind: "assert", holds: atEnd };
      case "b":
        return { kind: "assert", holds: atWordBoundary };
      case "B":
        return {
          kind: "assert",
          holds: (characters, position) => !atWordBoundary(characters, position),
        };
      case "Q":
        return this.#parseQuoted();
      default:
        this.at--;
        return {
          kind: "character",
          accepts: folded(escapedClass(this, start), this.#flags.ignoreCase),
        };
    }
  }

  #parseQuoted(): Node {
    const parts: Node[] = [];
    while (this.at < this.characters.length) {
      if (this.characters[this.at] === "\\" && this.characters[this.at + 1] === "E") {
        this.at += 2;
        break;
      }
      parts.push(literal(this.characters[this.at++] ?? "", this.#flags.ignoreCase));
    }
    return { kind: "sequence", parts };
  }

  #parseGroup(): Node {
    const start = this.at - 1;
    if (++this.#depth > limits.patternDepth) {
      throw this.fault("expression nests too deeply", this.pattern);
    }
    const flags = this.#flags;
    const kind = this.#parseGroupStart(start);
    if (kind === "flags") {
      this.#depth--;
      return { kind: "empty" };
    }
    const number = kind === "capturing" ? this.groups++ : undefined;
    const inner = this.#parseChoice();
    if (this.characters[this.at] !== ")") throw this.fault("missing closing )", this.pattern);
    this.at++;
    this.#depth--;
    this.#flags = flags;
    return number === undefined ? inner : { kind: "group", inner, number };
  }

  /** Flags without a group hold up to the end of the group around them. */
  #parseGroupStart(start: number): "capturing" | "plain" | "flags" {
    if (this.characters[this.at] !== "?") return "capturing";
    const rest = this.characters.slice(this.at + 1, this.at + 1 + 128).join("");
    const name = /^P?<([^>]*)>/.exec(rest);
    if (/^P?</.test(rest)) {
      if (name === null || !/^\w+$/.test(name[1] ?? "")) {
        const said = name === null ? this.characters.slice(start).join("") : `(?${name[0]}`;
        throw this.fault("invalid named capture", said);
      }
      this.at += 1 + Array.from(name[0]).length;
      return "capturing";
    }
    const [all, on = "", minus, off = "", end] = /^([imsU]*)(-([imsU]+))?([:)])/.exec(rest) ?? [];
    if (all === undefined || (end === ")" && on === "" && minus === undefined)) {
      this.at = Math.min(this.at + 2, this.characters.length);
      const what = "invalid or unsupported Perl syntax";
      throw this.characters.length <= start + 2
        ? this.fault("missing argument to repetition operator", "?")
        : this.fault(what, this.textFrom(start));
    }
    this.at += 1 + all.length;
    this.#flags = withFlags(this.#flags, on, off);
    return end === ":" ? "plain" : "flags";
  }

  #repeated(node: Node, start: number): Node {
    let repeated = node;
    let operator: string | undefined;
    for (;;) {
      const begun = this.at;
      const bounds = this.#parseBounds();
      if (bounds === undefined) return repeated;
      const lazy = this.characters[this.at] === "?";
      if (lazy) this.at++;
      const said = this.textFrom(begun);
      if (operator !== undefined) {
        throw this.fault("invalid nested repetition operator", operator + said);
      }
      operator = said;
      const [least, most] = bounds;
      if (
        least > limits.patternRepetitions ||
        (most !== Infinity && most > limits.patternRepetitions)
      ) {
        throw this.fault("invalid repeat count", said);
      }
      if (most < least) throw this.fault("invalid repeat count", said);
      if (node.kind === "empty" && this.characters[start] === "(") {
        throw this.fault("missing argument to repetition operator", said);
      }
      repeated = { kind: "repeat", inner: node, least, most, lazy: lazy !== this.#flags.ungreedy };
    }
  }

  #parseBounds(): readonly [number, number] | undefined {
    const operator = this.characters[this.at];
    if (operator === "*" || operator === "+" || operator === "?") {
      this.at++;
      return [operator === "+" ? 1 : 0, operator === "?" ? 1 : Infinity];
    }
    if (operator !== "{") return undefined;
    const rest = this.characters.slice(this.at, this.at + 24).join("");
    const [all, least, comma, most] = /^\{(\d{1,9})(,(\d{1,9})?)?\}/.exec(rest) ?? [];
    // A brace that begins no bounds is a brace.
    if (all === undefined) return undefined;
    this.at += all.length;
    const from = Number(least);
    if (comma === undefined) return [from, from];
    return [from, most === undefined ? Infinity : Number(most)];
  }
}

function withFlags(flags: Flags, on: string, off: string): Flags {
  const set = (letter: string, before: boolean) =>
    off.includes(letter) ? false : on.includes(letter) || before;
  return {
    ignoreCase: set("i", flags.ignoreCase),
    multiLine: set("m", flags.multiLine),
    dotAll: set("s", flags.dotAll),
    ungreedy: set("U", flags.ungreedy),
  };
}

function literal(wanted: string, ignoreCase: boolean): Node {
  return { kind: "character", accepts: folded((each) => each === wanted, ignoreCase) };
}

function folded(accepts: CharacterTest, ignoreCase: boolean): CharacterTest {
  if (!ignoreCase) return accepts;
  return (each) => accepts(each) || accepts(each.toLowerCase()) || accepts(each.toUpperCase());
}

const atStart: Assertion = (_, position) => position === 0;
const atEnd: Assertion = (characters, position) => position === characters.length;
const atLineStart: Assertion = (characters, position) =>
  position === 0 || characters[position - 1] === "\n";
const atLineEnd: Assertion = (characters, position) =>
  position === characters.length || characters[position] === "\n";
const atWordBoundary: Assertion = (characters, position) =>
  isWord(characters[position - 1]) !== isWord(characters[position]);

function isWord(character: string | undefined): boolean {
  return character !== undefined && /^[0-9A-Za-z_]$/.test(character);
}

/** Appends what a part of a pattern means. */
function emit(node: Node, program: Instruction[], pattern: string): void {
  if (program.length > limits.patternInstructions) {
    throw new Failure("usage", `error parsing regexp: expression too large: \`${pattern}\``);
  }
  switch (node.kind) {
    case "empty":
      return;
    case "character":
    case "assert":
      return void program.push(node);
    case "sequence":
      for (const part of node.parts) emit(part, program, pattern);
      return;
    case "choice":
      return emitChoice(node.parts, program, pattern);
    case "group":
      program.push({ kind: "save", slot: node.number * 2 });
      emit(node.inner, program, pattern);
      return void program.push({ kind: "save", slot: node.number * 2 + 1 });
    case "repeat":
      return emitRepeat(node, program, pattern);
  }
}

function emitChoice(parts: readonly Node[], program: Instruction[], pattern: string): void {
  const ends: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) {
      emit(part, program, pattern);
      break;
    }
    const split = program.push({ kind: "match" }) - 1;
    emit(part, program, pattern);
    ends.push(program.push({ kind: "match" }) - 1);
    program[split] = { kind: "split", first: split + 1, second: program.length };
  }
  for (const end of ends) program[end] = { kind: "jump", to: program.length };
}

function emitRepeat(
  { inner, least, most, lazy }: Node & { readonly kind: "repeat" },
  program: Instruction[],
  pattern: string,
): void {
  for (let count = 0; count < least; count++) emit(inner, program, pattern);
  const split = (inside: number, outside: number): Instruction => ({
    kind: "split",
    ...(lazy ? { first: outside, second: inside } : { first: inside, second: outside }),
  });
  if (most === Infinity) {
    const start = program.push({ kind: "match" }) - 1;
    emit(inner, program, pattern);
    program.push({ kind: "jump", to: start });
    program[start] = split(start + 1, program.length);
    return;
  }
  const splits: number[] = [];
  for (let count = least; count < most; count++) {
    splits.push(program.push({ kind: "match" }) - 1);
    emit(inner, program, pattern);
  }
  for (const at of splits) program[at] = split(at + 1, program.length);
}
