import { describe, expect, test } from "bun:test";

import { keyRingsIn } from "../../../core/trust/openpgp-armor.ts";

const block = (...lines: readonly string[]) =>
  ["-----BEGIN PGP PUBLIC KEY BLOCK-----", ...lines, "-----END PGP PUBLIC KEY BLOCK-----", ""].join(
    "\n",
  );
const read = (text: string) =>
  keyRingsIn(Buffer.from(text)).map((ring) => Buffer.from(ring).toString("latin1"));
const base64 = (text: string) => Buffer.from(text, "latin1").toString("base64");

describe("keyRingsIn", () => {
  test("returns what is binary as it is", () => {
    const ring = Uint8Array.of(0x99, 1, 2);
    expect(keyRingsIn(ring)).toEqual([ring]);
  });

  test.each<[string, string, readonly string[]]>([
    ["one block", block("", base64("one"), "=AAAA"), ["one"]],
    ["a block without a checksum", block("", base64("one")), ["one"]],
    ["headers", block("Version: 1", "Comment: x", "", base64("one")), ["one"]],
    [
      "several lines",
      block("", base64("onetwo").slice(0, 4), base64("onetwo").slice(4)),
      ["onetwo"],
    ],
    ["several blocks", block("", base64("one")) + block("", base64("two")), ["one", "two"]],
    ["prose", `pub x\n\n${block("", base64("one"))}\nmore\n`, ["one"]],
    ["Windows' line ends", block("", base64("one")).replaceAll("\n", "\r\n"), ["one"]],
    ["a byte order mark", `\ufeff${block("", base64("one"))}`, []],
    ["a byte order mark before prose", `\ufeffkeys:\n${block("", base64("one"))}`, ["one"]],
    ["a private key", block("", base64("one")).replaceAll("PUBLIC", "PRIVATE"), ["one"]],
    ["a block without an end", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nb25l\n", []],
    [
      "a block that begins again",
      `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n${block("", base64("one"))}`,
      ["one"],
    ],
    ["what is no base64", block("", "*one*"), []],
    ["a signature", block("", base64("one")).replaceAll("PUBLIC KEY BLOCK", "SIGNATURE"), []],
    ["nothing", "", []],
  ])("reads %s", (_, text, expected) => {
    expect(read(text)).toEqual([...expected]);
  });
});
