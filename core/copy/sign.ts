// Signing: new signatures over what a copy has written.

import type { Digest } from "../content/digest.ts";
import { fullName } from "../content/docker-name.ts";
import { during, Failure } from "../failure.ts";
import type { ImageDestination } from "../image/destination.ts";
import { type ImageName, spelled } from "../image/name.ts";
import type { Signature } from "../image/source.ts";
import { whyFormsRefused } from "./holding.ts";
import type { CopyRequest, Signing } from "./request.ts";

/**
 * Fails where signing is wanted and cannot succeed: nothing has been written yet.
 *
 * The original finds that out when the image is there already, without its signature.
 */
export async function prepareSigning({ signing, destination }: CopyRequest): Promise<void> {
  if (signing === undefined) return;
  identityOf(signing, destination.reference);
  for (const signer of signing.signers) await signer.prepare?.();
}

/** Fails where signing is wanted and the destination holds no signatures. */
export function checkHoldsSignatures({ traits }: ImageDestination, { signing }: CopyRequest): void {
  const forms = signing?.signers.map(({ form }) => form) ?? [];
  const why = whyFormsRefused(traits, forms);
  if (why === undefined) return;
  throw new Failure("unsupported", `writing signatures: ${why}`, {
    hint: "copy without signing, or sign a copy in a registry or a dir:",
    side: "destination",
  });
}

/** Returns new signatures of the manifest that was written with this digest; none if nobody signs. */
export async function signManifest(
  digest: Digest,
  { signing, destination, tell }: CopyRequest,
): Promise<readonly Signature[]> {
  if (signing === undefined) return [];
  const { signers } = signing;
  const reference = identityOf(signing, destination.reference);
  const signatures: Signature[] = [];
  for (const [index, signer] of signers.entries()) {
    const { activity } = signer;
    const number = signers.length === 1 ? undefined : index + 1;
    tell({ kind: "signing-begun", activity, ...(number !== undefined && { number }) });
    const step = `creating signature${number === undefined ? "" : ` ${number}`}`;
    signatures.push(await during(step, () => signer.sign({ digest, reference })));
  }
  return signatures;
}

function identityOf({ identity }: Signing, destination: ImageName): string {
  if (identity === undefined) {
    if (destination.docker !== undefined) return destination.docker;
    throw new Failure(
      "usage",
      `Cannot determine canonical Docker reference for destination ${spelled(destination)}`,
      { hint: "say what the signature shall call the image, with --sign-identity" },
    );
  }
  if (identity.tag !== undefined || identity.digest !== undefined) return fullName(identity);
  throw new Failure(
    "usage",
    `Sign identity must be a fully specified reference ${fullName(identity)}`,
    { hint: "add a tag or a digest" },
  );
}
