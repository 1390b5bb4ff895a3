import { describe, expect, test } from "bun:test";
import { isWithin, parseIp } from "../../core/ip-address.ts";

const hex = (text: string) => Buffer.from(parseIp(text) ?? []).toString("hex");

describe("parseIp", () => {
  test.each([
    ["127.0.0.1", "00000000000000000000ffff7f000001"],
    ["::ffff:127.0.0.1", "00000000000000000000ffff7f000001"],
    ["[::ffff:7f00:1]", "00000000000000000000ffff7f000001"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["FE80::1:2", "fe800000000000000000000000010002"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
  ])("reads %s", (text, expected) => {
    expect(hex(text)).toBe(expected);
  });

  test.each([
    "",
    "localhost",
    "1.2.3",
    "1.2.3.256",
    "1.2.3.4.5",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7",
    "12345::",
    "::1.2.3",
    "fe80::1%eth0",
  ])("takes %p for no address", (text) => {
    expect(parseIp(text)).toBeUndefined();
  });
});

describe("isWithin", () => {
  test.each([
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["10.1.2.3", "10.1.2.2/31", true],
    ["10.1.2.3", "10.1.2.0/31", false],
    ["::ffff:10.1.2.3", "10.0.0.0/8", true],
    ["febf::1", "fe80::/10", true],
    ["fec0::1", "fe80::/10", false],
    ["10.1.2.3", "10.0.0.0", false],
    ["10.1.2.3", "10.0.0.0/33", false],
    ["10.1.2.3", "nonsense/8", false],
  ])("%s in %s: %p", (address, range, expected) => {
    const parsed = parseIp(address);
    expect(parsed && isWithin(parsed, [range])).toBe(expected);
  });
});
