// Go values: what a template works on.

import { Failure } from "../../../core/failure.ts";
import {
  type BasicType,
  boolType,
  floatType,
  type GoFunction,
  type GoType,
  type GoValue,
  intType,
  type PointerType,
  type SliceValue,
  stringsType,
  stringType,
} from "./go-type.ts";
import { zeroMoment } from "./moment.ts";

/** Returns what goes wrong in a template, for the user who wrote it. */
export function templateFailure(message: string): Failure {
  return new Failure("usage", message);
}

/** Returns a truth value. */
export function boolValue(value: boolean): GoValue {
  return { kind: "bool", type: boolType, value };
}

/** Returns a whole number, an `int` unless another type is given. */
export function integerValue(value: bigint | number, type: BasicType = intType): GoValue {
  return { kind: "integer", type, value: BigInt(value) };
}

/** Returns a number with a fraction. */
export function floatValue(value: number): GoValue {
  return { kind: "float", type: floatType, value };
}

/** Returns a text, a `string` unless another type is given. */
export function stringValue(value: string, type: BasicType = stringType): GoValue {
  return { kind: "string", type, value };
}

/** Returns a slice of strings; nil if there are none to speak of. */
export function stringsValue(items: readonly string[] | undefined): SliceValue {
  return { kind: "slice", type: stringsType, items: items?.map((item) => stringValue(item)) };
}

/** Returns the value a variable of this type has before anything is assigned to it; none for `any`. */
export function zeroOf(type: GoType): GoValue | undefined {
  switch (type.kind) {
    case "slice":
      return { kind: "slice", type, items: undefined };
    case "map":
      return { kind: "map", type, entries: undefined };
    case "pointer":
      return { kind: "pointer", type, target: undefined };
    case "struct":
      return {
        kind: "struct",
        type,
        fields: type.fields.flatMap(({ type }) => zeroOf(type) ?? []),
      };
    case "bool":
      return { kind: "bool", type, value: false };
    case "integer":
      return { kind: "integer", type, value: 0n };
    case "float":
      return { kind: "float", type, value: 0 };
    case "string":
      return { kind: "string", type, value: "" };
    case "time":
      return { kind: "time", type, value: zeroMoment };
    case "any":
      return undefined;
  }
}

/** Returns what an `any` holds, and every other value as it is. */
export function unwrapped(value: GoValue | undefined): GoValue | undefined {
  return value?.kind === "any" ? value.value : value;
}

/** Returns what a value points at, through an `any` too; itself if it is no pointer or a nil one. */
export function indirect(value: GoValue | undefined): GoValue | undefined {
  const held = unwrapped(value);
  return held?.kind === "pointer" && held.target !== undefined ? held.target : held;
}

/** Tells whether a value counts as true: it is there, and neither zero nor empty. */
export function isTruth(value: GoValue | undefined): boolean {
  switch (value?.kind) {
    case undefined:
      return false;
    case "bool":
      return value.value;
    case "integer":
      return value.value !== 0n;
    case "float":
      return value.value !== 0;
    case "string":
      return value.value !== "";
    case "slice":
      return value.items !== undefined && value.items.length > 0;
    case "map":
      return value.entries !== undefined && value.entries.size > 0;
    case "pointer":
      return value.target !== undefined;
    case "any":
      return isTruth(value.value);
    case "struct":
    case "time":
      return true;
  }
}

/** Returns a method of a value; methods of what a pointer points at are methods of the pointer. */
export function methodOf(value: GoValue, name: string): GoFunction | undefined {
  const { type } = value;
  const methods = type.kind === "pointer" ? type.target.methods : type.methods;
  if (methods === undefined || !Object.hasOwn(methods, name)) return undefined;
  const method = methods[name];
  if (value.kind !== "pointer") return method?.(value);
  if (value.target !== undefined) return method?.(value.target);
  const zero = zeroOf(value.type.target);
  const bound = zero && method?.(zero);
  return bound && { ...bound, call: () => fail(nilReceiver(value.type, name)) };
}

function nilReceiver({ target }: PointerType, method: string): string {
  const short = target.name.slice(target.name.lastIndexOf(".") + 1);
  return `value method ${target.name}.${method} called using nil *${short} pointer`;
}

function fail(message: string): never {
  throw templateFailure(message);
}
