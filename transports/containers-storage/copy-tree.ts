// Copying trees: all files of a layer with everything that can be said of them, as the base of another.

import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";

/** Copies what is in one directory into another one, which is there and becomes like the first. */
export async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  const child = startCopy(from, to, signal);
  const said = await child.stderr.text();
  await child.exited;
  signal.throwIfAborted();
  if (child.exitCode === 0) return;
  const [first = ""] = said.split("\n", 1);
  throw new Failure("io", `Cannot copy ${from} to ${to}: cp ended with ${quoted(first)}`);
}

/** Holes, hard links, owners, attributes and times, and no copy at all where the file system shares blocks. */
function startCopy(from: string, to: string, signal: AbortSignal) {
  try {
    return Bun.spawn(["cp", "-a", "--reflink=auto", "--", `${from}/.`, to], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      signal,
    });
  } catch (error) {
    throw new Failure(
      "unsupported",
      "The driver vfs takes the program cp of GNU, which is not here",
      {
        cause: error,
      },
    );
  }
}
