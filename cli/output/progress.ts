// Progress: what a copy says about itself, as the lines that the original prints.

import type { CopyEvent, Tell } from "../../core/copy/events.ts";
import type { Log } from "./log.ts";

/** Shows how a copy goes. Disposing takes away what was only of interest while it went. */
export interface Progress extends Disposable {
  /** Begins anew, for another attempt at the copy, and returns whom to tell about it. */
  begin(): Tell;
  /** The copy has succeeded. */
  finish(): void;
}

/** Shows progress as lines that programs may read. */
export function lineProgress(write: (line: string) => void, log: Log): Progress {
  return {
    begin: () => (event) => {
      const line = lineFor(event);
      if (line !== undefined) write(line);
      logEvent(event, log);
    },
    finish: () => {},
    [Symbol.dispose]: () => {},
  };
}

/** Returns the line that the original prints for an event; undefined if it prints none. */
export function lineFor(event: CopyEvent): string | undefined {
  switch (event.kind) {
    case "signatures-sought":
      return event.of === "list"
        ? "Getting image list signatures"
        : "Getting image source signatures";
    case "signatures-found":
      return `Checking if image ${event.of === "list" ? "list " : ""}destination supports signatures`;
    case "list-begun":
      return `Copying ${event.chosen} images generated from ${event.listed} images in list`;
    case "instance-begun":
      return `Copying image ${event.digest} (${event.index + 1}/${event.of})`;
    case "blob-begun":
      return `Copying ${event.role === "config" ? "config" : "blob"} ${event.digest}`;
    case "manifest-begun":
      return `Writing manifest ${event.of === "list" ? "list " : ""}to image destination`;
    case "signing-begun": {
      const { activity, number } = event;
      return `Creating signature${number === undefined ? "" : ` ${number}`}: ${activity}`;
    }
    case "signatures-begun":
      return event.of === "list" ? "Storing list signatures" : "Storing signatures";
    case "blob-moved":
    case "blob-restarted":
    case "blob-ended":
    case "warning":
      return undefined;
  }
}

/** Passes on what belongs into the log, however progress is shown. */
export function logEvent(event: CopyEvent, log: Log): void {
  if (event.kind === "warning") log.warn(event.message);
  if (event.kind === "blob-restarted") {
    log.info(`Reading blob ${event.digest} once more: ${event.reason}`);
  }
}
