// Rejection: the failure of work that must fail.

import { Failure } from "../../core/failure.ts";

/** Returns the Failure by which `work` ends, and fails if it ends well or by something else. */
export async function rejection(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("nothing failed");
}
