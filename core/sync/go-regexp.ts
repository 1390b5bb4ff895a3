// Go regular expressions: patterns as the original takes them, matched in linear time.
//
// The runtime's own expressions have another syntax, and some of them take for ever on a short text. Here
// all ways through a pattern are followed at once, so a match takes no longer than the text times the
// pattern, whoever wrote them. See https://github.com/google/re2/wiki/Syntax.

import { Failure } from "../failure.ts";
import { limits } from "../limits.ts";
import { type Instruction, parseProgram, type Program } from "./go-regexp-program.ts";

/** Where groups of a match begin and end: two numbers each, -1 for those that took no part. */
export type Submatches = readonly number[];

/** A pattern, ready to be matched. */
export interface GoRegexp {
  /** Tells whether the pattern matches anywhere in a text. */
  test(text: string): boolean;
  /**
   * Returns the groups of the leftmost match that begins at `from` or behind it, the whole of it first;
   * undefined if there is none.
   */
  find(text: string, from?: number): Submatches | undefined;
}

/** Parses a pattern. Fails with `usage`, in the words of Go. */
export function parseGoRegexp(pattern: string): GoRegexp {
  if (pattern.length > limits.patternCharacters) {
    throw new Failure(
      "usage",
      `A pattern has ${pattern.length} characters, more than ${limits.patternCharacters}`,
    );
  }
  const program = parseProgram(pattern);
  const find = (text: string, from = 0) => run(program, text, from);
  return { test: (text) => find(text) !== undefined, find };
}

/** Returns what a template such as `mirror/$1` means for a match; `$0` is all of it. */
export function expandTemplate(template: string, text: string, found: Submatches): string {
  return template.replace(/\$(\$|\d{1,2}|\{\d{1,2}\})/g, (_, group: string) => {
    if (group === "$") return "$";
    const number = Number(group.replace(/[{}]/g, ""));
    const [start = -1, end = -1] = found.slice(number * 2, number * 2 + 2);
    return start < 0 ? "" : text.slice(start, end);
  });
}

interface Thread {
  readonly at: number;
  readonly groups: Submatches;
}

/** Follows all threads at once; the earlier one in the list is the one preferred. */
function run(
  { instructions: program, groups }: Program,
  text: string,
  from: number,
): Submatches | undefined {
  const characters = Array.from(text);
  const none: Submatches = Array<number>(groups * 2).fill(-1);
  let current: Step = { threads: [], seen: new Set() };
  let matched: Submatches | undefined;
  // Groups count in the units of the text, not in characters.
  let offset = 0;
  for (let position = 0; position <= characters.length; position++) {
    const here = { characters, position, offset };
    if (matched === undefined && offset >= from)
      follow(program, { at: 0, groups: none }, here, current);
    const character = characters[position];
    offset += character?.length ?? 0;
    const there = { characters, position: position + 1, offset };
    const next: Step = { threads: [], seen: new Set() };
    for (const thread of current.threads) {
      const instruction = program[thread.at];
      if (instruction?.kind === "match") {
        // Those behind it are preferred less.
        matched = thread.groups;
        break;
      }
      if (instruction?.kind !== "character" || character === undefined) continue;
      if (!instruction.accepts(character)) continue;
      follow(program, { at: thread.at + 1, groups: thread.groups }, there, next);
    }
    current = next;
    if (current.threads.length === 0 && matched !== undefined) break;
  }
  return matched;
}

/** What has been reached at one position. */
interface Step {
  readonly threads: Thread[];
  readonly seen: Set<number>;
}

interface Place {
  readonly characters: readonly string[];
  readonly position: number;
  readonly offset: number;
}

/** Adds to a step all threads that can be reached without a character. */
function follow(
  program: readonly Instruction[],
  start: Thread,
  { characters, position, offset }: Place,
  { threads, seen }: Step,
): void {
  const open = [start];
  for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
    const { at, groups } = thread;
    if (seen.has(at)) continue;
    seen.add(at);
    const instruction = program[at];
    switch (instruction?.kind) {
      case "split":
        // The last one in is the first one out.
        open.push({ at: instruction.second, groups }, { at: instruction.first, groups });
        break;
      case "jump":
        open.push({ at: instruction.to, groups });
        break;
      case "save":
        open.push({ at: at + 1, groups: groups.with(instruction.slot, offset) });
        break;
      case "assert":
        if (instruction.holds(characters, position)) open.push({ at: at + 1, groups });
        break;
      case "character":
      case "match":
        threads.push(thread);
        break;
      case undefined:
        throw new Failure("bug", "A pattern leads nowhere");
    }
  }
}
