import { describe, expect, test } from "bun:test";
import { redactedUrl } from "../../core/redact.ts";

describe("redactedUrl", () => {
  test.each([
    ["https://registry.example/v2/", "https://registry.example/v2/"],
    ["https://user:secret@cdn.example:444/blob#secret", "https://cdn.example:444/blob"],
    [
      "https://cdn.example/b?X-Signature=secret&expires=secret&expires=secret",
      "https://cdn.example/b?X-Signature=***&expires=***",
    ],
    ["https://cdn.example/b?secret%0a", "https://cdn.example/b?secret%0A=***"],
  ])("O2: shows %s without its secrets", (url, expected) => {
    expect(redactedUrl(new URL(url))).toBe(expected);
  });
});
