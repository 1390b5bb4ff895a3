// Verbs: the `%…` of a printf pattern.

import type { GoValue } from "./go-type.ts";
import { unwrapped } from "./go-value.ts";

/** What stands between a percent sign and the letter that ends it. */
export interface Verb {
  readonly letter: string;
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width?: number;
  readonly precision?: number;
}

/** A verb as read from a pattern. */
export interface VerbReading {
  /** Absent if the pattern ends before its letter. */
  readonly verb?: Verb;
  /** Where the pattern goes on. */
  readonly end: number;
  /** The argument that comes next. */
  readonly next: number;
  /** Whether the verb says which arguments it takes. */
  readonly reordered: boolean;
  /** Whether what it says about them is wrong. */
  readonly badIndex: boolean;
  /** What is wrong with width, precision or the pattern's end, as it stands in the output. */
  readonly fault?: string;
}

/** The arguments of a pattern, and which of them comes next. */
export interface Arguments {
  readonly values: readonly (GoValue | undefined)[];
  readonly next: number;
}

/** Wider fields are mistakes. */
const maximumWidth = 1_000_000;

/** Reads the verb that begins at `start`, behind its percent sign. */
export function readVerb(pattern: string, start: number, given: Arguments): VerbReading {
  return new VerbReader(pattern, start, given).read();
}

class VerbReader {
  readonly #pattern: string;
  readonly #values: Arguments["values"];
  #at: number;
  #next: number;
  #reordered = false;
  #badIndex = false;
  #fault = "";

  constructor(pattern: string, start: number, { values, next }: Arguments) {
    this.#pattern = pattern;
    this.#at = start;
    this.#values = values;
    this.#next = next;
  }

  read(): VerbReading {
    const flags = this.#take(/[-+# 0]*/y);
    this.#index();
    const width = this.#width();
    const precision = this.#precision();
    this.#index();
    const letter = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    const [end, next, reordered] = [this.#at, this.#next, this.#reordered];
    if (end >= this.#pattern.length) {
      return { end, next, reordered, badIndex: false, fault: `${this.#fault}%!(NOVERB)` };
    }
    const verb: Verb = {
      letter,
      plus: flags.includes("+"),
      minus: flags.includes("-") || (width !== undefined && width < 0),
      sharp: flags.includes("#"),
      space: flags.includes(" "),
      zero: flags.includes("0"),
      ...(width === undefined ? {} : { width: Math.abs(width) }),
      ...(precision === undefined ? {} : { precision }),
    };
    const badIndex = this.#badIndex;
    return { verb, end: end + letter.length, next, reordered, badIndex, fault: this.#fault };
  }

  /** Reads `[3]`, which names the argument that comes next. */
  #index(): void {
    if (this.#pattern[this.#at] !== "[") return;
    this.#reordered = true;
    const close = this.#pattern.indexOf("]", this.#at);
    if (close < 0) {
      this.#badIndex = true;
      this.#at++;
      return;
    }
    const text = this.#pattern.slice(this.#at + 1, close);
    const index = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    this.#at = close + 1;
    if (index < 1 || index > this.#values.length) this.#badIndex = true;
    else this.#next = index - 1;
  }

  #width(): number | undefined {
    if (this.#take(/\*/y) === "") return this.#digits();
    const width = this.#argument();
    if (width === undefined) this.#fault += "%!(BADWIDTH)";
    return width;
  }

  #precision(): number | undefined {
    if (this.#take(/\./y) === "") return undefined;
    this.#index();
    if (this.#take(/\*/y) === "") return this.#digits() ?? 0;
    const precision = this.#argument();
    if (precision !== undefined && precision >= 0) return precision;
    this.#fault += "%!(BADPREC)";
    return undefined;
  }

  #digits(): number | undefined {
    const digits = this.#take(/\d+/y);
    return digits === "" || Number(digits) > maximumWidth ? undefined : Number(digits);
  }

  /** Takes an argument as a number of columns, if it is one. */
  #argument(): number | undefined {
    const value = unwrapped(this.#values[this.#next]);
    if (this.#next < this.#values.length) this.#next++;
    if (value?.kind !== "integer" || value.value > maximumWidth || value.value < -maximumWidth) {
      return undefined;
    }
    return Number(value.value);
  }

  #take(expression: RegExp): string {
    expression.lastIndex = this.#at;
    const taken = expression.exec(this.#pattern)?.[0] ?? "";
    this.#at += taken.length;
    return taken;
  }
}
