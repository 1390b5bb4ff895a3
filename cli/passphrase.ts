// Passphrases: from a file, or from whoever sits at the terminal.

import { readConfigFile } from "../core/config/config-file.ts";
import { Failure } from "../core/failure.ts";
import type { Call } from "./command.ts";
import { Input } from "./input.ts";
import { isTerminal } from "./output/terminal.ts";

/** Returns the first line of a file, without its end; it may be empty. */
export async function passphraseIn(path: string): Promise<string> {
  const text = new TextDecoder().decode(await readConfigFile(path));
  const [line = ""] = text.split("\n", 1);
  return line;
}

/** Asks for the passphrase of a key file. Fails with `usage` where nobody can be asked. */
export async function askPassphrase({ signal }: Call, path: string): Promise<string> {
  if (!isTerminal("stdin")) {
    throw new Failure(
      "usage",
      `Cannot prompt for a passphrase for key ${path}, standard input is not a TTY`,
      { hint: "put it into a file, of which the first line counts, and name that" },
    );
  }
  using input = new Input(signal, "stderr");
  return await input.askSecret(`Passphrase for key ${path}: `);
}
