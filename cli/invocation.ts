// Invocations: what a command line asks for.

import { Failure } from "../core/failure.ts";
import { editDistance } from "../core/nearest.ts";
import type { CommandTree, Tool } from "./command.ts";
import { type FlagGroup, flagsIn, type Values } from "./flags/flag.ts";
import { globalFlags, type GlobalValues, rootFlags } from "./flags/global.ts";
import { Given, parseWords } from "./flags/parse.ts";
import { helpFlag, shownTools } from "./help.ts";
import type { Program } from "./program.ts";

/** What a command line asks for. */
export type Invocation = Request & { readonly global: GlobalValues };

type Request =
  | { readonly kind: "version" }
  | { readonly kind: "root-help" }
  /** Neither a command nor a question. */
  | { readonly kind: "nothing" }
  /** A word that is no command. */
  | { readonly kind: "unknown"; readonly word: string }
  | { readonly kind: "help"; readonly tool: Tool }
  | {
      readonly kind: "tool";
      readonly tool: Tool;
      /** In the shape of the tool's own flags. */
      readonly flags: Values<FlagGroup>;
      readonly operands: readonly string[];
    };

/** Reads a command line. Loads the command it names, and fails with `usage`. */
export async function parseInvocation(
  words: readonly string[],
  program: Program,
  tree: CommandTree,
): Promise<Invocation> {
  const given = new Given();
  const own = { ...rootFlags(program), help: helpFlag(program) };
  const atRoot = { flags: flagsIn({ ...globalFlags, ...own }) };
  const globals = () => ({
    ...given.valuesOf(globalFlags),
    tlsVerify: given.valuesOf(own).tlsVerify,
  });

  const [name, ...rest] = parseWords(words, { ...atRoot, leading: true }, given);
  if (given.valuesOf(own).help) return { kind: "root-help", global: globals() };
  if (name !== undefined && Object.hasOwn(tree.subCommands, name)) {
    const tool = await tree.subCommands[name]?.();
    if (tool === undefined) throw new Failure("bug", `Command ${name} is not there`);
    return { ...toolRequest(tool, rest, given), global: globals() };
  }

  const remaining = name === undefined ? [] : [name, ...rest];
  const [word] = parseWords(remaining, atRoot, given);
  const { help, version } = given.valuesOf(own);
  const global = globals();
  if (help) return { kind: "root-help", global };
  if (version) return { kind: "version", global };
  return word === undefined ? { kind: "nothing", global } : { kind: "unknown", word, global };
}

function toolRequest(tool: Tool, words: readonly string[], given: Given): Request {
  const { name, flags } = tool.definition;
  const help = helpFlag(name);
  const operands = parseWords(words, { flags: flagsIn({ ...globalFlags, flags, help }) }, given);
  if (given.valuesOf({ help }).help) return { kind: "help", tool };
  return { kind: "tool", tool, flags: given.valuesOf(flags), operands };
}

/** Returns the failure of a command line without a command. */
export function missingCommand(program: Program): Failure {
  return new Failure("usage", `Missing command '${program} COMMAND'\n${whereHelpIs(program)}`);
}

/** Returns the failure of a command line whose command is not known. */
export async function unknownCommand(
  word: string,
  program: Program,
  tree: CommandTree,
): Promise<Failure> {
  const lower = word.toLowerCase();
  const near = (await shownTools(tree))
    .map(({ name }) => name)
    .filter((name) => editDistance(lower, name) <= 2 || name.startsWith(lower));
  const suggestions =
    near.length === 0
      ? ""
      : `\nDid you mean this?\n${near.map((name) => `\t${name}\n`).join("")}\n`;
  return new Failure(
    "usage",
    `Unrecognized command \`${program} ${word}\`\n${suggestions}${whereHelpIs(program)}`,
  );
}

function whereHelpIs(program: Program): string {
  return `Try '${program} --help' for more information`;
}
