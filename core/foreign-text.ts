// Foreign text: how words from outside are shown without letting them act.

import { limits } from "./limits.ts";

/**
 * Returns `text` fit for a message: characters that start lines, move a cursor or turn the writing
 * direction are spelled as escapes, and what exceeds `limit` characters is cut.
 */
export function shown(text: string, limit: number = limits.shownCharacters): string {
  const cut = text.length > limit;
  const kept = cut ? text.slice(0, limit) : text;
  return kept.replace(acting, escaped) + (cut ? "…" : "");
}

/** Returns `text` as `shown` does, in double quotes; quotes and backslashes within are escaped. */
export function quoted(text: string, limit: number = limits.shownCharacters): string {
  const inner = text.slice(0, limit).replace(/["\\]/g, "\\$&");
  const cut = text.length > limit ? "…" : "";
  return `"${inner.replace(acting, escaped)}${cut}"`;
}

// C0, DEL and C1; marks and overrides of the writing direction; line and paragraph separators.
const acting = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  const known = short[character];
  if (known !== undefined) return known;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}
