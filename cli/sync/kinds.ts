// Kinds: what sync reads from and writes to, in the words of its flags.

import { Failure } from "../../core/failure.ts";

/** What a source may be. */
export const sourceKinds = ["docker", "dir", "yaml", "oci", "oci-archive"] as const;

/** What a destination may be. */
export const targetKinds = ["docker", "dir", "oci", "oci-archive"] as const;

/** One of the kinds of sources. */
export type SourceKind = (typeof sourceKinds)[number];

/** One of the kinds of destinations. */
export type TargetKind = (typeof targetKinds)[number];

/** Checks both kinds, in the order and the words of the original. Fails with `usage`. */
export function parseKinds(said: { readonly src: string; readonly dest: string }): {
  readonly from: SourceKind;
  readonly to: TargetKind;
} {
  if (said.src === "") throw usage("A source transport must be specified");
  const from = sourceKinds.find((kind) => kind === said.src);
  if (from === undefined) {
    throw usage(`${JSON.stringify(said.src)} is not a valid source transport`);
  }
  if (said.dest === "") throw usage("A destination transport must be specified");
  const to = targetKinds.find((kind) => kind === said.dest);
  if (to === undefined) {
    throw usage(`${JSON.stringify(said.dest)} is not a valid destination transport`);
  }
  if (from === "dir" && to === "dir") {
    throw usage("sync from 'dir' to 'dir' not implemented, consider using rsync instead");
  }
  return { from, to };
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
