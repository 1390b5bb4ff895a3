// Signers: those that the command line names.

import type { DockerName } from "../core/content/docker-name.ts";
import type { Signing } from "../core/copy/request.ts";
import { Failure } from "../core/failure.ts";
import type { Signer } from "../core/trust/signer.ts";
import type { SigningMarks } from "../core/trust/simple-signer.ts";
import type { Surroundings } from "../core/trust/signing-program.ts";
import type { Call } from "./command.ts";
import type { SigningValues } from "./flags/signing.ts";
import { passphraseIn } from "./passphrase.ts";
import { version } from "./version.ts";

/**
 * Returns who signs, in the original's order; undefined if nobody does. Fails with `usage` where flags
 * contradict, and as the passphrase file does.
 */
export async function signingOf(
  call: Call,
  said: SigningValues,
  identity?: DockerName,
): Promise<Signing | undefined> {
  const { signBy, signBySequoia, signBySigstore, signByPrivateKey, passphraseFile } = said;
  const keys = [signBy, signBySequoia, signByPrivateKey].filter((each) => each !== "");
  if (passphraseFile !== "" && keys.length > 1) {
    throw new Failure(
      "usage",
      "Only one of --sign-by, --sign-by-sq-fingerprint and --sign-by-sigstore-private-key can be used with --sign-passphrase-file",
    );
  }
  const passphrase: { readonly passphrase?: string } =
    passphraseFile === "" ? {} : { passphrase: await passphraseIn(passphraseFile) };
  const signers: Signer[] = [];
  if (signBySigstore !== "") {
    const { parameterSigner } = await import("./sigstore-signers.ts");
    signers.push(await parameterSigner(call, signBySigstore));
  }
  if (signBySequoia !== "") {
    const { sequoiaSigner } = await import("../core/trust/sequoia.ts");
    const { simpleSigner } = await import("../core/trust/simple-signer.ts");
    const key = { fingerprint: signBySequoia, ...passphrase };
    signers.push(simpleSigner(sequoiaSigner(key, surroundingsOf(call)), signingMarks));
  }
  if (signBy !== "") {
    const { gpgSigner } = await import("../core/trust/gpg.ts");
    const { simpleSigner } = await import("../core/trust/simple-signer.ts");
    const key = { key: signBy, ...passphrase };
    signers.push(simpleSigner(gpgSigner(key, surroundingsOf(call)), signingMarks));
  }
  if (signByPrivateKey !== "") {
    const { privateKeySigner } = await import("./sigstore-signers.ts");
    signers.push(await privateKeySigner(call, signByPrivateKey, passphrase.passphrase));
  }
  if (signers.length === 0) return undefined;
  return { signers, ...(identity !== undefined && { identity }) };
}

/** Returns what programs that sign are run in. */
export function surroundingsOf({ environment, signal, global }: Call): Surroundings {
  return { environment, signal, temporaryDirectory: global.temporaryDirectory || "/var/tmp" };
}

/** What new signatures say of their making. */
export const signingMarks: SigningMarks = { creator: `dray ${version}`, now: () => new Date() };
