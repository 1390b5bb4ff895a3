// Signing flags: who signs what is written, and how.

import { type DockerName, fullName, parseDockerName } from "../../core/content/docker-name.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import { text, type Values } from "./flag.ts";

/** What may be said about new signatures. */
export const signingFlags = {
  signBy: text("sign-by", "Sign the image using a GPG key with the specified `FINGERPRINT`"),
  signBySequoia: text(
    "sign-by-sq-fingerprint",
    "Sign the image using a Sequoia-PGP key with the specified `FINGERPRINT`",
  ),
  signBySigstore: text(
    "sign-by-sigstore",
    "Sign the image using a sigstore parameter file at `PATH`",
  ),
  signByPrivateKey: text(
    "sign-by-sigstore-private-key",
    "Sign the image using a sigstore private key at `PATH`",
  ),
  passphraseFile: text(
    "sign-passphrase-file",
    "Read a passphrase for signing an image from `PATH`",
  ),
};

/** What the signing flags say. */
export type SigningValues = Values<typeof signingFlags>;

/** What new signatures call the image. */
export const signIdentityFlag = text(
  "sign-identity",
  "Identity of signed image, must be a fully specified docker reference. Defaults to the target docker reference.",
);

/** Parses an identity, which has to be spelled in full; undefined if nothing is said. Fails with `usage`. */
export function parseSignIdentity(said: string): DockerName | undefined {
  if (said === "") return undefined;
  try {
    const name = parseDockerName(said);
    if (fullName(name) === said) return name;
  } catch (error) {
    throw usage(`Could not parse --sign-identity: ${asFailure(error).message}`);
  }
  throw new Failure("usage", "Could not parse --sign-identity: repository name must be canonical", {
    hint: `write it in full: ${fullName(parseDockerName(said))}`,
  });
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
