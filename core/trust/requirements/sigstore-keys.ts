// Sigstore keys: whether those that requirements want are there and good.

import { asFailure } from "../../failure.ts";
import { expiryFinding, type KeyFinding } from "../key-finding.ts";
import { parseAuthorities } from "../sigstore/authorities.ts";
import { parsePublicKey } from "../sigstore/public-key.ts";
import type { BundleRule } from "./bundle-rule.ts";
import { type KeySource, readKeySource, spelledSource } from "./key-source.ts";
import type { SigstoreRule } from "./sigstore-rule.ts";

/** Returns what is wrong with keys and certificates of a sigstoreSigned, or soon will be. */
export function sigstoreKeyFindings(
  { trust, rekorKeys }: SigstoreRule,
  now: Date,
): Promise<readonly KeyFinding[]> {
  switch (trust.kind) {
    case "keys":
      return findings({ keys: [trust.keys, rekorKeys] }, now);
    case "fulcio":
      return findings({ certificates: [trust.authorities], keys: [rekorKeys] }, now);
    case "pki":
      return findings({ certificates: [trust.roots, trust.intermediates], keys: [rekorKeys] }, now);
  }
}

/** Returns the same for a requirement about bundles. */
export function bundleKeyFindings(
  { signers, rekorKeys }: BundleRule,
  now: Date,
): Promise<readonly KeyFinding[]> {
  if (signers.kind === "keys") return findings({ keys: [signers.keys, rekorKeys] }, now);
  const { authorities, intermediates, timestampAuthority: seen } = signers;
  const certificates = [authorities, intermediates, seen?.authorities, seen?.intermediates];
  return findings({ certificates, keys: [rekorKeys] }, now);
}

interface Sources {
  readonly certificates?: readonly (KeySource | undefined)[];
  readonly keys: readonly (KeySource | undefined)[];
}

async function findings(
  { certificates = [], keys }: Sources,
  now: Date,
): Promise<readonly KeyFinding[]> {
  const found: KeyFinding[] = [];
  for (const source of certificates) {
    if (source === undefined) continue;
    found.push(...(await findingsIn(source, (pem) => certificateFindings(pem, now))));
  }
  for (const source of keys) {
    if (source !== undefined) found.push(...(await findingsIn(source, keyFindings)));
  }
  return found;
}

async function findingsIn(
  source: KeySource,
  look: (pem: Uint8Array) => readonly KeyFinding[],
): Promise<readonly KeyFinding[]> {
  try {
    return (await readKeySource(source)).flatMap(look);
  } catch (error) {
    const message = `${spelledSource(source)}: ${asFailure(error).message}`;
    return [{ severity: "error", message }];
  }
}

function keyFindings(pem: Uint8Array): readonly KeyFinding[] {
  parsePublicKey(pem);
  return [];
}

function certificateFindings(pem: Uint8Array, now: Date): readonly KeyFinding[] {
  return parseAuthorities(pem)
    .map(({ notAfter }, index) => expiryFinding(`certificate ${index + 1}`, notAfter, now))
    .filter((finding) => finding !== undefined);
}
