// JSON of Go values: which members there are, under which names.

import type { GoValue, StructValue } from "./go-type.ts";
import { isTruth, unwrapped } from "./go-value.ts";
import { momentJson } from "./moment.ts";

/** Returns a value as what Go would write as JSON. Empty optional fields are left out. */
export function jsonOf(argument: GoValue | undefined): unknown {
  const value = unwrapped(argument);
  switch (value?.kind) {
    case undefined:
      return null;
    case "time":
      return momentJson(value.value);
    case "string":
    case "bool":
    case "integer":
    case "float":
      return value.value;
    case "any":
      return jsonOf(value.value);
    case "slice":
      return value.items?.map(jsonOf) ?? null;
    case "map":
      return value.entries === undefined ? null : mapJson(value.entries);
    case "struct":
      return Object.fromEntries(membersOf(value));
    case "pointer":
      return jsonOf(value.target);
  }
}

function mapJson(entries: ReadonlyMap<string, GoValue>): ReadonlyMap<string, unknown> {
  return new Map([...entries].map(([key, value]) => [key, jsonOf(value)]));
}

function membersOf(struct: StructValue): readonly (readonly [string, unknown])[] {
  return struct.type.fields.flatMap((field, index) => {
    const value = struct.fields[index];
    if (value === undefined) return [];
    if (field.json === "" && value.kind === "struct") return membersOf(value);
    if (field.optional && !isTruth(value)) return [];
    return [[field.json, jsonOf(value)] as const];
  });
}
