import { expect, test } from "bun:test";

import { codeOf } from "./source-text.ts";

test.each([
  ["a line comment", "a; // b\nc;", "a;     \nc;"],
  ["a block comment", "a; /* b\nc */ d;", "a;     \n     d;"],
  ["a string", `a("b", 'c"d');`, `a(" ", '   ');`],
  ["an escaped quote", `a("b\\"c") + d;`, `a("    ") + d;`],
  ["a comment in a string", `a("// b"); c;`, `a("    "); c;`],
  ["a template", "a(`b // c`); d;", "a(`      `); d;"],
  ["an expression in a template", "`a${b}c` + d;", "`  {b} ` + d;"],
  ["a template in a template", "`a${b({ c: `d` })}e`; f;", "`  {b({ c: ` ` })} `; f;"],
  ["a regular expression", 'a = /b"[/]c/g; d;', "a = /      /g; d;"],
  ["a division", "a / b / c; // d", "a / b / c;     "],
])("codeOf leaves out what is inside %s", (_, text, code) => {
  expect(codeOf(text)).toBe(code);
});
