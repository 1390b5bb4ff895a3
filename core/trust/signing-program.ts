// Signing programs: those that keep the user's secret keys, and sign with them.

import { closeSync, constants, openSync, unlinkSync, writeSync } from "node:fs";
import { isAbsolute, join } from "node:path";

import { collect } from "../blob/collect.ts";
import type { Environment } from "../environment.ts";
import { Failure } from "../failure.ts";
import { limits } from "../limits.ts";

/** In what surroundings programs run. */
export interface Surroundings {
  readonly environment: Environment;
  /** Where files may be for a moment. */
  readonly temporaryDirectory: string;
  /** Ends the program. */
  readonly signal: AbortSignal;
}

/** One run of a program. */
export interface ProgramCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: Uint8Array;
  /** What descriptor 3 is: a line to be read once, or a file that it may open as `/dev/fd/3`. */
  readonly extra?: { readonly kind: "line"; readonly text: string } | ExtraFile;
}

/** What nobody minds to see on a disk. */
export interface ExtraFile {
  readonly kind: "file";
  readonly content: Uint8Array;
}

/** What a program did. */
export interface ProgramAnswer {
  readonly exitCode: number;
  readonly output: Uint8Array;
  /** What it said on standard error. */
  readonly said: string;
}

/** Finds a program. Fails with `config` if there is none. */
export function findProgram(program: string, { variables }: Environment): string {
  // The current directory, which may be anybody's, is no place to find programs in.
  const places = (variables["PATH"] ?? "").split(":").filter((place) => isAbsolute(place));
  const path = Bun.which(program, { PATH: places.join(":") });
  if (path !== null) return path;
  const reason = `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
  throw new Failure("config", reason, { hint: `install ${program}` });
}

/** Runs a program to its end, however long it has to wait for somebody to type a passphrase. */
export async function runProgram(
  { program, args, input, extra }: ProgramCall,
  { environment, signal, temporaryDirectory }: Surroundings,
): Promise<ProgramAnswer> {
  signal.throwIfAborted();
  const path = findProgram(program, environment);
  using file = extra?.kind === "file" ? openNameless(extra.content, temporaryDirectory) : undefined;
  const child = Bun.spawn([path, ...args], {
    env: { ...environment.variables },
    stdio: [input, "pipe", "pipe", file?.descriptor ?? (extra === undefined ? "ignore" : "pipe")],
    signal,
  });
  try {
    if (extra?.kind === "line") tell(child.stdio[3], extra.text);
    const [output, said] = await Promise.all([
      collect(child.stdout, limits.signatureBytes),
      collect(child.stderr, limits.helperOutputBytes),
    ]);
    const exitCode = await child.exited;
    signal.throwIfAborted();
    return { exitCode, output, said: new TextDecoder().decode(said) };
  } finally {
    child.kill("SIGKILL");
  }
}

/** Opens a file that has lost its name already, so that nothing can be left of it. */
function openNameless(
  content: Uint8Array,
  directory: string,
): Disposable & { readonly descriptor: number } {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const path = join(directory, `dray-${crypto.randomUUID()}`);
  const descriptor = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  unlinkSync(path);
  for (let at = 0; at < content.length;) at += writeSync(descriptor, content, at);
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
}

function tell(descriptor: number | null | undefined, text: string): void {
  if (typeof descriptor !== "number")
    throw new Failure("bug", "There is no way to tell a passphrase");
  try {
    writeSync(descriptor, `${text}\n`);
  } catch (error) {
    // A program that has ended already says itself why.
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  } finally {
    closeSync(descriptor);
  }
}
