// Run: starts a program as a user would, in surroundings that are the same everywhere.

import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { givenSecrets } from "./given-secrets.ts";

/** What a program is given. */
export interface RunOptions {
  /** The working directory. */
  readonly cwd: string;
  /** Added to an environment that has nothing but a PATH and a home that does not exist. */
  readonly env?: Readonly<Record<string, string>>;
  /** The executable under test if absent. */
  readonly program?: string;
  /** Whether to watch how much memory the program takes. */
  readonly watchMemory?: boolean;
  /** Killed after so long, so that a test never hangs. */
  readonly limitMs?: number;
  /** What it finds on standard input; nothing if absent. Not on a terminal. */
  readonly input?: string;
}

/** What a program did. */
export interface RunResult {
  /** As a shell reports it: 128 and the number of the signal for a program that was killed. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
  /** User and system time together. */
  readonly cpuMs: number;
  /** The most memory it held at a time; zero unless watched. */
  readonly peakBytes: number;
}

/** A program that is running. */
export interface Running {
  readonly pid: number;
  readonly done: Promise<RunResult>;
  kill(signal: NodeJS.Signals): void;
}

/** The executable under test: `$DRAY`, or what `scripts/build.ts` made. */
export const executable = process.env["DRAY"] ?? resolve(import.meta.dir, "../../dist/dray");

const home = "/proc/no-home";

/** Runs a program to its end, and throws if it shows a secret that it was given (O2). */
export function run(args: readonly string[], options: RunOptions): Promise<RunResult> {
  return start(args, options).done;
}

/** Runs a program to its end, and throws with everything it said unless it succeeds. */
export async function succeed(args: readonly string[], options: RunOptions): Promise<RunResult> {
  const result = await run(args, options);
  if (result.code === 0) return result;
  const program = options.program ?? "dray";
  throw new Error(
    `${program} ${args.join(" ")}: exit ${result.code}\n${result.stdout}${result.stderr}`,
  );
}

/** Starts a program. */
export function start(args: readonly string[], options: RunOptions): Running {
  const program = options.program ?? executable;
  if (program.includes("/") && !existsSync(program)) {
    throw new Error(`${program} is not there: build it with \`bun scripts/build.ts\``);
  }
  const secrets = givenSecrets(args, options.input);
  // Whoever is given a secret has to keep it in the debug log, too.
  const listening = program === executable && secrets.length > 0 && !args.includes("--debug");
  const started = performance.now();
  const child = Bun.spawn([program, ...(listening ? ["--debug"] : []), ...args], {
    cwd: options.cwd,
    env: environment(options.env),
    stdin: options.input === undefined ? "ignore" : new TextEncoder().encode(options.input),
    stdout: "pipe",
    stderr: "pipe",
    timeout: options.limitMs ?? 120_000,
    killSignal: "SIGKILL",
  });
  const memory = options.watchMemory === true ? watchMemory(child.pid) : undefined;
  const finish = async (): Promise<RunResult> => {
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    await child.exited;
    for (const secret of secrets) {
      if (!`${stdout}${stderr}`.includes(secret)) continue;
      throw new Error(`O2: ${program} showed a secret:\n${stdout}${stderr}`);
    }
    return {
      code: child.exitCode ?? 128 + signalNumber(String(child.signalCode)),
      stdout,
      stderr: listening ? withoutDebug(stderr) : stderr,
      wallMs: performance.now() - started,
      cpuMs: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000,
      peakBytes: memory?.() ?? 0,
    };
  };
  return { pid: child.pid, done: finish(), kill: (signal) => child.kill(signal) };
}

/** Returns what a program says without `--debug`: no debug lines, no causes and no stacks. */
function withoutDebug(stderr: string): string {
  const said = stderr.split(/(?<=\n)/);
  return said
    .filter((line) => !/ level=debug |^\s+at |^[A-Za-z]*(?:Failure|Error): /.test(line))
    .join("");
}

/** What a person types when the program asks: a question's end, and the answer, keys and all. */
export type Answers = readonly (readonly [question: string, typed: string])[];

/** Runs a program on a terminal, and returns all that was drawn there, both streams together. */
export async function runOnTerminal(
  args: readonly string[],
  options: RunOptions,
  answers: Answers = [],
): Promise<{ readonly code: number; readonly drawn: string }> {
  const decoder = new TextDecoder();
  let drawn = "";
  let seen = 0;
  const open = [...answers];
  await using terminal = new Bun.Terminal({
    cols: 120,
    rows: 40,
    data: (screen, bytes) => {
      drawn += decoder.decode(bytes, { stream: true });
      const [question = "", typed = ""] = open[0] ?? [];
      const asked = question === "" ? -1 : drawn.indexOf(question, seen);
      if (asked < 0) return;
      open.shift();
      seen = asked + question.length;
      screen.write(typed);
    },
  });
  const child = Bun.spawn([options.program ?? executable, ...args], {
    cwd: options.cwd,
    env: { TERM: "xterm-256color", ...environment(options.env) },
    terminal,
    timeout: options.limitMs ?? 120_000,
    killSignal: "SIGKILL",
  });
  const code = await child.exited;
  // The last bytes may still be on their way through the terminal, and all of them on a busy machine.
  for (let waits = 0; waits === 0 || (drawn === "" && waits < 40); waits++) await Bun.sleep(50);
  return { code, drawn };
}

/** Makes the executable answer to another name, in `directory`, and returns its path there. */
export function linkedAs(name: string, directory: string): string {
  const path = join(directory, name);
  symlinkSync(executable, path);
  return path;
}

function environment(own: RunOptions["env"] = {}): Record<string, string> {
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: home,
    // Keeps the original's cache of blobs out of the machine's own.
    _CONTAINERS_ROOTLESS_UID: "1000",
    ...own,
  };
}

/**
 * Watches the high-water mark of one process, and returns how to ask for the highest seen.
 *
 * The kernel's own summary after the end would count the memory of whoever started the process.
 */
function watchMemory(pid: number): () => number {
  let peak = 0;
  const look = () => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "latin1");
      const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      peak = Math.max(peak, Number(kibibytes ?? 0) * 1024);
    } catch {
      clearInterval(timer);
    }
  };
  const timer = setInterval(look, 2);
  look();
  return () => {
    clearInterval(timer);
    return peak;
  };
}

function signalNumber(signal: string): number {
  const numbers: Readonly<Record<string, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGKILL: 9,
    SIGTERM: 15,
  };
  return numbers[signal] ?? 0;
}
