// Writing lines: to the program's own streams.

import { outletAt } from "./outlet.ts";

/**
 * Writes a line to one of the program's streams.
 *
 * A line that cannot be written is given up: its reader has left, and nobody else could be told.
 */
export function writeLine(stream: "stdout" | "stderr", line: string): void {
  outletAt(stream === "stdout" ? 1 : 2).write(new TextEncoder().encode(`${line}\n`));
}
