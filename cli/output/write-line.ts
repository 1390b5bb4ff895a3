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
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(stream === "stdout" ? 1 : 2, bytes, written);
    } catch (error) {
      // Whoever shares a pipe with us may have asked not to be kept waiting; we can wait.
      if (codeOf(error) !== "EAGAIN") return;
      Bun.sleepSync(1);
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
