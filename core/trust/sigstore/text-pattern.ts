// Text pattern: regular expressions whose time grows with the text only.
//
// The runtime's own go back and forth in a text, and some for ever. Here all ways through the expression
// are followed at the same time, one character after the other, as RE2 does. There are no groups to
// capture, no references back and no looking around, so nothing needs more.

import { Failure } from "../../failure.ts";
import { quoted } from "../../foreign-text.ts";
import { limits } from "../../limits.ts";

/** A regular expression that has to fit a whole text. */
export interface TextPattern {
  readonly source: string;
  fits(text: string): boolean;
}

/**
 * Parses a regular expression: characters, `.`, classes such as `[a-z0-9]`, `\d`, `\w`, `\s`, groups, `|`,
 * `*`, `+`, `?`, `{n}`, `{n,}` and `{n,m}`. `^` at the start and `$` at the end may stand there, and
 * mean nothing more: the whole text has to fit in any case.
 *
 * Fails with `config` on anything else.
 */
export function parseTextPattern(source: string): TextPattern {
  const body = source.replace(/^\^/, "");
  // An escaped dollar is one that is meant.
  const whole = /(^|[^\\])(\\\\)*\$$/.test(body) ? body.slice(0, -1) : body;
  const program = new Compiler(whole, source).program();
  return { source, fits: (text) => run(program, text) };
}

type Test = (character: string) => boolean;

type Step =
  | { readonly kind: "character"; readonly test: Test }
  /** Goes on in both places. */
  | { readonly kind: "split"; readonly one: number; readonly other: number }
  | { readonly kind: "jump"; readonly to: number }
  | { readonly kind: "end" };

function run(program: readonly Step[], text: string): boolean {
  let states = follow(program, [0]);
  for (const character of text) {
    if (states.size === 0) return false;
    const next: number[] = [];
    for (const at of states) {
      const step = program[at];
      if (step?.kind === "character" && step.test(character)) next.push(at + 1);
    }
    states = follow(program, next);
  }
  return states.has(program.length - 1);
}

/** Returns all places that are reached without reading anything. */
function follow(program: readonly Step[], from: readonly number[]): Set<number> {
  const found = new Set<number>();
  const open = [...from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (found.has(at)) continue;
    found.add(at);
    const step = program[at];
    if (step?.kind === "jump") open.push(step.to);
    if (step?.kind === "split") open.push(step.one, step.other);
  }
  return found;
}

class Compiler {
  readonly #text: readonly string[];
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(text: string, source: string) {
    this.#text = [...text];
    this.#source = source;
  }

  program(): readonly Step[] {
    const steps = this.#alternatives();
    if (this.#at < this.#text.length) throw this.#wrong("a group that was not opened");
    return [...steps, { kind: "end" }];
  }

  #alternatives(): Step[] {
    const steps = this.#sequence();
    if (!this.#skip("|")) return steps;
    const others = this.#alternatives();
    const start = steps.length + 2;
    return this.#sized([
      { kind: "split", one: 1, other: start },
      ...moved(steps, 1),
      { kind: "jump", to: start + others.length },
      ...moved(others, start),
    ]);
  }

  #sequence(): Step[] {
    let steps: Step[] = [];
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined || next === "|" || next === ")") return steps;
      steps = this.#sized([...steps, ...moved(this.#repeated(), steps.length)]);
    }
  }

  #repeated(): Step[] {
    let part = this.#atom();
    for (;;) {
      if (this.#skip("*")) part = repeat(part, 0, Infinity);
      else if (this.#skip("+")) part = repeat(part, 1, Infinity);
      else if (this.#skip("?")) part = repeat(part, 0, 1);
      else if (this.#text[this.#at] === "{") part = this.#counted(part);
      else return part;
      part = this.#sized(part);
    }
  }

  #counted(part: Step[]): Step[] {
    const end = this.#text.indexOf("}", this.#at);
    const said = end < 0 ? "" : this.#text.slice(this.#at + 1, end).join("");
    const [, least = "", comma = "", most = ""] = /^(\d{1,3})(,?)(\d{0,3})$/.exec(said) ?? [];
    if (least === "") throw this.#wrong("a count that is none");
    this.#at = end + 1;
    const from = Number(least);
    const to = most !== "" ? Number(most) : comma === "" ? from : Infinity;
    if (to < from) throw this.#wrong("a count that ends before it begins");
    const copies = Number.isFinite(to) ? to : from + 1;
    if (part.length * copies > limits.patternSteps) throw this.#wrong("too much repetition");
    return repeat(part, from, to);
  }

  #atom(): Step[] {
    const character = this.#text[this.#at++];
    switch (character) {
      case "(": {
        if (++this.#depth > limits.jsonDepth) throw this.#wrong("too many groups in each other");
        if (this.#skip("?") && !this.#skip(":")) throw this.#wrong("a group of an unknown kind");
        const steps = this.#alternatives();
        if (!this.#skip(")")) throw this.#wrong("a group that does not end");
        this.#depth--;
        return steps;
      }
      case "[":
        return [{ kind: "character", test: this.#class() }];
      case ".":
        return [{ kind: "character", test: (found) => found !== "\n" }];
      case "\\":
        return [{ kind: "character", test: this.#escape() }];
      case "*":
      case "+":
      case "?":
      case "{":
        throw this.#wrong("a repetition of nothing");
      case "^":
      case "$":
        throw this.#wrong(`a ${character} in the middle`);
    }
    return [{ kind: "character", test: (found) => found === character }];
  }

  #escape(): Test {
    const character = this.#text[this.#at++] ?? "";
    const named = classes[character];
    if (named !== undefined) return named;
    if (/^[A-Za-z0-9]?$/.test(character)) throw this.#wrong(`an unknown escape \\${character}`);
    return (found) => found === character;
  }

  #class(): Test {
    const negated = this.#skip("^");
    const tests: Test[] = [];
    for (let first = true; first || this.#text[this.#at] !== "]"; first = false) {
      const from = this.#text[this.#at++];
      if (from === undefined) throw this.#wrong("a class that does not end");
      if (from === "\\") {
        tests.push(this.#escape());
        continue;
      }
      const ranged = this.#text[this.#at] === "-" && this.#text[this.#at + 1] !== "]";
      const to = ranged ? this.#text[this.#at + 1] : from;
      if (ranged) this.#at += 2;
      if (to === undefined || to === "\\" || to < from) throw this.#wrong("a range that is none");
      tests.push((found) => from <= found && found <= to);
    }
    this.#at++;
    return (found) => tests.some((test) => test(found)) !== negated;
  }

  #skip(character: string): boolean {
    const found = this.#text[this.#at] === character;
    if (found) this.#at++;
    return found;
  }

  #sized(steps: Step[]): Step[] {
    if (steps.length > limits.patternSteps) throw this.#wrong("too much in it");
    return steps;
  }

  #wrong(what: string): Failure {
    return new Failure("config", `regular expression ${quoted(this.#source)} has ${what}`);
  }
}

const classes: Readonly<Record<string, Test>> = {
  d: (found) => /^[0-9]$/.test(found),
  w: (found) => /^[A-Za-z0-9_]$/.test(found),
  s: (found) => /^[\t\n\f\r ]$/.test(found),
  D: (found) => !/^[0-9]$/.test(found),
  W: (found) => !/^[A-Za-z0-9_]$/.test(found),
  S: (found) => !/^[\t\n\f\r ]$/.test(found),
};

/** Returns steps whose places are so much further on. */
function moved(steps: readonly Step[], by: number): Step[] {
  return steps.map((step) => {
    switch (step.kind) {
      case "split":
        return { ...step, one: step.one + by, other: step.other + by };
      case "jump":
        return { ...step, to: step.to + by };
      case "character":
      case "end":
        return step;
    }
  });
}

function repeat(part: readonly Step[], least: number, most: number): Step[] {
  const steps: Step[] = [];
  const add = (more: readonly Step[]) => void steps.push(...moved(more, steps.length));
  for (let count = 0; count < least; count++) add(part);
  if (most === Infinity) {
    const { length } = part;
    add([{ kind: "split", one: 1, other: length + 2 }, ...moved(part, 1), { kind: "jump", to: 0 }]);
    return steps;
  }
  for (let count = least; count < most; count++) {
    add([{ kind: "split", one: 1, other: part.length + 1 }, ...moved(part, 1)]);
  }
  return steps;
}
