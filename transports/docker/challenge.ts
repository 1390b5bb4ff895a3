// Challenges: what a server asks for before it answers.

/** One way in that a server offers. */
export interface Challenge {
  /** In lower case, such as `bearer`. */
  readonly scheme: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Returns the challenges of an answer, in order.
 *
 * Reading stops at the first piece that is malformed; what came before it counts. Several challenges
 * may stand in one line, since that is also how several lines arrive here.
 */
export function challengesOf(headers: Headers): readonly Challenge[] {
  const challenges: Challenge[] = [];
  const text = new Scanner(headers.get("www-authenticate") ?? "");
  for (;;) {
    text.skip(separators);
    const scheme = text.take(token);
    if (scheme === "") return challenges;
    const parameters = new Map<string, string>();
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    if (!readParameters(text, parameters)) return challenges;
  }
}

/** Returns the first challenge of a scheme. */
export function challengeFor(
  challenges: readonly Challenge[],
  scheme: string,
): Challenge | undefined {
  return challenges.find((challenge) => challenge.scheme === scheme);
}

// See https://www.rfc-editor.org/rfc/rfc9110#section-11.3. All are sticky, so each character is looked
// at a bounded number of times.
const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const separators = /[ \t,]+/y;
const comma = /[ \t]*,[ \t,]*/y;
const blank = /[ \t]+/y;
const assigned = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*(?=[^=, \t])/y;
const token68 = /[-._~+/0-9A-Za-z]+=*(?=[ \t]*(?:,|$))/y;
const quotedString = /"((?:[^"\\]|\\[^])*)"/y;

/** Tells whether the list ended where another challenge, or the end, may follow. */
function readParameters(text: Scanner, parameters: Map<string, string>): boolean {
  text.skip(blank);
  for (;;) {
    const [, name] = text.match(assigned) ?? [];
    if (name === undefined) break;
    const quoted = text.match(quotedString)?.[1];
    const value = quoted?.replace(/\\([^])/g, "$1") ?? text.take(token);
    if (quoted === undefined && value === "") return false;
    parameters.set(name.toLowerCase(), value);
    if (!text.skip(comma)) return text.ended;
  }
  if (parameters.size === 0) text.take(token68);
  return true;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get ended(): boolean {
    return this.#at >= this.#text.length;
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  take(pattern: RegExp): string {
    return this.match(pattern)?.[0] ?? "";
  }

  skip(pattern: RegExp): boolean {
    return this.match(pattern) !== null;
  }
}
