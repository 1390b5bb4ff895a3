// Lexer: the text of a template → tokens.
//
// The grammar is that of Go's text/template, https://pkg.go.dev/text/template.

import { isPrintable, quoteCharacter, quoteText } from "./go-text.ts";

/** A piece of a template's text that means something. */
export interface Token {
  readonly kind:
    | "text"
    | "left" // {{
    | "right" // }}
    | "space"
    | "("
    | ")"
    | "|"
    | "=" // assigns
    | ":=" // declares
    | "field" // .Name
    | "variable" // $name
    | "word"
    | "keyword"
    | "bool"
    | "number"
    | "character"
    | "string"
    | "other"
    | "end"
    | "error";
  /** As written; of an error, what is wrong. */
  readonly text: string;
  readonly position: number;
  readonly line: number;
}

/**
 * Cuts a template into tokens.
 *
 * The last one is of kind `end` or, where the text makes no sense, `error`.
 */
export function lex(text: string): readonly Token[] {
  return new Lexer(text).tokens();
}

const keywords = new Set([
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "nil",
  "range",
  "template",
  "with",
]);

const blanks = /[ \t\r\n]+/y;
const word = /[\p{L}\p{Nd}_]+/uy;
const rest = /[\p{L}\p{Nd}_]*/uy;
const digits = "[0-9_]*";
const numeral = new RegExp(
  `[+-]?(?:0[xX][0-9a-fA-F_]*(?:\\.[0-9a-fA-F_]*)?(?:[pP][+-]?${digits})?|0[oO][0-7_]*|0[bB][01_]*` +
    `|${digits}(?:\\.${digits})?(?:[eE][+-]?${digits})?)`,
  "y",
);
const quotes: ReadonlyMap<string, readonly [RegExp, Token["kind"], string]> = new Map([
  ['"', [/"(?:\\[^\n]|[^"\\\n])*"/y, "string", "unterminated quoted string"]],
  ["'", [/'(?:\\[^\n]|[^'\\\n])*'/y, "character", "unterminated character constant"]],
  ["`", [/`[^`]*`/y, "string", "unterminated raw quoted string"]],
]);

/** What may stand right behind a name. */
const behindName = /$|[ \t\r\n.,|:()]|\}\}/y;
const trimsLeft = /-[ \t\r\n]/y;
const closes = /\}\}|[ \t\r\n]-\}\}/y;

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  #parentheses = 0;

  constructor(text: string) {
    this.#text = text;
  }

  tokens(): readonly Token[] {
    let more = this.#literal();
    while (more) more = this.#action() && this.#literal();
    return this.#tokens;
  }

  /** Reads up to the next action and into it. False if there is none. */
  #literal(): boolean {
    const start = this.#text.indexOf("{{", this.#at);
    const end = start < 0 ? this.#text.length : start;
    const trims = start >= 0 && this.#peek(trimsLeft, start + 2) !== undefined;
    const kept = this.#text.slice(this.#at, end);
    this.#put("text", trims ? kept.replace(/[ \t\r\n]+$/, "") : kept, kept.length);
    if (start < 0) {
      this.#put("end", "EOF", 0);
      return false;
    }
    const marker = trims ? 2 : 0;
    if (this.#text.startsWith("/*", start + 2 + marker)) return this.#comment(start + 2 + marker);
    this.#put("left", "{{", 2 + marker);
    return true;
  }

  #comment(start: number): boolean {
    const end = this.#text.indexOf("*/", start);
    if (end < 0) return this.#fail("unclosed comment");
    const close = this.#peek(closes, end + 2);
    if (close === undefined) return this.#fail("comment ends before closing delimiter");
    this.#move(end + 2 - this.#at);
    this.#close(close);
    return this.#literal();
  }

  /** Reads an action to its end. False if it has none. */
  #action(): boolean {
    for (;;) {
      const close = this.#peek(closes);
      if (close !== undefined) {
        if (this.#parentheses > 0) return this.#fail("unclosed left paren");
        const start = this.#at;
        const line = this.#line;
        this.#close(close);
        this.#tokens.push({ kind: "right", text: "}}", position: start, line });
        return true;
      }
      if (!this.#token()) return false;
    }
  }

  /** Moves behind the end of an action, and behind the blanks that it trims. */
  #close(close: string): void {
    this.#move(close.length);
    if (close.length > 2) this.#move(this.#peek(blanks)?.length ?? 0);
  }

  #token(): boolean {
    const character = this.#text.slice(this.#at, this.#at + 2);
    const next = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    const space = this.#peek(blanks);
    if (space !== undefined) return this.#space(space);
    if (this.#at >= this.#text.length) return this.#fail("unclosed action");
    const quote = quotes.get(next);
    if (quote !== undefined) return this.#quoted(...quote);
    if (next === "=" || next === "|") return this.#put(next, next);
    if (next === ":") return character === ":=" ? this.#put(":=", ":=") : this.#fail("expected :=");
    if (next === "(" || next === ")") return this.#parenthesis(next);
    if (next === "$") return this.#name("variable");
    if (/^\.(?!\d)/.test(character)) return this.#name("field");
    if (/^[-+.0-9]/.test(next)) return this.#number();
    const name = this.#peek(word);
    if (name !== undefined) return this.#word(name);
    if (/^[!-~]$/.test(next)) return this.#put("other", next);
    return this.#fail(`unrecognized character in action: ${shown(next)}`);
  }

  #space(space: string): boolean {
    // The last blank may belong to the mark that ends the action.
    const close = this.#peek(closes, this.#at + space.length - 1);
    const own = close === undefined ? space : space.slice(0, -1);
    return this.#put("space", " ", own.length);
  }

  #quoted(expression: RegExp, kind: Token["kind"], fault: string): boolean {
    const literal = this.#peek(expression);
    return literal === undefined ? this.#fail(fault) : this.#put(kind, literal);
  }

  #parenthesis(which: "(" | ")"): boolean {
    this.#parentheses += which === "(" ? 1 : -1;
    return this.#parentheses < 0 ? this.#fail("unexpected right paren") : this.#put(which, which);
  }

  #name(kind: "variable" | "field"): boolean {
    const name = this.#peek(rest, this.#at + 1) ?? "";
    const behind = this.#at + 1 + name.length;
    if (this.#peek(behindName, behind) === undefined) return this.#badCharacter(behind);
    const text = this.#text.slice(this.#at, behind);
    return text === "." ? this.#put("keyword", ".") : this.#put(kind, text);
  }

  #word(name: string): boolean {
    const behind = this.#at + name.length;
    if (this.#peek(behindName, behind) === undefined) return this.#badCharacter(behind);
    if (keywords.has(name)) return this.#put("keyword", name);
    return this.#put(name === "true" || name === "false" ? "bool" : "word", name);
  }

  #number(): boolean {
    const literal = this.#peek(numeral) ?? "";
    const behind = this.#text.slice(this.#at + literal.length);
    const stray = /^[\p{L}\p{Nd}_]|^[-+]/u.exec(behind)?.[0] ?? "";
    if (stray !== "") return this.#fail(`bad number syntax: ${quoteText(literal + stray)}`);
    return this.#put("number", literal);
  }

  #badCharacter(position: number): boolean {
    const found = String.fromCodePoint(this.#text.codePointAt(position) ?? 0);
    return this.#fail(`bad character ${shown(found)}`);
  }

  /** Adds a token, if there is anything to it. Always true. */
  #put(kind: Token["kind"], text: string, length = text.length): true {
    if (text !== "" && !(kind === "space" && length === 0)) {
      this.#tokens.push({ kind, text, position: this.#at, line: this.#line });
    }
    this.#move(length);
    return true;
  }

  #fail(message: string): false {
    this.#tokens.push({ kind: "error", text: message, position: this.#at, line: this.#line });
    return false;
  }

  #move(length: number): void {
    this.#line += this.#text.slice(this.#at, this.#at + length).split("\n").length - 1;
    this.#at += length;
  }

  /** Returns what a sticky expression matches, here or at `position`. */
  #peek(expression: RegExp, position = this.#at): string | undefined {
    expression.lastIndex = position;
    return expression.exec(this.#text)?.[0];
  }
}

function shown(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  const code = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  return isPrintable(character) ? `${code} ${quoteCharacter(point)}` : code;
}
