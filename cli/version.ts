// The version: what this build says it is.

// Both are put in place of these names when the executable is built.
declare const DRAY_VERSION: string;
declare const DRAY_COMMIT: string;

/** The version of this build; `0.0.0-source` when run from source. */
export const version = typeof DRAY_VERSION === "string" ? DRAY_VERSION : "0.0.0-source";

/** The commit this build was made from; empty if nobody knows. */
export const commit = typeof DRAY_COMMIT === "string" ? DRAY_COMMIT : "";

/** Returns the answer to `--version`. */
export function versionLine(program: string): string {
  return `${program} version ${version}${commit === "" ? "" : ` commit: ${commit}`}`;
}
