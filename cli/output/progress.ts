// Progress: what a copy says about itself, as the lines that the original prints.

import type { CopyEvent, EventScope, Tell, ToldEvent } from "../../core/copy/events.ts";
import type { Log } from "./log.ts";

/** Shows how copies go. Disposing takes away what was only of interest while they went. */
export interface Progress extends Disposable {
  readonly tell: Tell;
  /** Says what is left to say when the summary has been told. Absent: nothing. */
  end?(): Promise<void>;
}

/** Shows progress as lines that programs may read. */
export function lineProgress(write: (line: string) => void, log: Log): Progress {
  return {
    tell(event) {
      const line = lineFor(event);
      if (line !== undefined) write(whereOf(event) + line);
      logEvent(event, log);
    },
    [Symbol.dispose]: () => {},
  };
}

/** Returns what stands before a line about any but the first of several destinations: which one it is. */
export function whereOf({ destination = 0 }: EventScope): string {
  return destination === 0 ? "" : `[${destination + 1}] `;
}

/** Returns the line for an event, as the original prints it; undefined if there is none. */
export function lineFor(event: CopyEvent): string | undefined {
  switch (event.kind) {
    case "signatures-sought":
      return event.of === "list"
        ? "Getting image list signatures"
        : "Getting image source signatures";
    case "signatures-found":
      return `Checking if image ${event.of === "list" ? "list " : ""}destination supports signatures`;
    case "bundles-found":
      // The original knows none.
      return `Copying ${event.count} Sigstore bundle${event.count === 1 ? "" : "s"}`;
    case "list-begun":
      return `Copying ${event.chosen} images generated from ${event.listed} images in list`;
    case "instance-begun":
      return `Copying image ${event.digest} (${event.index + 1}/${event.of})`;
    case "blob-begun":
      return `Copying ${event.role === "config" ? "config" : "blob"} ${event.digest}`;
    case "image-present":
      return "Skipping: image already present at destination";
    case "manifest-begun":
      return `Writing manifest ${event.of === "list" ? "list " : ""}to image destination`;
    case "signing-begun": {
      const { activity, number } = event;
      return `Creating signature${number === undefined ? "" : ` ${number}`}: ${activity}`;
    }
    case "signatures-begun":
      return event.of === "list" ? "Storing list signatures" : "Storing signatures";
    case "copy-begun":
    case "policy-decided":
    case "image-planned":
    case "blob-moved":
    case "blob-restarted":
    case "blob-ended":
    case "manifest-written":
    case "retry":
    case "warning":
    case "copy-ended":
    case "blob-foreseen":
    case "manifest-foreseen":
    case "copy-foreseen":
    case "copy-failed":
    case "failed":
    case "summary":
      return undefined;
  }
}

/** Passes on what belongs into the log, however progress is shown. */
export function logEvent(event: ToldEvent, log: Log): void {
  if (event.kind === "warning") log.warn(whereOf(event) + event.message);
  if (event.kind === "blob-restarted") {
    log.info(`${whereOf(event)}Reading blob ${event.digest} once more: ${event.reason}`);
  }
}
