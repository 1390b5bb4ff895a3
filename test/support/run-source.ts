// Running from source: the program as it stands, without building it first.

import { tmpdir } from "node:os";
import { resolve } from "node:path";

import { type Running, type RunOptions, type RunResult, start } from "./run.ts";

const main = resolve(import.meta.dir, "../../cli/main.ts");

/** Starts the program from its sources. It goes by the name of dray. */
export function startSource(args: readonly string[], options: Partial<RunOptions> = {}): Running {
  return start([main, ...args], { cwd: tmpdir(), program: process.execPath, ...options });
}

/** Runs the program from its sources to its end. */
export function runSource(
  args: readonly string[],
  options: Partial<RunOptions> = {},
): Promise<RunResult> {
  return startSource(args, options).done;
}

/** Returns lines of the log without the time they begin with. */
export function timeless(log: string): string {
  return log.replace(/^time="[^"]+" /gm, "");
}
