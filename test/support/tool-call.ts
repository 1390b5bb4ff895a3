// Tool calls: what a command is given, without a process around it.

import { type Call, defineTree, type Tool } from "../../cli/command.ts";
import { type FlagGroup, flagsIn, type Values } from "../../cli/flags/flag.ts";
import { globalFlags } from "../../cli/flags/global.ts";
import { Given, parseWords } from "../../cli/flags/parse.ts";
import type { Environment } from "../../core/environment.ts";
import { Failure } from "../../core/failure.ts";

/** A call, and what was said beside its result. */
export interface ToolCall<G> {
  readonly call: Call<Values<G>>;
  readonly warnings: readonly string[];
}

/** Returns the call that `words` make of flags in the shape of `group`. The home does not exist. */
export function callOf<G extends FlagGroup>(
  group: G,
  words: readonly string[],
  environment: Partial<Environment> = {},
): ToolCall<G> {
  const given = new Given();
  const operands = parseWords(words, { flags: flagsIn({ ...globalFlags, group }) }, given);
  const warnings: string[] = [];
  const ignore = () => {};
  const call: Call<Values<G>> = {
    flags: given.valuesOf(group),
    global: { ...given.valuesOf(globalFlags), tlsVerify: undefined },
    operands,
    program: "dray",
    environment: {
      variables: {},
      home: "/proc/no-home",
      userId: 1000,
      os: "linux",
      architecture: "amd64",
      ...environment,
    },
    log: {
      debug: ignore,
      info: ignore,
      warn: (text) => warnings.push(text),
      error: ignore,
      fatal: ignore,
    },
    screen: { line: ignore, draw: ignore },
    signal: new AbortController().signal,
    tree: defineTree({}),
    misuse: (message) => new Failure("usage", `help, and then: ${message}`),
  };
  return { call, warnings };
}

/** Runs a command that must fail, and returns its failure and what it warned of before. */
export async function failureOfTool({ definition }: Tool, words: readonly string[]) {
  const { call, warnings } = callOf(definition.flags, words);
  try {
    await definition.run(call);
  } catch (failure) {
    return { failure, warnings };
  }
  throw new Error(`${definition.name} ${words.join(" ")} did not fail`);
}
