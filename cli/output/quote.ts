// Quoting: text from outside, so shown that it can neither move the cursor nor start a line.

/** Returns `text` as Go's `%q` spells it: in double quotes, everything unprintable escaped. */
export function quoted(text: string): string {
  return `"${escaped(text).replace(/"/g, '\\"')}"`;
}

/** Returns a character as Go's `%q` spells it: in single quotes. */
export function quotedCharacter(character: string): string {
  return `'${escaped(character).replace(/'/g, "\\'")}'`;
}

/** Tells whether a value may stand in a log line without quotes. An empty one may, as in the original. */
export function isPlainWord(text: string): boolean {
  return /^[A-Za-z0-9._/@^+-]*$/.test(text) && !text.endsWith("\n");
}

/** Returns `text` for a terminal: lines stay lines, and everything else unprintable is escaped. */
export function harmless(text: string): string {
  return text.replace(unprintable, (found) => (/[\n\t\\]/.test(found) ? found : escape(found)));
}

// What Go's unicode.IsPrint denies, and the backslash that the escapes begin with.
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|\\/gu;

const short: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

function escaped(text: string): string {
  return text.replace(unprintable, escape);
}

function escape(character: string): string {
  const known = short[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
