// Renaming: rules that change names on their way to the destination.

import { Failure, inContext } from "../failure.ts";
import { limits } from "../limits.ts";
import { expandTemplate, parseGoRegexp } from "./go-regexp.ts";

/** Returns a name as it is to be. */
export type Rename = (name: string) => string;

/**
 * Parses rules such as `s|^library/|mirror/|`, which are followed one after another; in the replacement
 * `$1` and `\1` stand for groups. Behind the last mark may stand `g`, for every match rather than the
 * first, and `i`, for letters of either case. Undefined where there are no rules.
 *
 * Fails with `usage`.
 */
export function parseRenames(rules: readonly string[]): Rename | undefined {
  if (rules.length === 0) return undefined;
  const renames = rules.map(parseRename);
  return (name) => renames.reduce((current, rename) => rename(current), name);
}

function parseRename(rule: string): Rename {
  const [, mark = ""] = /^s([^\w\s\\])/.exec(rule) ?? [];
  const parts = mark === "" ? [] : splitAt(rule.slice(2), mark);
  const [pattern, replacement, options] = parts;
  if (pattern === undefined || replacement === undefined || options === undefined) {
    throw malformed(rule);
  }
  if (parts.length > 3 || !/^[gi]*$/.test(options)) throw malformed(rule);
  const template = replacement.replace(/\\(\d)/g, "${$1}").replace(/\\(.)/g, "$1");
  try {
    const regexp = parseGoRegexp(options.includes("i") ? `(?i)${pattern}` : pattern);
    return (name) =>
      replaced(name.slice(0, limits.pathBytes), { regexp, template, all: options.includes("g") });
  } catch (error) {
    throw inContext(`Cannot use the rule ${JSON.stringify(rule)}`, error);
  }
}

/** Splits at marks that no backslash stands before. */
function splitAt(text: string, mark: string): readonly string[] {
  const parts: string[] = [];
  let part = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === mark) {
      parts.push(part);
      part = "";
    } else if (character !== "\\") part += character;
    else {
      const next = text[++at] ?? "";
      part += next === mark ? next : character + next;
    }
  }
  return [...parts, part];
}

interface Replacement {
  readonly regexp: ReturnType<typeof parseGoRegexp>;
  readonly template: string;
  readonly all: boolean;
}

function replaced(text: string, { regexp, template, all }: Replacement): string {
  let done = "";
  let at = 0;
  for (;;) {
    const found = regexp.find(text, at);
    const [start = -1, end = -1] = found ?? [];
    if (found === undefined || start < 0) return done + text.slice(at);
    done += text.slice(at, start) + expandTemplate(template, text, found);
    at = end;
    if (!all || at >= text.length) return done + text.slice(at);
    // What matches nothing would match there for ever.
    if (end === start) done += text[at++];
  }
}

function malformed(rule: string): Failure {
  return new Failure("usage", `Cannot use the rule ${JSON.stringify(rule)}`, {
    hint: "write s|PATTERN|REPLACEMENT|, with any mark in place of the bars",
  });
}
