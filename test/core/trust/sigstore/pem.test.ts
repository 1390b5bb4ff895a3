import { describe, expect, test } from "bun:test";

import { encodePem, parsePem } from "../../../../core/trust/sigstore/pem.ts";
import { randomBytes } from "../../../support/random.ts";

const block = { label: "SOME THING", bytes: randomBytes("pem", 100) };

describe("parsePem", () => {
  test("reads what encodePem writes, with anything before, between and behind", () => {
    const two = { label: "OTHER", bytes: randomBytes("pem", 1) };
    const text = `said\n${encodePem(block)}and\n\n${encodePem(two)}done`;
    expect(parsePem(text).map(({ label, bytes }) => [label, [...bytes]])).toEqual([
      ["SOME THING", [...block.bytes]],
      ["OTHER", [...two.bytes]],
    ]);
  });

  test("takes other ends of lines", () => {
    expect(parsePem(encodePem(block).replaceAll("\n", "\r\n"))).toHaveLength(1);
    expect(parsePem(encodePem(block).trimEnd())).toHaveLength(1);
  });

  test.each([
    ["that does not end", "-----BEGIN A-----\nYQ==\n"],
    ["with another end", "-----BEGIN A-----\nYQ==\n-----END B-----\n"],
    ["with headers", "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nYQ==\n-----END A-----\n"],
    ["that is no base64", "-----BEGIN A-----\nYQ=\n-----END A-----\n"],
    ["with two values", "-----BEGIN A-----\nYQ==YQ==\n-----END A-----\n"],
  ])("refuses a block %s", (_, text) => {
    expect(() => parsePem(text)).toThrow("PEM block A");
  });

  test("finds nothing where nothing is", () => {
    expect(parsePem("")).toEqual([]);
    expect(parsePem("-----BEGIN lower-----\n")).toEqual([]);
  });

  test("takes time that grows with the text only", () => {
    const hostile = "-----BEGIN ".repeat(100_000);
    const begun = performance.now();
    expect(parsePem(hostile)).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
