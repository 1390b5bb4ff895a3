import { expect, test } from "bun:test";

import { outcomeOf } from "../../../core/copy/blob-outcome.ts";

test.each([
  ["sending", "sent"],
  ["presence", "reused"],
  ["mounting", "mounted"],
] as const)("outcomeOf says of %s that it was %s", (by, outcome) => {
  expect(outcomeOf({ by })).toBe(outcome);
});
