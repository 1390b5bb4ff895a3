// Go text: strings that are bytes underneath, as Go's are.
//
// A template may cut a string in the middle of a character. What is left over then is no character:
// each such byte is kept as one of the code units U+DC80 to U+DCFF, which no proper text contains.

/** Returns the bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text);
  return Buffer.concat(
    [...text].map((character) => {
      const point = character.codePointAt(0) ?? 0;
      return isStray(point) ? Uint8Array.of(point & 0xff) : Buffer.from(character);
    }),
  );
}

/** Returns the text of bytes, such that `bytesOf` gives the same bytes again. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    if (length === 0) text += String.fromCharCode(0xdc00 + (bytes[at++] ?? 0));
    else text += Buffer.from(bytes.subarray(at, (at += length))).toString();
  }
  return text;
}

/** Tells whether a code point stands for a byte that belongs to no character. */
export function isStray(point: number): boolean {
  return point >= 0xdc80 && point <= 0xdcff;
}

/** Compares texts by their bytes; negative if `a` comes first. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(bytesOf(a), bytesOf(b));
}

/** Returns `text` in double quotes as Go writes it; with `ascii`, in ASCII alone. */
export function quoteText(text: string, ascii = false): string {
  return `"${[...text].map((character) => escaped(character, '"', ascii)).join("")}"`;
}

/** Returns the character in single quotes as Go writes it; with `ascii`, in ASCII alone. */
export function quoteCharacter(point: number, ascii = false): string {
  return `'${escaped(characterOf(point), "'", ascii)}'`;
}

/** Returns the character of a code point, or U+FFFD if there is none. */
export function characterOf(point: number): string {
  const valid = point >= 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
  return String.fromCodePoint(valid ? point : 0xfffd);
}

/** Returns what a quoted literal of Go's means, quotes and all; undefined if it is malformed. */
export function unquote(literal: string): string | undefined {
  const quote = literal[0] ?? "";
  const inner = literal.slice(1, -1);
  if (quote === "`") return inner.replaceAll("\r", "");
  const bytes: Uint8Array[] = [];
  const part = quote === '"' ? partOfText : partOfCharacter;
  part.lastIndex = 0;
  while (part.lastIndex < inner.length) {
    const found = part.exec(inner)?.[0];
    const meant = found === undefined ? undefined : meaningOf(found);
    if (meant === undefined) return undefined;
    bytes.push(meant);
  }
  return textOf(Buffer.concat(bytes));
}

/**
 * Returns a text with each of its characters changed. What is none counts as U+FFFD, unless `keeps`
 * wants it as it is.
 */
export function mapText(
  text: string,
  change: (character: string) => string,
  keeps: (point: number) => boolean = () => false,
): string {
  return [...text]
    .map((character) => {
      if (keeps(character.codePointAt(0) ?? 0)) return character;
      return change(character.toWellFormed());
    })
    .join("");
}

/** Tells whether Go regards a character as one that can be shown. */
export function isPrintable(character: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character);
}

const escapes = String.raw`[^\\\n]|\\(?:[abfnrtv\\]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}`;
const partOfText = new RegExp(`(?!")${escapes}|")`, "uy");
const partOfCharacter = new RegExp(`(?!')${escapes}|')`, "uy");

const letters: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);
const letterOf = new Map([...letters].map(([letter, character]) => [character, letter]));

function meaningOf(part: string): Uint8Array | undefined {
  if (!part.startsWith("\\")) return Buffer.from(part);
  const kind = part[1] ?? "";
  if (/[0-7]/.test(kind)) {
    const byte = Number.parseInt(part.slice(1), 8);
    return byte > 255 ? undefined : Uint8Array.of(byte);
  }
  if (part.length === 2) return Buffer.from(letters.get(kind) ?? kind);
  const point = Number.parseInt(part.slice(2), 16);
  if (kind === "x") return Uint8Array.of(point);
  const character = characterOf(point);
  return character.codePointAt(0) === point ? Buffer.from(character) : undefined;
}

function escaped(character: string, quote: string, ascii: boolean): string {
  if (character === quote || character === "\\") return `\\${character}`;
  const point = character.codePointAt(0) ?? 0;
  if (isPrintable(character) && !(ascii && point > 0x7e)) return character;
  const letter = letterOf.get(character);
  if (letter !== undefined) return `\\${letter}`;
  if (isStray(point)) return `\\x${hex(point & 0xff, 2)}`;
  if (point < 0x20 || point === 0x7f) return `\\x${hex(point, 2)}`;
  return point < 0x10000 ? `\\u${hex(point, 4)}` : `\\U${hex(point, 8)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** Returns how many bytes the character at `at` has; 0 if there is none. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const piece = Buffer.from(bytes.subarray(at, at + length));
  const valid = piece.length === length && Buffer.from(piece.toString()).equals(piece);
  return valid && [...piece.toString()].length === 1 ? length : 0;
}
