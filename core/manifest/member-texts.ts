// Member texts: the members of a JSON object as they are spelled.
//
// What a config says about things we know nothing of has to stay as it is, to the digit: a number that
// was read and written again may be another one.

import { encodeJson, escapeForHtml, isJsonObject, parseForeignJson } from "../json.ts";
import { Failure } from "../failure.ts";

/** The members of a JSON object by name, each as JSON text. */
export type MemberTexts = Map<string, string>;

/**
 * Reads the members of an object: without blanks, escaped as Go escapes, but not decoded. Of repeated
 * names the last counts. Fails with `corrupt`.
 */
export function readMemberTexts(input: string | Uint8Array): MemberTexts {
  if (!isJsonObject(parseForeignJson(input))) {
    throw new Failure("corrupt", "Invalid image config: it is not an object");
  }
  const text = typeof input === "string" ? input : new TextDecoder().decode(input);
  const members: MemberTexts = new Map();
  // Without the outermost braces.
  for (const [name = "", , ...value] of membersOf((text.match(tokens) ?? []).slice(1, -1))) {
    members.set(nameIn(name), escapeForHtml(value.join("")));
  }
  return members;
}

/** Writes an object with these members, their names sorted as Go sorts them. */
export function writeMemberTexts(members: MemberTexts): string {
  const sorted = [...members].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${sorted.map(([name, text]) => `${encodeJson(name)}:${text}`).join(",")}}`;
}

const tokens = /"[^"\\]*(?:\\[^][^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Cuts the tokens of an object at its own commas. */
function* membersOf(all: readonly string[]): Generator<readonly string[]> {
  let member: string[] = [];
  let depth = 0;
  for (const token of all) {
    if (token === "{" || token === "[") depth += 1;
    if (token === "}" || token === "]") depth -= 1;
    if (depth === 0 && token === ",") {
      yield member;
      member = [];
    } else {
      member.push(token);
    }
  }
  if (member.length > 0) yield member;
}

function nameIn(token: string): string {
  const name: unknown = JSON.parse(token);
  return String(name).toWellFormed();
}
