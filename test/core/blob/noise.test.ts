import { describe, expect, test } from "bun:test";
import { deflateRawSync } from "node:zlib";

import { stretchesOf } from "../../../core/blob/noise.ts";
import { randomBytes } from "../../support/random.ts";

const KiB = 1024;
const piece = 32 * KiB;
const text = Buffer.from(
  "All that glisters is not gold, often have you heard that told. ".repeat(4096),
);
const noise = randomBytes("noise", 16 * piece);

/** Where stretches end, with a mark behind those of noise. */
function shapeOf(content: Uint8Array): readonly string[] {
  let at = 0;
  return stretchesOf(content).map(({ bytes, noise }) => {
    at += bytes.length;
    return `${at}${noise ? " noise" : ""}`;
  });
}

describe("stretchesOf", () => {
  test("finds nothing in nothing", () => {
    expect(stretchesOf(new Uint8Array())).toEqual([]);
  });

  test("tells noise from what is not", () => {
    const content = Buffer.concat([
      noise.subarray(0, 2 * piece),
      text.subarray(0, 3 * piece),
      noise.subarray(2 * piece, 4 * piece),
    ]);
    expect(shapeOf(content)).toEqual([`${2 * piece} noise`, `${5 * piece}`, `${7 * piece} noise`]);
  });

  test("loses no byte, whatever the size", () => {
    for (const size of [1, piece - 1, piece, piece + 1, 5 * piece + 77]) {
      const content = noise.subarray(0, size);
      expect(Buffer.concat(stretchesOf(content).map(({ bytes }) => bytes))).toEqual(
        Buffer.from(content),
      );
    }
  });

  test("takes what begins in noise, and goes on otherwise, for what it is", () => {
    const content = Buffer.concat([noise.subarray(0, piece / 2), text.subarray(0, piece / 2)]);
    expect(shapeOf(content)).toEqual([`${piece}`]);
  });

  test("takes noise between headers for compressible, for headers are", () => {
    const files = Array.from({ length: 32 }, (_, index) => [
      noise.subarray(index * 4096, index * 4096 + 4096),
      new Uint8Array(512),
    ]);
    expect(shapeOf(Buffer.concat(files.flat()))).toEqual([`${32 * 4608}`]);
  });

  test("takes no noise for it that has just been there", () => {
    const file = noise.subarray(0, 10 * 512);
    const content = Buffer.concat(Array.from({ length: 40 }, () => file));
    expect(stretchesOf(content).some((stretch) => stretch.noise)).toBe(false);
  });

  test("knows small numbers in wide fields from noise", () => {
    const numbers = new Uint8Array(2 * piece).map((_, at) => (at % 4 === 3 ? 0 : (noise[at] ?? 0)));
    expect(stretchesOf(numbers).some((stretch) => stretch.noise)).toBe(false);
  });

  test("compressed content is noise", () => {
    const letters = noise.map((byte) => 97 + (byte % 26));
    const packed = deflateRawSync(letters);
    const [first] = stretchesOf(packed);
    expect(first?.noise).toBe(true);
  });

  test("text is less even than noise, and zeros are not at all", () => {
    const [ofText, ofNoise, ofZeros] = [text, noise, new Uint8Array(piece)].map(
      (content) => stretchesOf(content)[0]?.evenness ?? NaN,
    );
    expect(ofZeros).toBe(0);
    expect(ofText).toBeWithin(0.4, 0.7);
    expect(ofNoise).toBeWithin(0.98, 1);
  });
});
