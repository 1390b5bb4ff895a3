// Terminals: whether a person reads along, and what may be drawn for them.

import { fstatSync } from "node:fs";

/** Tells whether one of the program's streams is a terminal. */
export function isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean {
  const descriptor = ["stdin", "stdout", "stderr"].indexOf(stream);
  if (!isDevice(descriptor)) return false;
  // Loaded only now, because it takes longer than all the rest of starting up.
  const tty: typeof import("node:tty") = require("node:tty");
  return tty.isatty(descriptor);
}

/** Tells whether colours may be used where `isTerminal`. See https://no-color.org */
export function allowsColors(variables: Readonly<Record<string, string | undefined>>): boolean {
  return (variables["NO_COLOR"] ?? "") === "" && variables["TERM"] !== "dumb";
}

/** Tells whether lines may be drawn over each other where `isTerminal`. */
export function allowsCursor(variables: Readonly<Record<string, string | undefined>>): boolean {
  return variables["TERM"] !== "dumb";
}

function isDevice(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice();
  } catch (error) {
    // A stream may be closed from the start.
    if (error instanceof Error && "code" in error && error.code === "EBADF") return false;
    throw error;
  }
}
