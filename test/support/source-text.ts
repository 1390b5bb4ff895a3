// Source text: what a TypeScript file says in code, apart from what it says in comments and strings.

/**
 * Returns the code of a source that the formatter has seen, character for character.
 *
 * Blanks stand for comments and for what is inside strings, templates and regular expressions.
 */
export function codeOf(text: string): string {
  return new Scanner(text).code();
}

const wordsBeforeAnExpression = new Set([
  ..."await case delete do else extends in instanceof new of return throw typeof void yield".split(
    " ",
  ),
]);

class Scanner {
  readonly #text: string;
  readonly #code: string[];
  /** For each template that is open: how many braces are, inside its current `${`. */
  readonly #templates: number[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#code = text.split("");
  }

  code(): string {
    while (this.#at < this.#text.length) this.#step();
    return this.#code.join("");
  }

  #step(): void {
    const next = this.#text[this.#at] ?? "";
    const pair = this.#text.slice(this.#at, this.#at + 2);
    if (pair === "//") return this.#comment("\n", 0);
    if (pair === "/*") return this.#comment("*/", 2);
    if (next === '"' || next === "'") return this.#quoted(next);
    if (next === "/" && this.#expressionMayBegin()) return this.#expression();
    if (next === "`") return this.#template();
    this.#brace(next);
  }

  #brace(next: string): void {
    const open = this.#templates.length - 1;
    const depth = this.#templates[open];
    if (depth !== undefined && next === "{") this.#templates[open] = depth + 1;
    if (depth === 0 && next === "}") {
      this.#templates.pop();
      return this.#template();
    }
    if (depth !== undefined && next === "}") this.#templates[open] = depth - 1;
    this.#at++;
  }

  #comment(end: string, kept: number): void {
    const found = this.#text.indexOf(end, this.#at + 2);
    this.#leaveOut(found < 0 ? this.#text.length : found + kept, 0);
  }

  #quoted(quote: string): void {
    let stop = this.#at + 1;
    while (stop < this.#text.length && this.#text[stop] !== quote) {
      stop += this.#text[stop] === "\\" ? 2 : 1;
    }
    this.#leaveOut(stop + 1, 1);
  }

  #expression(): void {
    let stop = this.#at + 1;
    let inClass = false;
    while (stop < this.#text.length && (inClass || this.#text[stop] !== "/")) {
      if (this.#text[stop] === "[") inClass = true;
      if (this.#text[stop] === "]") inClass = false;
      stop += this.#text[stop] === "\\" ? 2 : 1;
    }
    this.#leaveOut(stop + 1, 1);
  }

  /** From a backquote, or from the brace that ends an expression, to whichever comes next. */
  #template(): void {
    let stop = this.#at + 1;
    while (stop < this.#text.length && this.#text[stop] !== "`") {
      if (this.#text.startsWith("${", stop)) {
        this.#templates.push(0);
        this.#leaveOut(stop + 2, 1);
        return;
      }
      stop += this.#text[stop] === "\\" ? 2 : 1;
    }
    this.#leaveOut(stop + 1, 1);
  }

  #expressionMayBegin(): boolean {
    const before = this.#code
      .slice(Math.max(0, this.#at - 200), this.#at)
      .join("")
      .trimEnd();
    const word = /[\w$]+$/.exec(before)?.[0];
    if (word !== undefined) return wordsBeforeAnExpression.has(word);
    return !/[)\]}"'`]$/.test(before);
  }

  /** Goes on to `stop`, and blanks what is passed, but for some characters at both ends. */
  #leaveOut(stop: number, kept: number): void {
    for (let index = this.#at + kept; index < Math.min(stop - kept, this.#code.length); index++) {
      if (this.#code[index] !== "\n") this.#code[index] = " ";
    }
    this.#at = stop;
  }
}
