// Key findings: what is wrong with the keys of a policy, or soon will be.

/** Something about a key or certificate that an administrator should know. */
export interface KeyFinding {
  /** An error keeps signatures from being accepted now; a warning says that something soon will. */
  readonly severity: "error" | "warning";
  readonly message: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/** So long before its end an administrator is told. */
const noticeDays = 30;

/** Returns what is to be said of something that ends at a time; undefined if that is far away, or never. */
export function expiryFinding(
  what: string,
  expires: Date | undefined,
  now: Date,
): KeyFinding | undefined {
  if (expires === undefined) return undefined;
  const day = expires.toISOString().slice(0, 10);
  const days = (expires.getTime() - now.getTime()) / dayMs;
  if (days <= 0) return { severity: "error", message: `${what} has expired on ${day}` };
  if (days > noticeDays) return undefined;
  return { severity: "warning", message: `${what} expires on ${day}` };
}
