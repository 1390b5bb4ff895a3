// Timestamp: a moment as configs write it.

const perSecond = 1_000_000_000n;

/**
 * Returns nanoseconds since 1970 as RFC 3339 in UTC, with as many digits as it takes:
 * `2024-01-02T03:04:05.12Z`.
 *
 * The original writes the time zone of the machine, so that the same file becomes another image elsewhere.
 */
export function timestamp(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % perSecond) + perSecond) % perSecond;
  const seconds = (nanoseconds - fraction) / perSecond;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -".000Z".length);
  const digits = String(fraction).padStart(9, "0").replace(/0+$/, "");
  return digits === "" ? `${whole}Z` : `${whole}.${digits}Z`;
}
