// Statement: what somebody says about software, in the form of in-toto.
//
// See https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md

import { Failure } from "../../failure.ts";
import { quoted } from "../../foreign-text.ts";
import { isJsonObject, type Json } from "../../json.ts";
import { parseDocument } from "../strict-json.ts";

/** A statement. A fact only if its signature was verified before it was parsed. */
export interface Statement {
  readonly predicateType: string;
  /** Hexadecimal SHA-256 of what it is about; undefined where something is named otherwise. */
  readonly subjects: readonly (string | undefined)[];
  /** All of it. */
  readonly json: Json;
}

/** The type that an envelope has to have to hold one. */
export const statementType = "application/vnd.in-toto+json";

const versions: readonly unknown[] = [
  "https://in-toto.io/Statement/v1",
  "https://in-toto.io/Statement/v0.1",
];

/** Parses a statement. Fails with `corrupt`, or with `config` where a key is repeated. */
export function parseStatement(bytes: Uint8Array): Statement {
  const { value: json } = parseDocument(bytes);
  if (!isJsonObject(json) || !versions.includes(json["_type"])) {
    throw malformed("it is of an unknown type");
  }
  const { predicateType, subject } = json;
  if (typeof predicateType !== "string" || predicateType === "")
    throw malformed("no predicate type");
  if (!Array.isArray(subject) || subject.length === 0) throw malformed("it is about nothing");
  return { predicateType, subjects: subject.map(digestOf), json };
}

function digestOf(subject: Json): string | undefined {
  const digest = isJsonObject(subject) ? subject["digest"] : undefined;
  const hex = isJsonObject(digest) ? digest["sha256"] : undefined;
  return typeof hex === "string" ? hex : undefined;
}

/** Returns what stands at the end of a JSON pointer; undefined if nothing does. */
export function valueAt(json: Json, pointer: string): Json | undefined {
  let at: Json | undefined = json;
  for (const part of partsOf(pointer)) {
    if (Array.isArray(at)) at = /^(0|[1-9]\d{0,5})$/.test(part) ? at[Number(part)] : undefined;
    else at = isJsonObject(at) && Object.hasOwn(at, part) ? at[part] : undefined;
  }
  return at;
}

/** Fails with `config` unless a text is a JSON pointer. See https://www.rfc-editor.org/rfc/rfc6901 */
export function checkPointer(pointer: string): void {
  if (/^(\/([^~/]|~0|~1)*)+$/.test(pointer)) return;
  throw new Failure(
    "config",
    `${quoted(pointer)} is no JSON pointer such as "/predicate/builder/id"`,
  );
}

function partsOf(pointer: string): readonly string[] {
  const [, ...parts] = pointer.split("/");
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function malformed(why: string): Failure {
  return new Failure("corrupt", `malformed in-toto statement: ${why}`);
}
