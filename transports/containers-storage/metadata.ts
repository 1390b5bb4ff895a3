// Metadata: what an image's record says in a member that is itself text of JSON: how long signatures are.

import type { Digest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { Signature } from "../../core/image/source.ts";
import { encodeJson, isJsonObject, type Json, parseForeignJson } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import type { ImageRecord } from "./records.ts";

/**
 * Returns the signatures that stand in `bytes` one behind the other: those of an image in a list, or of
 * the image itself. Fails with `corrupt`, in the original's words.
 */
export function signaturesOf(
  { id, metadata }: ImageRecord,
  bytes: Uint8Array,
  instance?: Digest,
): readonly Signature[] {
  const document = metadata === "" ? undefined : parseForeignJson(metadata);
  const sizes = isJsonObject(document)
    ? sizesIn(
        instance === undefined ? document["signature-sizes"] : perInstance(document, instance),
      )
    : [];
  const which =
    instance === undefined ? "default instance" : `instance ${JSON.stringify(instance)}`;
  const signatures: Signature[] = [];
  let at = 0;
  for (const size of sizes) {
    if (at + size > bytes.length) {
      throw new Failure(
        "corrupt",
        `looking up signatures data for image ${JSON.stringify(id)} (${which}): expected at least ${at + size} bytes, only found ${bytes.length}`,
      );
    }
    signatures.push(bytes.slice(at, at + size));
    at += size;
  }
  if (at !== bytes.length) {
    throw new Failure(
      "corrupt",
      `signatures data (${which}) contained ${bytes.length - at} extra bytes`,
    );
  }
  return signatures;
}

function perInstance(
  document: { readonly [name: string]: Json },
  instance: Digest,
): Json | undefined {
  const all = document["signatures-sizes"];
  return isJsonObject(all) ? all[instance] : undefined;
}

function sizesIn(value: Json | undefined): readonly number[] {
  if (!Array.isArray(value)) return [];
  const items: readonly Json[] = value;
  if (items.length > limits.signatures) {
    throw new Failure(
      "corrupt",
      `Image has ${items.length} signatures, more than ${limits.signatures}`,
    );
  }
  return items.map((item) => {
    if (typeof item === "number" && Number.isSafeInteger(item) && item >= 0) return item;
    throw new Failure("corrupt", "An image's record has a length of a signature that is none");
  });
}

/** How long signatures are that stand one behind the other: by the digest of the manifest they are over. */
export type SignatureSizes = ReadonlyMap<Digest, readonly number[]>;

/** Returns the text that tells how long an image's signatures are. `own` is the digest of its manifest. */
export function metadataOf(sizes: SignatureSizes, own: Digest): string {
  const kept = [...sizes].filter(([, each]) => each.length > 0);
  const direct = sizes.get(own) ?? [];
  return encodeJson({
    ...(direct.length > 0 && { "signature-sizes": direct }),
    ...(kept.length > 0 && { "signatures-sizes": new Map(kept) }),
  });
}
