// Help texts, made from the commands and their flags.

import type { CommandTree, Tool } from "./command.ts";
import { type Flag, type FlagGroup, flagsIn, toggle } from "./flags/flag.ts";
import { globalFlags, rootFlags } from "./flags/global.ts";
import type { Program } from "./program.ts";

/** Returns the flag that asks for help on `subject`. */
export function helpFlag(subject: string): Flag<boolean> {
  return toggle("help", `help for ${subject}`, { shorthand: "h" });
}

/** Returns the help of one command. */
export function commandHelp({ definition }: Tool, program: Program): string {
  const { name, usage, summary, examples, flags } = definition;
  return [
    definition.description?.(program) ?? summary,
    "",
    "Usage:",
    `${program} ${usage}`,
    "",
    "Examples:",
    ...examples.map((example) => `${program} ${example}`),
    "",
    "Flags:",
    ...flagLines({ flags, help: helpFlag(name) }),
    "",
    "",
  ].join("\n");
}

/** Returns the help of the program as a whole. */
export async function rootHelp(tree: CommandTree, program: Program): Promise<string> {
  const summary = "Various operations with container images and container image registries";
  return `${summary}\n\n${await rootUsage(tree, program)}`;
}

/** Returns the help of the program without its summary. */
export async function rootUsage(tree: CommandTree, program: Program): Promise<string> {
  const names = Object.keys(tree.subCommands);
  const width = Math.max(...names.map((name) => name.length));
  const commands = await shownTools(tree);
  const flags = { ...globalFlags, ...rootFlags(program), help: helpFlag(program) };
  return [
    "Usage:",
    `  ${program} [flags]`,
    `  ${program} [command]`,
    "",
    "Available Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)} ${summary}`),
    "",
    "Flags:",
    ...flagLines(flags),
    "",
    `Use "${program} [command] --help" for more information about a command.`,
    "",
  ].join("\n");
}

/** Returns the definitions of all commands that are not hidden, by name. */
export async function shownTools(tree: CommandTree): Promise<readonly Tool["definition"][]> {
  const tools = await Promise.all(Object.values(tree.subCommands).map((load) => load()));
  return tools
    .map((tool) => tool.definition)
    .filter((definition) => definition.hidden !== true)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The words of the command line, for the completions of shells. */
export interface Vocabulary {
  readonly commands: readonly {
    readonly name: string;
    readonly summary: string;
    readonly flags: readonly Flag<unknown>[];
  }[];
  /** Recognised everywhere. */
  readonly globals: readonly Flag<unknown>[];
}

/** Returns all words of the command line that are not hidden. */
export async function vocabularyOf(tree: CommandTree): Promise<Vocabulary> {
  const commands = await shownTools(tree);
  return {
    commands: commands.map(({ name, summary, flags }) => ({
      name,
      summary,
      flags: shownFlags({ flags, help: helpFlag(name) }),
    })),
    globals: shownFlags(globalFlags),
  };
}

/** Returns what a flag does, without the marks that name its value. */
export function plainHelp({ help }: Flag<unknown>): string {
  return help.replace(backquoted, "$1");
}

/** Says how image names are spelled, as the help of several commands does. */
export function imageNames(transports: readonly string[], program: Program): string {
  const manual =
    program === "skopeo"
      ? `See skopeo(1) section "IMAGE NAMES" for the expected format`
      : "A name looks like docker://registry/repository:tag, dir:PATH or oci:PATH[:TAG]";
  return `Supported transports:\n${[...transports].sort().join(", ")}\n\n${manual}`;
}

/** Returns one line for each flag that is not hidden, sorted by name, the texts in one column. */
function flagLines(group: FlagGroup): readonly string[] {
  const flags = shownFlags(group).map((flag) => ({
    left: leftPart(flag),
    text: plainHelp(flag),
  }));
  const width = Math.max(...flags.map(({ left }) => left.length)) + 3;
  return flags.map(({ left, text }) => left.padEnd(width) + text);
}

function shownFlags(group: FlagGroup): readonly Flag<unknown>[] {
  return flagsIn(group)
    .filter((flag) => !flag.hidden)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The first word in backquotes names the value, and loses them. */
const backquoted = /`([^`]*)`/;

function leftPart({ name, shorthand, help, type }: Flag<unknown>): string {
  const value = backquoted.exec(help)?.[1] ?? type;
  const short = shorthand === undefined ? "      " : `  -${shorthand}, `;
  return `${short}--${name}${value === "" ? "" : ` ${value}`}`;
}
