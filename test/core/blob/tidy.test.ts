import { expect, spyOn, test } from "bun:test";

import { tidyAfter } from "../../../core/blob/tidy.ts";

test("tidyAfter asks for it now and then, not each time", () => {
  using asked = spyOn(Bun, "gc").mockImplementation(() => undefined as never);
  const MiB = 1024 * 1024;
  for (let passed = 0; passed < 320; passed += 1) tidyAfter(MiB);
  expect(asked).toHaveBeenCalledTimes(40);
});
