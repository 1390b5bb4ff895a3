// Numbers: literals as templates write them, and the decimal spellings that printing wants.

import { isStray, quoteText, unquote } from "./go-text.ts";
import type { NumberOperand } from "./syntax.ts";

/** What a number literal means. */
export type NumberMeaning = Pick<NumberOperand, "integer" | "float" | "ideal">;

/** Returns what a number or character literal means or, if it means nothing, what is wrong with it. */
export function readNumber(literal: string): NumberMeaning | string {
  if (literal.startsWith("'")) return readCharacter(literal);
  const text = literal.replace(/^[+-]/, "");
  const sign = literal.startsWith("-") ? -1 : 1;
  if (!isSeparatedWell(text)) return `illegal number syntax: ${quoteText(literal)}`;
  const integer = readInteger(text.replaceAll("_", ""));
  if (integer !== undefined) {
    if (integer >= 1n << 64n || (sign < 0 && integer > 1n << 63n)) {
      return `integer overflow: ${quoteText(literal)}`;
    }
    const signed = integer * BigInt(sign);
    return { integer: signed, float: Number(signed), ideal: "integer" };
  }
  // Such as 09, whose first digit promises an octal number.
  if (/^[0-9_]+$/.test(text)) return `integer overflow: ${quoteText(literal)}`;
  const float = readFloat(text.replaceAll("_", ""));
  if (float === undefined) return `illegal number syntax: ${quoteText(literal)}`;
  const whole = Number.isInteger(float) && Math.abs(float) < 2 ** 63;
  const signed = sign * float;
  return { float: signed, ideal: "float", ...(whole ? { integer: BigInt(signed) } : {}) };
}

function readCharacter(literal: string): NumberMeaning | string {
  const meant = unquote(literal);
  if (meant === undefined || meant === "") return "invalid syntax";
  const points = [...meant].map((character) => character.codePointAt(0) ?? 0);
  const [point = 0] = points;
  if (points.length > 1) return `malformed character constant: ${literal}`;
  const value = isStray(point) ? point & 0xff : point;
  return { integer: BigInt(value), float: value, ideal: "integer" };
}

/** Underscores stand between digits, or behind the prefix of a base, and nowhere else. */
function isSeparatedWell(text: string): boolean {
  return !/__|_$|^_|_[.eEpP+-]|[.eEpP+-]_/.test(text) || /^0[xX][^_]*e[^_]*$/.test(text);
}

function readInteger(text: string): bigint | undefined {
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  if (/^(?:0|[1-9]\d*|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(text)) return BigInt(text);
  return undefined;
}

function readFloat(text: string): number | undefined {
  const hex = /^0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(text);
  if (hex !== null) {
    const [, whole = "", fraction = "", exponent = "0"] = hex;
    if (whole + fraction === "") return undefined;
    return Number.parseInt(whole + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
  }
  if (!/^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Digits and a decimal exponent: `0.d₁d₂… × 10^point`. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/**
 * Writes a finite number that is not negative as `%e`, `%f` or `%g` do.
 *
 * Without a precision, with as few digits as tell the number from all others.
 */
export function formatFloat(value: number, verb: "e" | "f" | "g", precision?: number): string {
  switch (verb) {
    case "e": {
      const decimal = precision === undefined ? shortest(value) : significant(value, precision + 1);
      return exponential(decimal);
    }
    case "f":
      return precision === undefined ? plain(shortest(value)) : fixed(value, precision);
    case "g":
      return general(value, precision);
  }
}

/** Whichever of the other two is more readable, without zeros at the end. */
function general(value: number, precision: number | undefined): string {
  const wanted = precision === undefined ? undefined : Math.max(precision, 1);
  const rounded = wanted === undefined ? shortest(value) : significant(value, wanted);
  const digits = rounded.digits.replace(/0+$/, "");
  const decimal = { digits: digits || "0", point: rounded.point };
  const wide = wanted !== undefined && wanted > digits.length && digits.length >= rounded.point;
  const limit = wide ? digits.length : (wanted ?? 6);
  const exponent = value === 0 ? 0 : rounded.point - 1;
  return exponent < -4 || exponent >= limit ? exponential(decimal) : plain(decimal);
}

function shortest(value: number): Decimal {
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  return { digits: mantissa.replace(".", ""), point: Number(exponent) + 1 };
}

/** Rounds to a number of significant digits, halves to even. */
function significant(value: number, count: number): Decimal {
  if (value === 0) return { digits: "0".repeat(count), point: 1 };
  const { point } = shortest(value);
  const digits = String(scaled(value, count - point));
  return { digits: digits.slice(0, count), point: point + digits.length - count };
}

function fixed(value: number, places: number): string {
  const digits = String(scaled(value, places)).padStart(places + 1, "0");
  const cut = digits.length - places;
  return places === 0 ? digits : `${digits.slice(0, cut)}.${digits.slice(cut)}`;
}

/** Returns `value × 10^places` as a whole number, exactly rounded, halves to even. */
function scaled(value: number, places: number): bigint {
  // A float is a whole number times a power of two.
  let exponent = 0;
  let whole = value;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    exponent--;
  }
  const numerator = BigInt(whole) * (places > 0 ? 10n ** BigInt(places) : 1n);
  const denominator = (1n << BigInt(-exponent)) * (places < 0 ? 10n ** BigInt(-places) : 1n);
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function exponential({ digits, point }: Decimal): string {
  const exponent = /^0*$/.test(digits) ? 0 : point - 1;
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
}

function plain({ digits, point }: Decimal): string {
  if (/^0*$/.test(digits)) return "0";
  if (point <= 0) return `0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return digits.padEnd(point, "0");
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}
