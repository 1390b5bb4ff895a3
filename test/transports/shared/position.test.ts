import { expect, test } from "bun:test";
import { parsePosition } from "../../../transports/shared/position.ts";
import { failureOf } from "../../support/failure-of.ts";

test.each([
  ["0", 0],
  ["7", 7],
  ["007", 7],
  ["+2", 2],
  ["-0", 0],
])("parsePosition takes %p", (text, position) => {
  expect(parsePosition(text)).toBe(position);
});

test.each([
  ["", 'Invalid source index @: strconv.Atoi: parsing "": invalid syntax'],
  ["x", 'Invalid source index @x: strconv.Atoi: parsing "x": invalid syntax'],
  ["1.5", 'Invalid source index @1.5: strconv.Atoi: parsing "1.5": invalid syntax'],
  ["-1", "Invalid source index @-1: must not be negative"],
  [
    "99999999999999999999",
    'Invalid source index @99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range',
  ],
])("parsePosition refuses %p", (text, message) => {
  expect(failureOf(() => parsePosition(text))).toMatchObject({ code: "usage", message });
});

test("parsePosition says first what a transport says first", () => {
  expect(failureOf(() => parsePosition("x", "not an integer: "))).toMatchObject({
    message: 'Invalid source index @x: not an integer: strconv.Atoi: parsing "x": invalid syntax',
  });
});
