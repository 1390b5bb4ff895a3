import { describe, expect, test } from "bun:test";
import { closeSync, constants, lstatSync, openSync, readlinkSync } from "node:fs";
import {
  deviceNumber,
  fileKinds,
  fillTimes,
  statusBytes,
  statusOf,
  timesBytes,
  treeCalls,
} from "../../../../transports/shared/libc/tree-calls.ts";
import { Workspace } from "../../../support/workspace.ts";

const name = (text: string) => Buffer.from(`${text}\0`);

describe("treeCalls", () => {
  test("makes, changes, looks at and removes what is in a directory", () => {
    using workspace = new Workspace();
    const calls = treeCalls();
    const directory = openSync(workspace.path, "r");
    const times = new Uint8Array(timesBytes);
    fillTimes(times, 5n, 1_700_000_000_123_456_789n);

    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    const file = calls.open(directory, name("file"), flags, 0o600);
    expect(file).toBeGreaterThan(0);
    expect(calls.open(directory, name("file"), flags, 0o600)).toBe(-17);
    expect(calls.setModeOf(file, 0o4711)).toBe(0);
    expect(calls.setTimesOf(file, times)).toBe(0);
    expect(calls.close(file)).toBe(0);
    const found = lstatSync(workspace.at("file"), { bigint: true });
    expect([found.mode, found.mtimeNs, found.atimeNs]).toEqual([
      0o104711n,
      1_700_000_000_123_456_789n,
      5n,
    ]);

    expect(calls.makeDirectory(directory, name("d"), 0o700)).toBe(0);
    expect(calls.makeSymbolicLink(name("/no/where"), directory, name("link"))).toBe(0);
    expect(readlinkSync(workspace.at("link"))).toBe("/no/where");
    expect(calls.setTimes(directory, name("link"), times)).toBe(0);
    expect(lstatSync(workspace.at("link"), { bigint: true }).mtimeNs).toBe(
      1_700_000_000_123_456_789n,
    );
    const hard = { directory, name: name("hard") };
    expect(calls.makeHardLink({ directory, name: name("file") }, hard)).toBe(0);
    expect(lstatSync(workspace.at("file")).nlink).toBe(2);
    const pipe = { mode: fileKinds.fifo | 0o600, device: 0n };
    expect(calls.makeNode(directory, name("pipe"), pipe)).toBe(0);
    expect(lstatSync(workspace.at("pipe")).isFIFO()).toBe(true);

    const status = new Uint8Array(statusBytes);
    expect(calls.readStatus(directory, name("d"), status)).toBe(0);
    expect(statusOf(status).mode).toBe(0o040700);
    expect(calls.removeFile(directory, name("d"))).toBe(-21);
    expect(calls.removeDirectory(directory, name("d"))).toBe(0);
    expect(calls.readStatus(directory, name("d"), status)).toBe(-2);
    closeSync(directory);
  });
});

test.each([
  [0, 0, 0n],
  [1, 3, 0x103n],
  [259, 70_000, 0x1111_0370n],
  [0xf_ffff, 0xf_ffff, 0xf_f000_ffff_ffffn],
])("deviceNumber of %d:%d is as the system has it", (major, minor, number) => {
  expect(deviceNumber(major, minor)).toBe(number);
});

test.each([
  [0n, [0n, 0n]],
  [1_500_000_000n, [1n, 500_000_000n]],
  [-1n, [-1n, 999_999_999n]],
  [-1_000_000_000n, [-1n, 0n]],
])("fillTimes writes %p as seconds and nanoseconds", (time, expected) => {
  const times = new Uint8Array(timesBytes);
  fillTimes(times, 0n, time);
  expect([...new BigInt64Array(times.buffer)]).toEqual([0n, 0n, ...expected]);
});
