// Schemas that read foreign JSON as Go's decoder reads it into a struct.
//
// Null is the same as nothing, a text that is missing is empty, and names are found in any letter case.

import * as v from "valibot";

import { Failure } from "../failure.ts";
import { isJsonObject, type Json, type JsonObject, memberOf, parseForeignJson } from "../json.ts";

/** A text; empty where there is none. */
export const goText = v.nullish(v.string(), "");

/** A truth value; false where there is none. */
export const goFlag = v.optional(v.boolean(), false);

/** Texts in order; undefined where there are none, which is not the same as an empty array. */
export const goTexts = v.optional(v.array(goText));

/** Texts by name; undefined where there are none. */
export const goTextMap = v.optional(
  v.pipe(
    jsonObject(),
    v.check(
      (object) => Object.values(object).every((value) => value === null || isText(value)),
      "is not an object of strings",
    ),
    v.transform((object) => {
      const texts: Record<string, string> = Object.create(null);
      for (const [name, value] of Object.entries(object)) texts[name] = isText(value) ? value : "";
      return texts;
    }),
  ),
);

/** The names of an object whose members say no more; undefined where there is no object. */
export const goKeys = v.optional(
  v.pipe(
    jsonObject(),
    v.transform((object) => Object.keys(object)),
  ),
);

/** A point in time as Go writes it (RFC 3339); undefined where there is none. */
export const goTime = v.optional(
  v.pipe(
    v.string(),
    v.transform((text) => normalTime(text) ?? ""),
    v.check((time) => time !== "", "is no time as RFC 3339 writes it"),
  ),
);

/** Go's zero time, which the original writes where there is none. */
export const zeroTime = "0001-01-01T00:00:00Z";

/** An object with these members, whatever else it has. Where there is no object, all are missing. */
export function goStruct<const Entries extends v.ObjectEntries>(entries: Entries) {
  const members = v.object(entries);
  return v.pipe(
    v.custom<v.InferInput<typeof members> | null | undefined>(
      (value) => value === undefined || value === null || isObject(value),
      "is not an object",
    ),
    v.transform((object) => picked(entries, object)),
    members,
  );
}

/** Reads a document that has to be an object. Fails with `corrupt`, naming it as `what`. */
export function readDocument<const Schema extends v.GenericSchema>(
  schema: Schema,
  input: string | Uint8Array,
  what: string,
): v.InferOutput<Schema> {
  const document = parseForeignJson(input);
  if (!isJsonObject(document)) throw new Failure("corrupt", `Invalid ${what}: it is not an object`);
  const result = v.safeParse(schema, document);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue) ?? "it";
  const typed = issue.kind === "schema" && issue.type !== "custom";
  const wrong = typed ? `is not of type ${issue.expected?.toLowerCase()}` : issue.message;
  throw new Failure("corrupt", `Invalid ${what}: ${place} ${wrong}`);
}

function jsonObject() {
  return v.custom<JsonObject>(isObject, "is not an object");
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns an object that has exactly the members of the schema, undefined where there is none. */
function picked<Entries extends v.ObjectEntries>(
  entries: Entries,
  object: unknown,
): v.InferInput<v.ObjectSchema<Entries, undefined>> {
  const members: Record<string, unknown> = {};
  for (const name of Object.keys(entries)) {
    members[name] = isObject(object) ? memberOf(object, name) : undefined;
  }
  // The schema behind this step checks every member.
  return members as v.InferInput<v.ObjectSchema<Entries, undefined>>;
}

function isText(value: Json): value is string {
  return typeof value === "string";
}

const rfc3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})$/;

/** Returns the time with its fraction cut to nanoseconds and trimmed, or undefined if it is none. */
function normalTime(text: string): string | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const [, year = "", month = "", day = "", hour = "", minute = "", second = ""] = match;
  const [fraction = "", zone = ""] = match.slice(7);
  const days = daysIn(Number(year), Number(month));
  if (Number(day) < 1 || Number(day) > days || Number(hour) > 23) return undefined;
  if (Number(minute) > 59 || Number(second) > 59) return undefined;
  if (zone !== "Z" && (Number(zone.slice(1, 3)) > 23 || Number(zone.slice(4)) > 59)) {
    return undefined;
  }
  const nanoseconds = fraction.slice(0, 9).replace(/0+$/, "");
  const seconds = nanoseconds === "" ? second : `${second}.${nanoseconds}`;
  const offset = zone === "+00:00" || zone === "-00:00" ? "Z" : zone;
  return `${year}-${month}-${day}T${hour}:${minute}:${seconds}${offset}`;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  if ([4, 6, 9, 11].includes(month)) return 30;
  return month >= 1 && month <= 12 ? 31 : 0;
}
