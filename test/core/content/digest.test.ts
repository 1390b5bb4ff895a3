import { describe, expect, test } from "bun:test";

import {
  Digester,
  digestAlgorithm,
  digestFault,
  digestHex,
  digestOf,
  isDigest,
  parseDigest,
} from "../../../core/content/digest.ts";
import { failureOf } from "../../support/failure-of.ts";

const hex64 = "0123456789abcdef".repeat(4);
const bytes = new TextEncoder().encode("some content");
const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

describe("parseDigest", () => {
  test.each([`sha256:${hex64}`, `sha384:${hex64.slice(0, 32)}${hex64}`, `sha512:${hex64}${hex64}`])(
    "takes %s (C1)",
    (text) => {
      expect<string>(parseDigest(text)).toBe(text);
      expect(isDigest(text)).toBe(true);
    },
  );

  test.each([
    ["a path", "sha256:../../x", "length"],
    ["upper-case hex", `sha256:${hex64.toUpperCase()}`, "format"],
    ["a digit too few", `sha256:${hex64.slice(1)}`, "length"],
    ["a digit too many", `sha256:${hex64}0`, "length"],
    ["a NUL at the end", `sha256:${hex64.slice(1)}\0`, "format"],
    ["a line end behind it", `sha256:${hex64}\n`, "length"],
    ["an algorithm nobody has", `md5:${hex64.slice(32)}`, "unsupported"],
    ["an algorithm in capitals", `SHA256:${hex64}`, "format"],
    ["an inherited name", `constructor:${hex64}`, "unsupported"],
    ["no algorithm", `:${hex64}`, "format"],
    ["no hex", "sha256:", "format"],
    ["no colon", hex64, "format"],
    ["nothing", "", "format"],
  ])("refuses %s (C1)", (_, text, fault) => {
    const words = {
      format: "invalid checksum digest format",
      length: "invalid checksum digest length",
      unsupported: "unsupported digest algorithm",
    }[fault];
    expect(isDigest(text)).toBe(false);
    expect(digestFault(text)).toBe(words ?? "");
    expect(failureOf(() => parseDigest(text))).toMatchObject({
      code: "corrupt",
      message: `invalid digest ${JSON.stringify(text)}: ${words}`,
    });
  });

  test("refuses a hostile megabyte at once (P6)", () => {
    const begun = performance.now();
    for (const text of [
      `sha256:${"a".repeat(2 ** 20)}`,
      "a+".repeat(2 ** 19),
      "a".repeat(2 ** 20),
    ]) {
      expect(isDigest(text)).toBe(false);
      expect(digestFault(text)).not.toBe("");
    }
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

describe("digestOf", () => {
  test("computes known digests", () => {
    expect<string>(digestOf(new Uint8Array())).toBe(empty);
    expect(digestOf(bytes, "sha512")).toStartWith("sha512:");
  });

  test("names algorithm and digits", () => {
    const digest = digestOf(new Uint8Array());
    expect([digestAlgorithm(digest), digestHex(digest)]).toEqual(["sha256", empty.slice(7)]);
  });
});

describe("Digester", () => {
  test.each(["sha256", "sha384", "sha512"] as const)(
    "gives the same %s in whatever pieces the content comes",
    (algorithm) => {
      for (let cut = 0; cut <= bytes.length; cut++) {
        const digester = new Digester(algorithm);
        digester.update(bytes.subarray(0, cut));
        digester.update(bytes.subarray(cut));
        expect(digester.digest()).toBe(digestOf(bytes, algorithm));
      }
    },
  );

  test("takes the algorithm from a digest", () => {
    const like = digestOf(bytes, "sha512");
    const digester = new Digester(like);
    digester.update(bytes);
    expect(digester.digest()).toBe(like);
  });
});
