// GnuPG: signing with the keys that the user's gpg keeps, and the public keys it knows.
//
// Secret keys live with an agent, or on a card: only gpg gets at them. See DETAILS of its documentation for
// the lines that it says its status in.

import { during, Failure } from "../failure.ts";
import { quoted, shown } from "../foreign-text.ts";
import type { DocumentSigner } from "./simple-signer.ts";
import { findProgram, runProgram, type Surroundings } from "./signing-program.ts";

/** Which key signs. */
export interface GpgKey {
  /** Whatever gpg takes for a key. */
  readonly key: string;
  /** Absent: the agent knows it, or asks for it. */
  readonly passphrase?: string;
}

/** Returns who signs documents with a key of the user's gpg. */
export function gpgSigner({ key, passphrase }: GpgKey, surroundings: Surroundings): DocumentSigner {
  return {
    prepare: () =>
      during("initializing GPG", () => {
        checkPassphrase(passphrase);
        checkGpg(surroundings);
      }),
    signDocument: (document) => sign(document, { key, passphrase }, surroundings),
  };
}

/** Returns public keys that the user's gpg knows, binary; empty where it knows none of them. */
export async function exportedKeys(
  keys: readonly string[],
  surroundings: Surroundings,
): Promise<Uint8Array> {
  checkGpg(surroundings);
  const args = ["--batch", "--no-tty", "--no-armor", "--export", "--", ...keys];
  const call = { program: "gpg", args, input: new Uint8Array() };
  const { exitCode, output, said } = await runProgram(call, surroundings);
  if (exitCode !== 0) throw new Failure("config", `gpg: ${wordsIn(said, "no reason given")}`);
  return output;
}

/** Fails with `config` if there is no gpg. */
export function checkGpg({ environment }: Surroundings): void {
  findProgram("gpg", environment);
}

function checkPassphrase(passphrase: string | undefined): void {
  if (passphrase === undefined || !/[\r\n]/.test(passphrase)) return;
  throw new Failure("usage", "invalid passphrase: must not contain a line break");
}

async function sign(
  document: Uint8Array,
  { key, passphrase }: { readonly key: string; readonly passphrase: string | undefined },
  surroundings: Surroundings,
): Promise<Uint8Array> {
  checkPassphrase(passphrase);
  const loopback = ["--pinentry-mode", "loopback", "--passphrase-fd", "3"];
  const args = [
    ...["--batch", "--no-tty", "--status-fd", "2"],
    ...(passphrase === undefined ? [] : loopback),
    // Whatever the user's configuration says: this is the one form that signatures have.
    ...["--no-armor", "--no-textmode"],
    ...["--local-user", key, "--sign"],
  ];
  const call = {
    program: "gpg",
    args,
    input: document,
    ...(passphrase !== undefined && { extra: { kind: "line", text: passphrase } as const }),
  };
  const { exitCode, output, said } = await runProgram(call, surroundings);
  const status = said.split("\n").flatMap((line) => /^\[GNUPG:\] (.*)$/.exec(line)?.[1] ?? []);
  const created = status.some((line) => line.startsWith("SIG_CREATED "));
  if (exitCode === 0 && created && output.length > 0) return output;
  throw failureOf(said, status, key);
}

function failureOf(said: string, status: readonly string[], key: string): Failure {
  const reason = wordsIn(said, "gpg made no signature, and gave no reason");
  const invalid = status.find((line) => line.startsWith("INV_SGNR "))?.split(" ")[1];
  if (invalid !== undefined) {
    const why = invalidKeys[invalid] ?? reason;
    return new Failure("config", `key ${quoted(key)} cannot sign: ${why}`, {
      hint: "gpg --list-secret-keys shows the keys that can",
    });
  }
  const codes = status.flatMap((line) => /^FAILURE sign (\d+)$/.exec(line)?.[1] ?? []);
  // The lower half is the error, the upper half says who made it.
  const hint = codes.map((code) => hints[Number(code) & 0xffff]).find((each) => each !== undefined);
  return new Failure("config", reason, { hint });
}

/** Why gpg cannot use a key. */
const invalidKeys: Readonly<Record<string, string>> = {
  "1": "it is not there",
  "2": "several keys fit",
  "3": "it may not be used for that",
  "4": "it is revoked",
  "5": "it has expired",
  "9": "there is no secret key",
};

const hints: Readonly<Record<number, string>> = {
  11: "the passphrase is in the file that --sign-passphrase-file or --passphrase-file names",
  // Inappropriate ioctl, no such device or address, no pinentry: nobody to ask.
  32870:
    "gpg could not ask for the passphrase here: give it with --sign-passphrase-file or --passphrase-file",
  32874:
    "gpg could not ask for the passphrase here: give it with --sign-passphrase-file or --passphrase-file",
  86: "gpg could not ask for the passphrase here: give it with --sign-passphrase-file or --passphrase-file",
};

/** Returns the last thing that was said to a person. */
function wordsIn(said: string, otherwise: string): string {
  const lines = said.split("\n").filter((line) => line.startsWith("gpg: "));
  const last = lines.at(-1)?.slice("gpg: ".length);
  return last === undefined ? otherwise : shown(last);
}
