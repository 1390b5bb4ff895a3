// One run of the program: from the words of a command line to an exit code.

import type { Environment } from "../core/environment.ts";
import { asFailure, Failure } from "../core/failure.ts";
import type { Call, CommandTree } from "./command.ts";
import { Ending } from "./ending.ts";
import { readEnvironment } from "./environment.ts";
import { endingSignals, exitCodeOf } from "./exit.ts";
import type { FlagGroup, Values } from "./flags/flag.ts";
import { commandHelp, rootHelp } from "./help.ts";
import { type Invocation, missingCommand, parseInvocation, unknownCommand } from "./invocation.ts";
import { createLog, type Log } from "./output/log.ts";
import { allWritten, hurryOutlets } from "./output/outlet.ts";
import { print } from "./output/print.ts";
import { harmless } from "./output/quote.ts";
import { createScreen, type Screen } from "./output/screen.ts";
import { allowsColors, isTerminal } from "./output/terminal.ts";
import { writeLine } from "./output/write-line.ts";
import type { Program } from "./program.ts";
import { needsUserNamespace } from "./user-namespace/needs-user-namespace.ts";
import { ownCommand } from "./user-namespace/own-command.ts";
import { versionLine } from "./version.ts";

/** What the program was started with. */
export interface Start {
  readonly words: readonly string[];
  readonly program: Program;
  readonly tree: CommandTree;
}

/** Runs a command line to its end, failures and all, and returns the exit code. */
export async function run(start: Start): Promise<number> {
  const ending = new Ending((code) => process.exit(code));
  const environment = readEnvironment();
  const screen = createScreen((text) => writeLine("stderr", text));
  ending.signal.addEventListener("abort", hurryOutlets);
  const found = await codeOf(start, { ending, environment, screen });
  const code = (await allWritten()) ? found : (ending.exitCode ?? found);
  ending.done(code);
  return code;
}

/** How a run is seen from outside. */
type Outside = Pick<Surroundings, "ending" | "environment" | "screen">;

async function codeOf(start: Start, outside: Outside): Promise<number> {
  const { ending, environment, screen } = outside;
  let debug = false;
  try {
    const invocation = await parseInvocation(start.words, start.program, start.tree);
    debug = invocation.global.debug;
    const log = logOf(environment, screen, debug);
    return (await perform(invocation, { ...start, ...outside, log })) ?? 0;
  } catch (error) {
    const failure = ending.signal.aborted ? ended(error, ending) : asFailure(error);
    report(failure, { log: logOf(environment, screen, debug), screen, debug });
    return ending.exitCode ?? exitCodeOf(failure.code);
  }
}

interface Surroundings extends Start {
  readonly environment: Environment;
  readonly screen: Screen;
  readonly log: Log;
  readonly ending: Ending;
}

/** Returns the exit code of another run that did the work, if one did. */
async function perform(invocation: Invocation, surroundings: Surroundings): Promise<number | void> {
  const { program, tree, log, ending } = surroundings;
  switch (invocation.kind) {
    case "version":
      return print(`${versionLine(program)}\n`);
    case "root-help":
      return print(await rootHelp(tree, program));
    case "help":
      return print(commandHelp(invocation.tool, program));
    case "nothing":
      checkGlobals(invocation, log);
      throw missingCommand(program);
    case "unknown":
      checkGlobals(invocation, log);
      throw await unknownCommand(invocation.word, program, tree);
    case "tool":
      checkGlobals(invocation, log);
      if (needsUserNamespace(namesIn(invocation), surroundings.environment)) {
        return runOnceMore(surroundings);
      }
      if (invocation.global.commandTimeoutMs > 0) {
        ending.after(invocation.global.commandTimeoutMs);
      }
      return invocation.tool.definition.run(callOf(invocation, surroundings));
  }
}

/** The images that a command names, those of `--also` included. */
function namesIn({ tool, operands, flags }: Invocation & { readonly kind: "tool" }) {
  const { also } = flags;
  const others = Array.isArray(also) ? also.map(String) : [];
  return { command: tool.definition.name, operands: [...operands, ...others] };
}

async function runOnceMore({ words, environment, log, ending }: Surroundings): Promise<number> {
  const { runInUserNamespace } = await import("./user-namespace/run-in-user-namespace.ts");
  return await runInUserNamespace({
    command: ownCommand(words),
    variables: environment.variables,
    userId: environment.userId,
    groupId: process.getgid?.() ?? environment.userId,
    warn: (message) => log.warn(message),
    signal: ending.signal,
    endedBy: () => (ending.exitCode ?? 128 + endingSignals.SIGTERM) - 128,
  });
}

function checkGlobals({ global }: Invocation, log: Log): void {
  if (global.tlsVerify !== undefined) {
    log.warn("'--tls-verify' is deprecated, please set this on the specific subcommand");
  }
  if (global.insecurePolicy && global.requireSigned) {
    throw new Failure("usage", "--insecure-policy and --require-signed are mutually exclusive");
  }
}

function callOf(
  invocation: Invocation & { readonly kind: "tool" },
  surroundings: Surroundings,
): Call<Values<FlagGroup>> {
  const { program, tree, environment, screen, log, ending } = surroundings;
  const { tool, flags, operands, global } = invocation;
  return {
    flags,
    global,
    operands,
    program,
    environment,
    screen,
    log,
    signal: ending.signal,
    tree,
    misuse(message) {
      screen.line(commandHelp(tool, program).replace(/\n$/, ""));
      return new Failure("usage", message);
    },
  };
}

function logOf(environment: Environment, screen: Screen, debug: boolean): Log {
  return createLog({
    debug,
    readers() {
      if (!isTerminal("stderr")) return "programs";
      return allowsColors(environment.variables) ? "people-in-colors" : "people";
    },
    now: () => new Date(),
    write: screen.line,
  });
}

/** What a command fails with after it was told to end is less telling than why it was told. */
function ended(error: unknown, { signal }: Ending): Failure {
  const reason = asFailure(signal.reason);
  const failure = asFailure(error);
  if (failure.code !== "canceled" || failure.message.endsWith(reason.message)) return failure;
  return new Failure("canceled", reason.message, { cause: failure });
}

interface Reporting {
  readonly log: Log;
  readonly screen: Screen;
  readonly debug: boolean;
}

function report(failure: Failure, { log, screen, debug }: Reporting): void {
  log.fatal(failure.message);
  if (failure.code === "bug") {
    screen.line("hint: this is a fault of the program itself, please report it with these lines");
  } else if (failure.hint !== undefined) {
    screen.line(`hint: ${harmless(failure.hint)}`);
  }
  if (debug || failure.code === "bug") {
    for (let cause: unknown = failure; cause instanceof Error; cause = cause.cause) {
      screen.line(harmless(cause.stack ?? `${cause.name}: ${cause.message}`));
    }
  }
}
