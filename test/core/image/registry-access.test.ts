import { expect, test } from "bun:test";
import { IdentityToken } from "../../../core/image/registry-access.ts";

test("an IdentityToken is what services last said it is, and O2: shows it to nobody who prints it", () => {
  const token = new IdentityToken("first-secret");
  expect(token.value).toBe("first-secret");
  token.replace("second-secret");
  expect(token.value).toBe("second-secret");
  expect(Bun.inspect({ token }) + JSON.stringify({ token })).not.toContain("secret");
});
