import { describe, expect, test } from "bun:test";
import { createHash, generateKeyPairSync } from "node:crypto";

import { limits } from "../../../../core/limits.ts";
import { parseCheckpoint, verifyCheckpoint } from "../../../../core/trust/sigstore/checkpoint.ts";
import { ecKeys } from "../../../support/authority.ts";
import { type LogWish, TestLog } from "../../../support/test-log.ts";

const keys = ecKeys();
const root = createHash("sha256").update("root").digest();

function signed(wish: LogWish = {}, key = keys.privateKey): string {
  return new TestLog(key, wish).sign(root, 4711);
}

const verify = (text: string, key = keys.publicKey) =>
  verifyCheckpoint(parseCheckpoint(text), [ecKeys().publicKey, key]);

describe("a checkpoint", () => {
  test("says of which log it is, how large that is, and its root", () => {
    const {
      origin,
      size,
      root: found,
    } = parseCheckpoint(signed({ origin: "log.example.com - 7" }));
    expect([origin, size]).toEqual(["log.example.com - 7", 4711]);
    expect(Buffer.compare(found, root)).toBe(0);
  });

  test.each<[string, LogWish]>([
    ["as what it is", {}],
    ["as what its name begins with", { origin: "log.example.com - 7" }],
    ["with more to say", { note: (note) => `${note}more\nand more\n` }],
  ])("is of its log, which signs it %s", (_, wish) => {
    verify(signed(wish));
    const ed25519 = generateKeyPairSync("ed25519");
    if (wish.origin === undefined) verify(signed(wish, ed25519.privateKey), ed25519.publicKey);
  });

  test("may be signed by others, too", () => {
    const witness = signed({ name: "log.example.com" }, ecKeys().privateKey).split("\n\n")[1] ?? "";
    verify(signed() + witness);
    const [text = "", own = ""] = signed().split("\n\n");
    verify(`${text}\n\n${witness}${own}`);
    expect(() => verify(`${text}\n\n${witness}`)).toThrow("not signed with a key that is trusted");
  });

  const own = signed();
  test.each<[string, string]>([
    ["another key", signed({}, ecKeys().privateKey)],
    ["another origin", own.replace("log.example.com\n4711", "log.example.org\n4711")],
    ["an origin that only begins alike", signed({ origin: "log.example.community" })],
    ["another size", own.replace("4711", "4712")],
    ["another root", own.replace(root.toString("base64"), Buffer.alloc(32).toString("base64"))],
    ["more than was signed", own.replace("\n\n", "\nmore\n\n")],
    ["another name", own.replace("\u2014 log.example.com", "\u2014 log.example.org")],
  ])("is not taken with %s", (_, text) => {
    expect(() => verify(text)).toThrow("not signed with a key that is trusted");
  });

  test("is not taken with another hint, though the signature is good", () => {
    const last = own.trimEnd().split(" ").at(-1) ?? "";
    const bytes = Buffer.from(last, "base64");
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    expect(() => verify(own.replace(last, bytes.toString("base64")))).toThrow(
      "key that is trusted",
    );
  });

  test.each<[string, string, string]>([
    ["nothing", "", "it has no signatures"],
    ["no signature", "a\n1\nb\n", "it has no signatures"],
    ["an end that is cut", own.trimEnd(), "it has no signatures"],
    ["no name", `\n4711\n${root.toString("base64")}\n\n\u2014 a AAAAAAA=\n`, "it names no log"],
    ["a size that is none", own.replace("4711", "-1"), "its size is no number"],
    ["a size with zeros", own.replace("4711", "04711"), "its size is no number"],
    ["a size beyond all", own.replace("4711", "9999999999999999"), "its size is no number"],
    ["a root that is none", own.replace(root.toString("base64"), "AAAA"), "its root is no hash"],
    [
      "a root in odd letters",
      own.replace(root.toString("base64"), "\u00e4"),
      "it has what is no base64",
    ],
    ["a hyphen for a dash", own.replace("\u2014", "-"), "a line is no signature"],
    ["an empty signature", own.replace(/ \S+\n$/, " AAAAAA==\n"), "a signature is too short"],
    ["a line too many", `${own}x\n`, "a line is no signature"],
    [
      "many signatures",
      own + own.split("\n\n")[1]?.repeat(limits.checkpointSignatures),
      "too many",
    ],
    ["a long story", `${"a".repeat(limits.checkpointBytes)}\n${own}`, "it is too long"],
  ])("that has %s is malformed", (_, text, why) => {
    expect(() => parseCheckpoint(text)).toThrow(`malformed checkpoint: ${why}`);
  });
});
