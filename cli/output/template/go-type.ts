// Go types: what kind of thing a template sees. Errors and `%T` show their names.

import type { GoFunction, GoValue } from "./go-value.ts";

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

export interface SliceType extends NamedType {
  readonly kind: "slice";
  readonly element: GoType;
}

/** A map whose keys are strings. */
export interface MapType extends NamedType {
  readonly kind: "map";
  readonly element: GoType;
}

export interface StructType extends NamedType {
  readonly kind: "struct";
  readonly fields: readonly GoField[];
}

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

export const boolType: BasicType = { kind: "bool", name: "bool" };
export const intType: BasicType = { kind: "integer", name: "int" };
export const int64Type: BasicType = { kind: "integer", name: "int64" };
export const byteType: BasicType = { kind: "integer", name: "uint8" };
export const floatType: BasicType = { kind: "float", name: "float64" };
export const stringType: BasicType = { kind: "string", name: "string" };
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

export const stringsType = sliceOf(stringType);
