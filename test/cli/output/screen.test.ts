// The screen: lines that stay and lines that change do not overwrite each other.

import { describe, expect, test } from "bun:test";

import { createScreen } from "../../../cli/output/screen.ts";

/** Plays what was written on a terminal that knows only what the screen uses. */
function played(writes: readonly string[]): readonly string[] {
  const rows = [""];
  let row = 0;
  const text = writes.map((each) => `${each}\n`).join("");
  for (const [, up, erase, end, plain] of text.matchAll(
    /\x1b\[(\d*)A|(\x1b\[J)|(\n)|(\r|[^\x1b\n\r]+)/g,
  )) {
    if (up !== undefined) row -= Number(up || "1");
    else if (erase !== undefined) rows.splice(row, rows.length, "");
    else if (end !== undefined) rows[++row] ??= "";
    else if (plain !== "\r") rows[row] = plain ?? "";
  }
  return rows.slice(0, -1);
}

describe("createScreen", () => {
  test("writes plain lines as they are, without any control", () => {
    const writes: string[] = [];
    const screen = createScreen((text) => writes.push(text));
    screen.line("one");
    screen.draw([]);
    screen.line("two");
    expect(writes).toEqual(["one", "two"]);
  });

  test("keeps lines that change below those that stay", () => {
    const writes: string[] = [];
    const screen = createScreen((text) => writes.push(text));
    screen.line("first");
    screen.draw(["a 1", "b 1"]);
    screen.draw(["a 2", "b 2"]);
    screen.line("second");
    expect(played(writes)).toEqual(["first", "second", "a 2", "b 2"]);
    screen.draw(["b 3"]);
    expect(played(writes)).toEqual(["first", "second", "b 3"]);
    screen.draw([]);
    screen.line("third");
    expect(played(writes)).toEqual(["first", "second", "third"]);
  });
});
