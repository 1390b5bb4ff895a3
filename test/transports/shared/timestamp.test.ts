// Timestamps, as configs write them.

import { describe, expect, test } from "bun:test";
import { timestamp } from "../../../transports/shared/timestamp.ts";

describe("timestamp", () => {
  test.each([
    [0n, "1970-01-01T00:00:00Z"],
    [1_704_164_645_123_456_789n, "2024-01-02T03:04:05.123456789Z"],
    [1_704_164_645_120_000_000n, "2024-01-02T03:04:05.12Z"],
    [1_704_164_645_000_000_001n, "2024-01-02T03:04:05.000000001Z"],
    [-1n, "1969-12-31T23:59:59.999999999Z"],
    [-1_000_000_000n, "1969-12-31T23:59:59Z"],
  ])("writes %d ns as %s", (nanoseconds, text) => {
    expect(timestamp(nanoseconds)).toBe(text);
  });
});
