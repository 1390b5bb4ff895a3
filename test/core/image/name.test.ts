import { expect, test } from "bun:test";

import { spelled } from "../../../core/image/name.ts";

test("spelled joins the transport and its text, so that parsing it gives the name again", () => {
  const name = { transport: "oci", text: "a:b:1", policyIdentity: "", policyNamespaces: [] };
  expect(spelled(name)).toBe("oci:a:b:1");
});
