// JSON as the original prints it.

import { describe, expect, test } from "bun:test";

import { encodeCompact, encodePretty } from "../../../cli/output/json.ts";

const awkward = '<a href="x">&amp;</a> \\u003c \\\\u003e \u2028 \u2029 é \0\b\f\n\r\t\u001f';

describe("encodePretty", () => {
  test("indents by four and ends the line", () => {
    expect(encodePretty({ a: [1, { b: null }], c: [], d: {} })).toBe(
      '{\n    "a": [\n        1,\n        {\n            "b": null\n        }\n    ],\n    "c": [],\n    "d": {}\n}\n',
    );
  });

  test("escapes what would be markup in HTML", () => {
    expect(encodePretty(awkward)).toBe(
      '"\\u003ca href=\\"x\\"\\u003e\\u0026amp;\\u003c/a\\u003e \\\\u003c \\\\\\\\u003e \\u2028 \\u2029 é \\u0000\\b\\f\\n\\r\\t\\u001f"\n',
    );
  });
});

describe("encodeCompact", () => {
  test("escapes no markup, and nothing that only looks like an escape of it", () => {
    expect(encodeCompact(awkward)).toBe(
      '"<a href=\\"x\\">&amp;</a> \\\\u003c \\\\\\\\u003e \\u2028 \\u2029 é \\u0000\\b\\f\\n\\r\\t\\u001f"',
    );
  });

  test("stays on one line", () => {
    expect(encodeCompact({ b: [1, 2], a: "x" })).toBe('{"b":[1,2],"a":"x"}');
  });
});
