// Writing lines: at once and whole, so that nothing is lost however the program ends.
//
// The runtime's own streams take long to load and lose what they hold when the process ends early, and
// its console paints errors red on a terminal.

import { writeSync } from "node:fs";

/**
 * Writes a line to one of the program's streams.
 *
 * A line that cannot be written is given up: its reader has left, and nobody else could be told.
 */
export function writeLine(stream: "stdout" | "stderr", line: string): void {
  writeTo(stream === "stdout" ? 1 : 2, line);
}

/** Writes a line to an open descriptor. Returns what kept it from being written, if something did. */
export function writeTo(descriptor: number, line: string): Error | undefined {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // Whoever shares a pipe with us may have asked not to be kept waiting; we can wait.
      if (!("code" in error) || error.code !== "EAGAIN") return error;
      Bun.sleepSync(1);
    }
  }
  return undefined;
}
