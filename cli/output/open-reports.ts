// Opening reports: who listens to what a command does, as its flags and streams have it.

import type { Call } from "../command.ts";
import { Failure } from "../../core/failure.ts";
import type { ReportValues } from "../flags/reporting.ts";
import { eventLines } from "./event-lines.ts";
import { type EventTarget, openEventTarget } from "./event-target.ts";
import { forecastPrinter } from "./forecast-printer.ts";
import { liveProgress } from "./live-progress.ts";
import { lineProgress, type Progress } from "./progress.ts";
import { Reports } from "./reports.ts";
import { resultPrinter } from "./result-printer.ts";
import { allowsCursor, isTerminal } from "./terminal.ts";
import { timedProgress } from "./timed-progress.ts";
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
  const target =
    flags.events === undefined
      ? undefined
      : await openEventTarget(flags.events, ({ message }) => log.warn(message));
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
        ...progressOf(call, { ...wish, outputTaken: stdoutTaken }, clock),
        ...(target === undefined ? [] : [eventLines({ ...target, ...clock })]),
        ...printersOf(wish),
      ],
      clock.elapsed,
      log,
    );
  } catch (error) {
    target?.close();
    throw error;
  }
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

function printersOf({ command, flags, quiet, dryRun = false }: ReportWish): readonly Progress[] {
  const { output } = flags;
  if (dryRun) return quiet && output === "text" ? [] : [forecastPrinter(command, output)];
  return output === "json" ? [resultPrinter(command)] : [];
}

interface Clock {
  now(): Date;
  elapsed(): number;
}

function progressOf(call: ReportingCall, wish: ReportWish, clock: Clock): readonly Progress[] {
  const { log, screen, environment } = call;
  const { quiet, outputTaken, flags, dryRun = false } = wish;
  const silent = lineProgress(() => {}, log);
  if (quiet || dryRun) return [silent];
  const lines = lineProgress((line) => writeLine(outputTaken ? "stderr" : "stdout", line), log);
  switch (flags.progress) {
    case "none":
      return [silent];
    case "json":
      return [silent, eventLines({ write: screen.line, ...clock })];
    case "plain":
      return [lines, timedProgress({ write: screen.line, now: clock.elapsed, every })];
    case "auto": {
      if (!isWatched(outputTaken, environment.variables)) return [lines];
      const { columns = 80, rows = 24 } = process.stderr;
      const size = () => ({ columns: columns || 80, rows: rows || 24 });
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
