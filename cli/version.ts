// The version: what this build says it is.

declare global {
  // Both are put in by whoever builds the executable; absent when run from source.
  var DRAY_VERSION: string | undefined;
  var DRAY_COMMIT: string | undefined;
}

/** The version of this build; `0.0.0-source` when run from source. */
export const version = globalThis.DRAY_VERSION ?? "0.0.0-source";

/** The commit this build was made from; empty if nobody knows. */
export const commit = globalThis.DRAY_COMMIT ?? "";

/** Returns the answer to `--version`. */
export function versionLine(program: string): string {
  return `${program} version ${version}${commit === "" ? "" : ` commit: ${commit}`}`;
}
