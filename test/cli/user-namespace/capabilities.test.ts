import { expect, test } from "bun:test";
import { mayUnpack } from "../../../cli/user-namespace/capabilities.ts";

test.each([
  ["root", "000001ffffffffff", true],
  ["root of a container", "00000000a80425fb", false],
  ["root without making devices", "000001fff7ffffff", false],
  ["somebody", "0000000000000000", false],
])("mayUnpack of %s", (_, capabilities, expected) => {
  expect(mayUnpack(`Name:\tx\nCapPrm:\t0\nCapEff:\t${capabilities}\nCapBnd:\t1\n`)).toBe(expected);
});

test("mayUnpack knows nothing of a process that does not say", () => {
  expect(mayUnpack("")).toBe(false);
});
