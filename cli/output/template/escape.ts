// Escaping: text as it may stand in another language.

import { bytesOf, isPrintable, isStray, mapText } from "./go-text.ts";

const htmlEscapes: ReadonlyMap<string, string> = new Map([
  ["\0", "\ufffd"],
  ['"', "&#34;"],
  ["'", "&#39;"],
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
]);

/** Returns a text as it may stand in HTML. */
export function escapeHtml(text: string): string {
  return mapText(text, (character) => htmlEscapes.get(character) ?? character, isStray);
}

/** Returns a text as it may stand in a string of JavaScript. */
export function escapeScript(text: string): string {
  return mapText(text, scriptEscape, isStray);
}

function scriptEscape(character: string): string {
  if (/["'\\]/.test(character)) return `\\${character}`;
  const point = character.codePointAt(0) ?? 0;
  const shown = point < 0x80 ? /[^\0-\x1f<>&=]/.test(character) : isPrintable(character);
  return shown ? character : `\\u${point.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Returns a text as it may stand in the query of a URL. */
export function escapeQuery(text: string): string {
  const safe = /[A-Za-z0-9\-_.~]/;
  return [...bytesOf(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (character === " ") return "+";
      if (byte < 0x80 && safe.test(character)) return character;
      return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}
