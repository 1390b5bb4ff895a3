// Opening reports: who listens to what a command does, as its flags and streams have it.

import type { Call } from "../command.ts";
import { Failure } from "../../core/failure.ts";
import type { Log } from "./log.ts";
import type { ReportValues } from "../flags/reporting.ts";
import type { EventTarget } from "./event-target.ts";
import { lineProgress, type Progress } from "./progress.ts";
import { Reports } from "./reports.ts";
import { allowsCursor, isTerminal } from "./terminal.ts";
import { writeLine } from "./write-line.ts";

/** What reports are opened for. */
export interface ReportWish {
  /** The command's name, which stands in its result. */
  readonly command: string;
  readonly flags: ReportValues;
  /** Leaves nothing but warnings, and what was asked for in particular. */
  readonly quiet: boolean;
  /** Whether standard output belongs to an image. */
  readonly outputTaken: boolean;
  /** Whether it is only said what would be done. */
  readonly dryRun?: boolean;
}

/** What reports need of a call. */
export type ReportingCall = Pick<Call, "environment" | "log" | "screen">;

/**
 * Begins to report what a command does.
 *
 * Without any flags: for a person bars on stderr, for programs the original's lines on stdout, unless that is
 * taken. Fails with `usage` where two things would go to standard output.
 */
export async function openReports(call: ReportingCall, wish: ReportWish): Promise<Reports> {
  const { flags, outputTaken } = wish;
  const { log } = call;
  const target = flags.events === undefined ? undefined : await openTarget(flags.events, log);
  try {
    checkStandardOutput(wish, target);
    const beganMs = performance.now();
    const clock = {
      now: () => new Date(),
      elapsed: () => performance.now() - beganMs,
    };
    const stdoutTaken = outputTaken || flags.output === "json" || target?.stream === "stdout";
    return new Reports(
      [
        ...(await progressOf(call, { ...wish, outputTaken: stdoutTaken }, clock)),
        ...(target === undefined ? [] : [await eventsTo(target, clock)]),
        ...(await printersOf(wish)),
      ],
      clock.elapsed,
      log,
    );
  } catch (error) {
    target?.close();
    throw error;
  }
}

async function openTarget(events: string, log: Log): Promise<EventTarget> {
  const { openEventTarget } = await import("./event-target.ts");
  return openEventTarget(events, ({ message }) => log.warn(message));
}

async function eventsTo(
  target: Pick<EventTarget, "write"> & Partial<EventTarget>,
  clock: Clock,
): Promise<Progress> {
  const { eventLines } = await import("./event-lines.ts");
  return eventLines({ ...target, ...clock });
}

function checkStandardOutput(
  { flags, outputTaken, dryRun = false }: ReportWish,
  target: EventTarget | undefined,
): void {
  const takers = [
    ...(outputTaken ? ["the image"] : []),
    ...(flags.output === "json" ? ["--output json"] : dryRun ? ["--dry-run"] : []),
    ...(target?.stream === "stdout" ? ["--events"] : []),
  ];
  if (takers.length < 2) return;
  throw new Failure("usage", `Only one of ${takers.join(" and ")} can have standard output`, {
    hint: "events can go to a file or to another descriptor, as in --events fd:3 3>events.jsonl",
  });
}

async function printersOf({
  command,
  flags: { output },
  quiet,
  dryRun = false,
}: ReportWish): Promise<readonly Progress[]> {
  if (dryRun) {
    if (quiet && output === "text") return [];
    const { forecastPrinter } = await import("./forecast-printer.ts");
    return [forecastPrinter(command, output)];
  }
  if (output !== "json") return [];
  const { resultPrinter } = await import("./result-printer.ts");
  return [resultPrinter(command)];
}

interface Clock {
  now(): Date;
  elapsed(): number;
}

async function progressOf(
  call: ReportingCall,
  wish: ReportWish,
  clock: Clock,
): Promise<readonly Progress[]> {
  const { log, screen, environment } = call;
  const { quiet, outputTaken, flags, dryRun = false } = wish;
  const silent = lineProgress(() => {}, log);
  if (quiet || dryRun) return [silent];
  const lines = lineProgress((line) => writeLine(outputTaken ? "stderr" : "stdout", line), log);
  switch (flags.progress) {
    case "none":
      return [silent];
    case "json":
      return [silent, await eventsTo({ write: screen.line }, clock)];
    case "plain": {
      const { timedProgress } = await import("./timed-progress.ts");
      return [lines, timedProgress({ write: screen.line, now: clock.elapsed, every })];
    }
    case "auto": {
      if (!isWatched(outputTaken, environment.variables)) return [lines];
      const { columns = 80, rows = 24 } = process.stderr;
      const size = () => ({ columns: columns || 80, rows: rows || 24 });
      const { liveProgress } = await import("./live-progress.ts");
      return [liveProgress({ screen, log, size, now: clock.elapsed, every })];
    }
  }
}

/** Both, because bars are drawn on the one stream and lines are looked for on the other. */
function isWatched(
  outputTaken: boolean,
  variables: Readonly<Record<string, string | undefined>>,
): boolean {
  return (outputTaken || isTerminal("stdout")) && isTerminal("stderr") && allowsCursor(variables);
}

function every(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms);
  timer.unref();
  return () => clearInterval(timer);
}
