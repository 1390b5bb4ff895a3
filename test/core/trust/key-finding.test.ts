import { expect, test } from "bun:test";

import { expiryFinding } from "../../../core/trust/key-finding.ts";

const now = new Date("2024-03-01T12:00:00Z");

test.each<[string | undefined, ReturnType<typeof expiryFinding>]>([
  [undefined, undefined],
  ["2024-03-31T12:00:01Z", undefined],
  ["2024-03-31T11:59:59Z", { severity: "warning", message: "key K expires on 2024-03-31" }],
  ["2024-03-01T12:00:01Z", { severity: "warning", message: "key K expires on 2024-03-01" }],
  ["2024-03-01T12:00:00Z", { severity: "error", message: "key K has expired on 2024-03-01" }],
  ["2020-01-01T00:00:00Z", { severity: "error", message: "key K has expired on 2020-01-01" }],
])("expiryFinding tells of an end at %p in time", (end, expected) => {
  expect(expiryFinding("key K", end === undefined ? undefined : new Date(end), now)).toEqual(
    expected,
  );
});
