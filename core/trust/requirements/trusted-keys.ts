// Trusted keys: what key sources hold, parsed.

import { during } from "../../failure.ts";
import { parseAuthorities } from "../sigstore/authorities.ts";
import type { Certificate } from "../sigstore/certificate.ts";
import { parsePublicKey, type PublicKey } from "../sigstore/public-key.ts";
import { type KeySource, readKeySource } from "./key-source.ts";

/** Reads all keys of a source; one that is unusable makes all of them unusable. `what` names them. */
export async function readPublicKeys(
  source: KeySource,
  what: string,
): Promise<readonly PublicKey[]> {
  const files = await readKeySource(source);
  const keys: PublicKey[] = [];
  for (const [index, pem] of files.entries()) {
    keys.push(await during(`parsing ${what} ${index + 1}`, () => parsePublicKey(pem)));
  }
  return keys;
}

/** Reads all certificates of a source. Fails with `config` if one file has none that is usable. */
export async function readAuthorities(
  source: KeySource,
  what: string,
): Promise<readonly Certificate[]> {
  const files = await readKeySource(source);
  return during(`parsing ${what}`, () => files.flatMap(parseAuthorities));
}
