// Opening progress: as lines for programs, or as bars for a person.

import type { Log } from "./log.ts";
import { liveProgress } from "./live-progress.ts";
import { lineProgress, type Progress } from "./progress.ts";
import { Reports } from "./reports.ts";
import type { Screen } from "./screen.ts";
import { isTerminal } from "./terminal.ts";
import { writeLine } from "./write-line.ts";

/** What progress is shown with. */
export interface ProgressOptions {
  readonly log: Log;
  readonly screen: Screen;
  /** Leaves nothing but warnings. */
  readonly quiet: boolean;
  /** Whether standard output belongs to something else. */
  readonly outputTaken: boolean;
}

/** Begins to report what a command does. */
export function openReports(options: ProgressOptions): Reports {
  return new Reports([openProgress(options)], () => performance.now());
}

/**
 * Returns the progress that fits: for a person bars on stderr, for programs the original's lines on
 * stdout, unless that is taken. With `quiet` there are warnings only.
 */
function openProgress({ log, screen, quiet, outputTaken }: ProgressOptions): Progress {
  if (quiet) return lineProgress(() => {}, log);
  // Both, because bars are drawn on the one and lines are looked for on the other.
  if ((outputTaken || isTerminal("stdout")) && isTerminal("stderr")) {
    const { columns = 80, rows = 24 } = process.stderr;
    return liveProgress({
      screen,
      log,
      size: () => ({ columns: columns || 80, rows: rows || 24 }),
      now: () => performance.now(),
      every,
    });
  }
  return lineProgress((line) => writeLine(outputTaken ? "stderr" : "stdout", line), log);
}

function every(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms);
  timer.unref();
  return () => clearInterval(timer);
}
