// Sequoia: signing with the keys that the user's sq keeps.

import { Failure } from "../failure.ts";
import { shown } from "../foreign-text.ts";
import { messageIn } from "./openpgp-armor.ts";
import type { DocumentSigner } from "./simple-signer.ts";
import { findProgram, type ProgramCall, runProgram, type Surroundings } from "./signing-program.ts";

/** Which key signs. */
export interface SequoiaKey {
  readonly fingerprint: string;
  /** Absent: the key has none, or whoever keeps it asks for it. */
  readonly passphrase?: string;
}

/** Returns who signs documents with a key of the user's sq. */
export function sequoiaSigner(
  { fingerprint, passphrase }: SequoiaKey,
  surroundings: Surroundings,
): DocumentSigner {
  return {
    async prepare() {
      findProgram("sq", surroundings.environment);
    },
    async signDocument(document) {
      const call = passphrase === undefined ? open(document) : locked(document, passphrase);
      const signing = ["sign", `--signer=${fingerprint}`, "--message", ...call.file];
      const { exitCode, output, said } = await runProgram(
        { ...call, program: "sq", args: ["--batch", ...call.password, ...signing] },
        surroundings,
      );
      const message = exitCode === 0 ? messageIn(output) : undefined;
      if (message !== undefined) return message;
      throw new Failure("config", `sq: ${wordsIn(said)}`, {
        hint: "keys are found by `sq key list`, in sq of version 1.0 or newer",
      });
    },
  };
}

type Call = Pick<ProgramCall, "input" | "extra"> & {
  readonly password: readonly string[];
  readonly file: readonly string[];
};

function open(document: Uint8Array): Call {
  return { input: document, password: [], file: [] };
}

/** The passphrase has to be a file that sq can open: standard input is one, in memory. */
function locked(document: Uint8Array, passphrase: string): Call {
  return {
    input: new TextEncoder().encode(passphrase),
    extra: { kind: "file", content: document },
    password: ["--password-file", "/dev/stdin"],
    file: ["/dev/fd/3"],
  };
}

/** Returns the first reason that was given: others explain it. */
function wordsIn(said: string): string {
  const lines = said.split("\n").map((line) => line.trim());
  const errors = lines.filter((line) => /^(error: |because: |\d+: (?!<))/i.test(line));
  const first = errors.at(-1) ?? lines.find((line) => line !== "");
  return first === undefined
    ? "it made no signature"
    : shown(first.replace(/^(error: |because: |\d+: )/i, ""));
}
