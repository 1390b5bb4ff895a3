// Reporting flags: how a command says what it does.

import { choice, maybeText, toggle, type Values } from "./flag.ts";

/** How progress may be shown. */
const progressKinds = ["auto", "plain", "none", "json"] as const;

/** How a result may be printed. */
const outputKinds = ["text", "json"] as const;

/** The flag by which a command prints its result as JSON. */
export const outputFlag = choice(
  "output",
  outputKinds,
  "Print the result to stdout as `FORMAT` (text or json), and all else to stderr if that is json",
);

/** The flag by which a command only says what it would do. */
export const dryRunFlag = toggle(
  "dry-run",
  "Ask what is there, print what would be done, and change nothing",
);

/** What may be said of a command that copies. */
export const reportFlags = {
  events: maybeText(
    "events",
    "Write what happens, one JSON object a line, to `FILE` or to the open file descriptor fd:N",
  ),
  output: outputFlag,
  progress: choice(
    "progress",
    progressKinds,
    "Show progress as `KIND`: auto (bars on a terminal, else lines), plain (lines, and every 10 seconds how far it is), none, or json (events, on stderr)",
  ),
};

/** What the reporting flags say. */
export type ReportValues = Values<typeof reportFlags>;
