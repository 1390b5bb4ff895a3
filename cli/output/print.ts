// What was asked for, to standard output.

import { asFailure, Failure } from "../../core/failure.ts";

/**
 * Writes to standard output exactly what is given, whole.
 *
 * A reader that left early is not an error. Fails with `io` if the output cannot be written.
 */
export async function print(content: string | Uint8Array): Promise<void> {
  try {
    await Bun.write(Bun.stdout, content);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return;
    throw new Failure("io", `Cannot write to standard output: ${asFailure(error).message}`, {
      cause: error,
    });
  }
}
