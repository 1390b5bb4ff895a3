// What was asked for, to standard output.

import { asFailure, Failure } from "../../core/failure.ts";
import { outletAt } from "./outlet.ts";

/**
 * Writes to standard output exactly what is given, whole, and waits until it is read.
 *
 * A reader that left early is not an error. Fails with `io` if the output cannot be written, and with
 * `canceled` if the program is to end and nobody reads.
 */
export async function print(content: string | Uint8Array): Promise<void> {
  const outlet = outletAt(1);
  outlet.write(typeof content === "string" ? new TextEncoder().encode(content) : content);
  if (await outlet.written()) return;
  const { error } = outlet;
  if (error === undefined) throw new Failure("canceled", "Standard output was not read to its end");
  if ("code" in error && error.code === "EPIPE") return;
  throw new Failure("io", `Cannot write to standard output: ${asFailure(error).message}`, {
    cause: error,
  });
}
