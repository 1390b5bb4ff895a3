// JSON as the original prints it, byte for byte.

import { encodeJson } from "../../core/json.ts";

/** Returns a value as the result of a command: on several lines, the last one ended. */
export function encodePretty(value: unknown): string {
  return `${encodeJson(value, "    ")}\n`;
}

/** Returns a value on one line, without the escapes that only HTML needs. */
export function encodeCompact(value: unknown): string {
  // Every backslash of JSON begins an escape, so that escapes are all that can match here.
  return encodeJson(value).replace(/\\(u003c|u003e|u0026|.)/g, (escape) => {
    return escape.length === 6 ? String(JSON.parse(`"${escape}"`)) : escape;
  });
}

/** Returns JSON without what could move a cursor or turn the writing around, escaped instead. */
export function harmlessJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
