// Holding: whether a destination can hold the signatures that are to go there.

import { parseSignatureBlob, type SignatureForm } from "../content/signature-blob.ts";
import type { DestinationTraits } from "../image/destination.ts";
import type { Signature } from "../image/source.ts";

/** Returns why a destination cannot hold signatures of all these forms; undefined if it can. */
export function whyFormsRefused(
  { refusesSignatures, refusedForms }: DestinationTraits,
  forms: readonly SignatureForm[],
): string | undefined {
  if (forms.length === 0) return undefined;
  return refusesSignatures ?? forms.map((form) => refusedForms?.[form]).find(isReason);
}

/**
 * Returns why a destination cannot hold these signatures; undefined if it can.
 *
 * Fails with `corrupt` where it holds some forms only, and one of them is of none.
 */
export function whySignaturesRefused(
  traits: DestinationTraits,
  signatures: readonly Signature[],
): string | undefined {
  if (signatures.length === 0) return undefined;
  // Who takes them all need not know what they are.
  if (traits.refusedForms === undefined) return traits.refusesSignatures;
  const forms = signatures.map((signature) => parseSignatureBlob(signature).kind);
  return whyFormsRefused(traits, forms);
}

function isReason(why: string | undefined): why is string {
  return why !== undefined;
}
