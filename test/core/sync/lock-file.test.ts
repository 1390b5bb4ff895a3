import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import { parseLock, renderLock } from "../../../core/sync/lock-file.ts";
import { failureOf } from "../../support/failure-of.ts";

const digest = parseDigest(`sha256:${"0".repeat(64)}`);
const bytes = (text: string) => new TextEncoder().encode(text);

describe("renderLock", () => {
  test("is read back as it was, in the order of names", () => {
    const images = [
      { name: "h/b:1", digest, to: "c:2" },
      {
        name: "h/a:1",
        digest,
        layers: [{ digest, size: 7 }],
        chosen: { platform: "linux/arm/v7", digest },
      },
    ];
    const text = renderLock(images);
    expect(parseLock(bytes(text))).toEqual(images.toReversed());
    expect(renderLock(images.toReversed())).toBe(text);
  });
});

describe("parseLock", () => {
  test.each([
    ["", /^The lock /],
    ["[]", "The lock is no JSON object"],
    ["{}", "The lock has version null, not 1"],
    ['{"version":2,"images":[]}', "The lock has version 2, not 1"],
    ['{"version":1}', "The lock lists no images"],
    ['{"version":1,"images":[1]}', "The lock lists something that is no image"],
    ['{"version":1,"images":[{}]}', "The lock lists an image without a name"],
    [
      '{"version":1,"images":[{"name":"a:1","digest":"sha256:../x"}]}',
      /^The lock has for a:1 an invalid digest/,
    ],
    [
      `{"version":1,"images":[{"name":"a:1","digest":"${digest}","layers":[{"size":-1}]}]}`,
      "The lock has a layer of a:1 that is none",
    ],
    [
      `{"version":1,"images":[{"name":"a:1","digest":"${digest}","chosen":"x"}]}`,
      "The lock has a choice for a:1 that is none",
    ],
    [
      `{"version":1,"images":[{"name":"a:1","digest":"${digest}","chosen":{"platform":"linux/amd64"}}]}`,
      /^The lock has for a:1 an invalid digest/,
    ],
  ])("refuses %s", (text, message) => {
    const expected = typeof message === "string" ? message : expect.stringMatching(message);
    expect(failureOf(() => parseLock(bytes(text)))).toMatchObject({
      code: "config",
      message: expected,
    });
  });

  test("refuses an image that is two things, and takes one that is meant twice or under two names", () => {
    const other = `sha256:${"f".repeat(64)}`;
    const locked =
      (...images: readonly object[]) =>
      () =>
        parseLock(bytes(JSON.stringify({ version: 1, images })));
    const one = { name: "a:1", digest };
    expect(failureOf(locked(one, { ...one, digest: other }))).toMatchObject({
      code: "config",
      message: `The lock has a:1 twice, as ${digest} and as ${other}`,
    });
    expect(locked(one, one, { ...one, digest: other, to: "b:1" })().length).toBe(3);
  });
});
