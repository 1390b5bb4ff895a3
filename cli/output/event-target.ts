// The event target: the file or descriptor that events are written to.

import { closeSync, fstatSync, open } from "node:fs";
import { promisify } from "node:util";

import { asFailure, during, Failure } from "../../core/failure.ts";
import { forgetOutlet, outletAt } from "./outlet.ts";

/** Where events are written to. */
export interface EventTarget {
  /** Which of the program's own streams it is; absent if it is none. */
  readonly stream?: "stdout" | "stderr";
  /**
   * Writes a line, or nothing any more once that has failed: a reader who has left is no error, and about
   * anything else `failed` was told.
   */
  write(line: string): void;
  /** Waits until all lines are taken. Fails with `canceled` if the program is to end and nobody reads. */
  written(): Promise<void>;
  close(): void;
}

/**
 * Opens what `--events` names: `fd:N`, which has to be open already, or a file, which is emptied.
 *
 * Fails with `usage` or `io` if that cannot be written to.
 */
export async function openEventTarget(
  text: string,
  failed: (failure: Failure) => void,
): Promise<EventTarget> {
  const [, number] = /^fd:(.*)$/s.exec(text) ?? [];
  if (number !== undefined) return targetAt(descriptorOf(text, number), { text, failed });
  // Not at once: a pipe may have to wait for its reader, and that can be given up.
  const descriptor = await during(`Cannot write events to ${JSON.stringify(text)}`, () =>
    promisify(open)(text, "w", 0o644),
  );
  return targetAt(descriptor, { text, failed, close: () => closeSync(descriptor) });
}

function descriptorOf(text: string, number: string): number {
  const descriptor = /^\d{1,9}$/.test(number) ? Number(number) : undefined;
  if (descriptor === undefined || descriptor === 0) {
    throw new Failure("usage", `Cannot write events to ${JSON.stringify(text)}: not a descriptor`, {
      hint: "write fd:N with the number of a descriptor that is open for writing",
    });
  }
  try {
    fstatSync(descriptor);
    return descriptor;
  } catch (error) {
    throw new Failure("usage", `Cannot write events to ${text}: the descriptor is not open`, {
      hint: `open it for the program, as in ${descriptor}>events.jsonl`,
      cause: error,
    });
  }
}

interface TargetOptions {
  readonly text: string;
  readonly failed: (failure: Failure) => void;
  readonly close?: () => void;
}

function targetAt(descriptor: number, { text, failed, close }: TargetOptions): EventTarget {
  const stream = descriptor === 1 ? "stdout" : descriptor === 2 ? "stderr" : undefined;
  const outlet = outletAt(descriptor);
  outlet.failed = (error) => {
    if ("code" in error && error.code === "EPIPE") return;
    const { message } = asFailure(error);
    failed(new Failure("io", `Cannot write any more events to ${text}: ${message}`));
  };
  return {
    ...(stream !== undefined && { stream }),
    write: (line) => outlet.write(new TextEncoder().encode(`${line}\n`)),
    async written() {
      if ((await outlet.written()) || outlet.error !== undefined) return;
      throw new Failure("canceled", `Events were not read to their end from ${text}`);
    },
    close() {
      if (stream === undefined) forgetOutlet(descriptor);
      close?.();
    },
  };
}
