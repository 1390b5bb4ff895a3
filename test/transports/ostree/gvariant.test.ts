import { describe, expect, test } from "bun:test";
import {
  array,
  bytes,
  type GType,
  string,
  tuple,
  uint32,
  uint64,
  variant,
} from "../../../transports/ostree/gvariant.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";

const hexOf = (encoded: Uint8Array) => Buffer.from(encoded).toString("hex");

/** Values as GLib serializes them. */
const known: readonly (readonly [string, GType<unknown>, unknown, string])[] = [
  ["a number", uint32, 0x01020304, "01020304"],
  ["a long number", uint64, 5n, "0000000000000005"],
  ["text", string, "hi", "686900"],
  ["no text", string, "", "00"],
  [
    "a list of text",
    array(string),
    ["i", "can", "has", "strings?"],
    "690063616e0068617300737472696e67733f0002060a13",
  ],
  ["an empty list", array(string), [], ""],
  ["text and bytes", tuple(string, bytes), ["a", Buffer.from([7])], "61000702"],
  ["bytes and a number", tuple(bytes, uint32), [Buffer.from([7]), 1], "070000000000000101"],
  [
    "text twice, and bytes",
    tuple(string, string, bytes),
    ["a", "bc", Buffer.from([7])],
    "6100626300070502",
  ],
  ["a variant", variant, "hi", "6869000073"],
  ["a dictionary", array(tuple(string, variant)), [["a", "b"]], "610000000000000062000073020d"],
];

describe("GVariant", () => {
  test.each(known)("has %s as GLib has it", (_, type, value, expected) => {
    expect(hexOf(type.encode(value))).toBe(expected);
    expect<unknown>(type.decode(Buffer.from(expected, "hex"))).toEqual(value);
  });

  test.each([1, 100, 254, 255, 256, 65_000, 65_534, 65_536, 200_000])(
    "frames containers of about %d bytes",
    (size) => {
      const type = array(tuple(string, bytes, string));
      const value = [
        ["first", randomBytes("x", size), "a"],
        ["second", new Uint8Array(), ""],
      ] as const;
      const decoded = type.decode(type.encode(value));
      expect(decoded.map(([a, b, c]) => [a, hexOf(b), c])).toEqual(
        value.map(([a, b, c]) => [a, hexOf(b), c]),
      );
    },
  );

  test("reads variants of other types as nothing", () => {
    expect(variant.decode(Buffer.from("00000000000000050074", "hex"))).toBeUndefined();
    expect(variant.decode(variant.encode(Buffer.from([1])))).toEqual(Buffer.from([1]));
  });

  test.each([
    ["a list whose frame is longer than it", array(string), "6100ff"],
    ["a list whose frame goes back", array(string), "610062000402"],
    ["a tuple without its frame", tuple(string, bytes), ""],
    ["a tuple that is too short", tuple(uint32, uint32), "00000001"],
    ["text without an end", string, "61"],
    ["a variant without a type", variant, "61"],
  ] as const)("refuses %s", (_, type, encoded) => {
    const decode = () => type.decode(Buffer.from(encoded, "hex"));
    expect(failureOf(decode)).toMatchObject({ code: "corrupt" });
  });

  test("never fails but with a Failure, whatever the bytes", () => {
    const type = tuple(array(tuple(string, variant)), bytes, array(tuple(string, bytes)), uint64);
    for (let seed = 0; seed < 2000; seed += 1) {
      const encoded = randomBytes(`seed ${seed}`, seed % 60);
      try {
        type.decode(encoded);
      } catch (error) {
        expect(error, `seed ${seed}`).toMatchObject({ code: "corrupt" });
      }
    }
  });
});
