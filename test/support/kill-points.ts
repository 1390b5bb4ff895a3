// Kill points: programs that are ended by the kernel at a system call, and not just at some moment.

import { test } from "bun:test";
import { type DeclareTest, type Need, testWith } from "./needs.ts";
import { executable, run } from "./run.ts";

/** A system call, and the how manyth of its kind in one thread. */
export interface KillPoint {
  readonly call: string;
  readonly at: number;
}

/**
 * Returns a `test` for tests that kill at system calls.
 *
 * Where the machine lets nobody trace a program they are skipped, and say so: no program is missing then.
 */
export function testKilling(...needs: readonly Need[]): DeclareTest {
  if (Bun.which("strace") === null || canTrace()) return testWith("strace", ...needs);
  return (name, body) => test.skip(`${name} (no program may be traced on this machine)`, body);
}

/**
 * Runs the executable under test, and kills it before it makes a call.
 *
 * Returns whether that happened. Otherwise it has come to its end, and it throws unless it has succeeded.
 */
export async function killedAt(
  { call, at }: KillPoint,
  args: readonly string[],
  cwd: string,
): Promise<boolean> {
  const tracing = ["-f", "-qq", "-o/dev/null", `-etrace=${call}`];
  const killing = `-einject=${call}:signal=KILL:when=${at}`;
  const result = await run([...tracing, killing, executable, ...args], { cwd, program: "strace" });
  if (result.code === 128 + 9) return true;
  if (result.code === 0) return false;
  throw new Error(`${args.join(" ")} at ${call} ${at}: exit ${result.code}\n${result.stderr}`);
}

function canTrace(): boolean {
  const tracing = ["strace", "-f", "-qq", "-o/dev/null", "-etrace=rename", "true"];
  return Bun.spawnSync(tracing, { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0;
}
