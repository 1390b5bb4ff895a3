// JSON schemas: descriptions of the JSON that this program writes, checked against its types.
//
// See https://json-schema.org/draft/2020-12

import type { JsonObject } from "./json.ts";

/** Some schema. */
export interface Schema {
  readonly schema: JsonObject;
}

/** The schema of values of type T. */
export interface Described<T> extends Schema {
  /** Never there: it only ties the schema to the type. */
  readonly type?: (value: T) => T;
}

/** The schema of a member that may be absent. */
export interface Optional<T> {
  readonly optional: Described<T>;
}

/** Schemas for all members of T: whoever adds one to the type has to describe it. */
export type Members<T> = {
  readonly [K in keyof T]-?: {} extends Pick<T, K>
    ? Optional<Exclude<T[K], undefined>>
    : Described<T[K]>;
};

/** Schemas for members, whatever they are of. */
export type AnyMembers = Readonly<Record<string, Schema | { readonly optional: Schema }>>;

/** Any text. */
export function text<T extends string = string>(says: string): Described<T> {
  return { schema: { type: "string", description: says } };
}

/** A digest, such as `sha256:…`. */
export function digest<T extends string = string>(says: string): Described<T> {
  return {
    schema: { type: "string", pattern: "^[a-z0-9]+:[0-9a-f]+$", description: says },
  };
}

/** One of several words; all of them have to be named. */
export function word<T extends string>(words: Readonly<Record<T, true>>, says = ""): Described<T> {
  return { schema: { enum: Object.keys(words), ...(says !== "" && { description: says }) } };
}

/** True or false. */
export function flag(says: string): Described<boolean> {
  return { schema: { type: "boolean", description: says } };
}

/** A whole number from 0. */
export function count(says: string): Described<number> {
  return { schema: { type: "integer", minimum: 0, description: says } };
}

/** Any number from 0. */
export function amount(says: string): Described<number> {
  return { schema: { type: "number", minimum: 0, description: says } };
}

/** Any number of values. */
export function list<T>({ schema }: Described<T>, says: string): Described<readonly T[]> {
  return { schema: { type: "array", items: schema, description: says } };
}

/** An object with members of any names. */
export function record<T>(
  { schema }: Described<T>,
  says: string,
): Described<Readonly<Record<string, T>>> {
  return { schema: { type: "object", additionalProperties: schema, description: says } };
}

/** One of several objects, told apart by their `kind`. */
export function either<T extends { readonly kind: string }>(
  kinds: { readonly [K in T["kind"]]: Members<Omit<Extract<T, { readonly kind: K }>, "kind">> },
  says: string,
): Described<T> {
  const options = Object.entries<AnyMembers>(kinds).map(
    ([kind, members]) => anyObject({ kind: { schema: { const: kind } }, ...members }).schema,
  );
  return { schema: { oneOf: options, description: says } };
}

/** A value that may be absent. */
export function optional<T>(described: Described<T>): Optional<T> {
  return { optional: described };
}

/** An object with these members, and perhaps others that later versions add. */
export function object<T>(members: Members<T>, says = ""): Described<T> {
  return anyObject(members, says);
}

/** Likewise, where no type says which members there are. */
export function anyObject(members: AnyMembers, says = ""): Schema {
  const properties: Record<string, JsonObject> = {};
  const required: string[] = [];
  for (const [name, member] of Object.entries(members)) {
    if ("optional" in member) {
      properties[name] = member.optional.schema;
    } else {
      properties[name] = member.schema;
      required.push(name);
    }
  }
  return {
    schema: { type: "object", ...(says !== "" && { description: says }), properties, required },
  };
}
