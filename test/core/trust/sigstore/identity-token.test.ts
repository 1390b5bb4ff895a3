import { expect, test } from "bun:test";

import { parseIdentityToken } from "../../../../core/trust/sigstore/identity-token.ts";

const token = (claims: object) =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

test.each([
  [{ sub: "me" }, "me"],
  [{ sub: "me", email: "jo@example.com", email_verified: true }, "jo@example.com"],
  [{ email: "jo@example.com", email_verified: "true" }, "jo@example.com"],
  [{ sub: "me", email: "" }, "me"],
])("parseIdentityToken reads whom %j is about", (claims, subject) => {
  expect(parseIdentityToken(token(claims)).claimedSubject).toBe(subject);
});

test("parseIdentityToken reads what it was made for", () => {
  expect(parseIdentityToken(token({ sub: "me", nonce: "x" })).claimedNonce).toBe("x");
});

test.each([
  ["", "no JSON web token"],
  ["secret", "no JSON web token"],
  ["secret.e30", "no JSON web token"],
  ["a.secret.c", "no JSON web token"],
  [token({}), "about nobody"],
  [token({ sub: "me", email: "jo@example.com" }), "not verified the e-mail address"],
  [token({ sub: "me", email: "jo@example.com", email_verified: false }), "not verified"],
])("parseIdentityToken refuses %j, and shows nothing of it", (text, why) => {
  expect(() => parseIdentityToken(text)).toThrow(why);
  try {
    parseIdentityToken(text);
  } catch (error) {
    expect(String(error)).not.toContain("secret");
    expect(String(error)).not.toContain("jo@example.com");
  }
});
