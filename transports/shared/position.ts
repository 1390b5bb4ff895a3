// Position: the number behind the @ that picks an image out of several.

import { Failure } from "../../core/failure.ts";

/**
 * Parses a position, which counts from zero. Fails with `usage`, in the original's words; `prefix` is what
 * a transport says before it is told that something is no integer.
 */
export function parsePosition(text: string, prefix = ""): number {
  const fault = (what: string): Failure =>
    new Failure("usage", `Invalid source index @${text}: ${what}`);
  const notAnInteger = (why: string): Failure =>
    fault(`${prefix}strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[+-]?[0-9]+$/.test(text)) throw notAnInteger("invalid syntax");
  const position = Number(text);
  if (!Number.isSafeInteger(position)) throw notAnInteger("value out of range");
  if (position < 0) throw fault("must not be negative");
  return Math.abs(position);
}
