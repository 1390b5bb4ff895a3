// Commands: what one is, on top of citty.

import { type CommandDef, defineCommand } from "citty";

import type { Environment } from "../core/environment.ts";
import type { Failure } from "../core/failure.ts";
import type { FlagGroup, Values } from "./flags/flag.ts";
import type { GlobalValues } from "./flags/global.ts";
import type { Log } from "./output/log.ts";
import type { Screen } from "./output/screen.ts";
import type { Program } from "./program.ts";

/** One call of a command: what was said, and what the command may use. */
export interface Call<V = unknown> {
  /** What the command's own flags say. */
  readonly flags: V;
  readonly global: GlobalValues;
  /** The words that are no flags, without the command's name. */
  readonly operands: readonly string[];
  readonly program: Program;
  readonly environment: Environment;
  readonly log: Log;
  /** What a person may watch, beside the log. */
  readonly screen: Screen;
  /** Aborted when the user or a time-out ends the command. */
  readonly signal: AbortSignal;
  readonly tree: CommandTree;
  /** Shows the command's help on stderr and returns the failure to throw after it. */
  misuse(message: string): Failure;
}

/** A command as its file defines it. */
export interface ToolDefinition<F extends FlagGroup> {
  readonly name: string;
  /** The line that shows how to call it, without the program's name. */
  readonly usage: string;
  readonly summary: string;
  /** Stands in help instead of the summary, where there is more to say. */
  description?(program: Program): string;
  /** Calls worth showing, without the program's name. */
  readonly examples: readonly string[];
  readonly flags: F;
  /** Whether help keeps quiet about it. */
  readonly hidden?: boolean;
  /** Does the work. What another program may want to read goes to stdout, alone. */
  run(call: Call<Values<F>>): Promise<void> | void;
}

/** A command as the tree holds it: citty's shape, with the definition inside. */
export interface Tool extends CommandDef {
  readonly definition: ToolDefinition<FlagGroup>;
}

/** All commands by name, each loaded when it is asked for. */
export interface CommandTree extends CommandDef {
  readonly subCommands: Readonly<Record<string, () => Promise<Tool>>>;
}

/** Defines a command. The flags' values reach `run` typed, under the keys of `flags`. */
export function defineTool<F extends FlagGroup>(definition: ToolDefinition<F>): Tool {
  const { name, summary: description, hidden = false } = definition;
  return { ...defineCommand({ meta: { name, description, hidden } }), definition };
}

/** Defines the tree of commands. */
export function defineTree(subCommands: CommandTree["subCommands"]): CommandTree {
  const description = "Various operations with container images and container image registries";
  return { ...defineCommand({ meta: { description } }), subCommands };
}
