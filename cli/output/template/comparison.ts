// Comparisons: what is equal and what comes first, as Go's templates see it.

import { compareText } from "./go-text.ts";
import type { GoType, GoValue } from "./go-type.ts";
import { templateFailure, unwrapped } from "./go-value.ts";
import { formatValue, printValue } from "./printf.ts";

type Given = GoValue | undefined;

/** Tells whether a value equals one of several. Fails if there are none, or they cannot be compared. */
export function equalsAny(value: Given, others: readonly Given[]): boolean {
  if (others.length === 0) throw templateFailure("missing argument for comparison");
  return others.some((other) => equals(unwrapped(value), unwrapped(other)));
}

function equals(a: Given, b: Given): boolean {
  if (a === undefined || b === undefined) return isNil(a) && isNil(b);
  const [basicA, basicB] = [isBasic(a), isBasic(b)];
  if (basicA !== basicB || (basicA && a.kind !== b.kind)) throw incompatible(a, b);
  if (basicA) return "value" in a && "value" in b && a.value === b.value;
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (!isComparable(b.type)) throw incomparable(b);
  return isSame(a, b);
}

/** Whether two values of a comparable type are the same. */
function isSame(a: GoValue, b: GoValue): boolean {
  if (a.type.name !== b.type.name) return false;
  if (a.kind === "pointer" && b.kind === "pointer") return a.target === b.target;
  return printValue(a) === printValue(b);
}

/** Tells whether one value comes before another. Fails unless both are numbers or texts. */
export function isLess(left: Given, right: Given): boolean {
  const [a, b] = [unwrapped(left), unwrapped(right)];
  if (a === undefined || b === undefined || !isBasic(a) || !isBasic(b)) {
    throw templateFailure("invalid type for comparison");
  }
  if (a.kind === "string" && b.kind === "string") return compareText(a.value, b.value) < 0;
  if (a.kind === "integer" && b.kind === "integer") return a.value < b.value;
  if (a.kind === "float" && b.kind === "float") return a.value < b.value;
  if (a.kind === "bool" && b.kind === "bool") throw templateFailure("invalid type for comparison");
  throw incompatible(a, b);
}

function isBasic({ kind }: GoValue): boolean {
  return kind === "bool" || kind === "integer" || kind === "float" || kind === "string";
}

function isNil(value: Given): boolean {
  switch (value?.kind) {
    case undefined:
      return true;
    case "slice":
      return value.items === undefined;
    case "map":
      return value.entries === undefined;
    case "pointer":
      return value.target === undefined;
    default:
      return false;
  }
}

function isComparable(type: GoType): boolean {
  if (type.kind === "struct") return type.fields.every((field) => isComparable(field.type));
  return type.kind !== "slice" && type.kind !== "map";
}

function incompatible(a: GoValue, b: GoValue): Error {
  const types = `${a.type.name} and ${b.type.name}`;
  return templateFailure(`incompatible types for comparison: ${types}`);
}

function incomparable(value: GoValue): Error {
  return templateFailure(`non-comparable type ${shownAsText(value)}: ${value.type.name}`);
}

function shownAsText(value: GoValue): string {
  const flags = { plus: false, minus: false, sharp: false, space: false, zero: false };
  return formatValue(value, { letter: "s", ...flags });
}
