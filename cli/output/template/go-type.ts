// Go types, and the values and functions that have them: what a template works on.
//
// Errors and `%T` show the names of types, so no value goes without one.

import type { Moment } from "./moment.ts";

/** A type of Go's, as far as images need them. */
export type GoType = BasicType | SliceType | MapType | StructType | PointerType;

interface NamedType {
  /** As `%T` prints it. */
  readonly name: string;
  /** Absent where values of the type have none. */
  readonly methods?: Methods;
}

/** What may be called on a value: returns the function with the value bound to it. */
export type Methods = Readonly<Record<string, (receiver: GoValue) => GoFunction>>;

/** A type that has no parts; `any` takes every value, and none. */
export interface BasicType extends NamedType {
  readonly kind: "bool" | "integer" | "float" | "string" | "time" | "any";
}

/** A list of values of one type. */
export interface SliceType extends NamedType {
  readonly kind: "slice";
  readonly element: GoType;
}

/** A map whose keys are strings. */
export interface MapType extends NamedType {
  readonly kind: "map";
  readonly element: GoType;
}

/** A record of named fields. */
export interface StructType extends NamedType {
  readonly kind: "struct";
  readonly fields: readonly GoField[];
}

/** A reference to a value of another type, or to none. */
export interface PointerType extends NamedType {
  readonly kind: "pointer";
  readonly target: GoType;
}

/** One field of a struct. */
export interface GoField {
  readonly name: string;
  readonly type: GoType;
  /** Its name in JSON; empty if the field's own fields take its place there. */
  readonly json: string;
  /** Whether JSON leaves it out when it is empty. */
  readonly optional: boolean;
}

/** A value with its type. Where there may be none at all (an untyped nil), it is undefined. */
export type GoValue =
  | { readonly kind: "bool"; readonly type: BasicType; readonly value: boolean }
  | { readonly kind: "integer"; readonly type: BasicType; readonly value: bigint }
  | { readonly kind: "float"; readonly type: BasicType; readonly value: number }
  | { readonly kind: "string"; readonly type: BasicType; readonly value: string }
  | { readonly kind: "time"; readonly type: BasicType; readonly value: Moment }
  /** What stands in a slice of `any`: only its fields can be reached, errors do not see its type. */
  | { readonly kind: "any"; readonly type: BasicType; readonly value: GoValue }
  | SliceValue
  | MapValue
  | StructValue
  | PointerValue;

/** Values in order. */
export interface SliceValue {
  readonly kind: "slice";
  readonly type: SliceType;
  /** Undefined for a nil slice. */
  readonly items: readonly GoValue[] | undefined;
}

/** Values by name. */
export interface MapValue {
  readonly kind: "map";
  readonly type: MapType;
  /** In the order of the keys; undefined for a nil map. */
  readonly entries: ReadonlyMap<string, GoValue> | undefined;
}

/** The values of a record. */
export interface StructValue {
  readonly kind: "struct";
  readonly type: StructType;
  /** In the order of the type's fields. */
  readonly fields: readonly GoValue[];
}

/** A reference to another value. */
export interface PointerValue {
  readonly kind: "pointer";
  readonly type: PointerType;
  /** Undefined for a nil pointer. */
  readonly target: GoValue | undefined;
}

/** Something a template can call. */
export interface GoFunction {
  readonly parameters: readonly GoType[];
  /** The type of any number of further arguments; absent if there may be none. */
  readonly variadic?: GoType;
  /** Whether an argument that settles the matter keeps the others from being evaluated. */
  readonly settledBy?: boolean;
  /** Fails with `usage`, saying what the arguments lack. */
  call(...given: readonly (GoValue | undefined)[]): GoValue | undefined;
}

/** Go's truth values. */
export const boolType: BasicType = { kind: "bool", name: "bool" };
/** The type of numbers in a template, unless they have a fraction. */
export const intType: BasicType = { kind: "integer", name: "int" };
/** Sizes and times. */
export const int64Type: BasicType = { kind: "integer", name: "int64" };
/** What a text consists of. */
export const byteType: BasicType = { kind: "integer", name: "uint8" };
/** Numbers with a fraction. */
export const floatType: BasicType = { kind: "float", name: "float64" };
/** Texts. */
export const stringType: BasicType = { kind: "string", name: "string" };
/** The type of what may be anything, or nothing. */
export const anyType: BasicType = { kind: "any", name: "interface {}" };

/** Returns the type of slices of `element`. */
export function sliceOf(element: GoType): SliceType {
  return { kind: "slice", name: `[]${element.name}`, element };
}

/** Returns the type of maps from strings to `element`. */
export function mapOf(element: GoType): MapType {
  return { kind: "map", name: `map[string]${element.name}`, element };
}

/** Returns the type of pointers to `target`. */
export function pointerTo(target: GoType): PointerType {
  return { kind: "pointer", name: `*${target.name}`, target };
}

/** Lists of texts. */
export const stringsType = sliceOf(stringType);
