// The failure of a call that must fail.

/** Returns what `work` throws, and throws if it does not. */
export function failureOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing failed");
}
