import { expect, test } from "bun:test";

import { emptyConfig } from "../../../core/content/empty-config.ts";

test("the empty config has the digest that the specification names", () => {
  expect(String(emptyConfig.digest)).toBe(
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  );
  expect(new TextDecoder().decode(emptyConfig.bytes)).toBe("{}");
});
