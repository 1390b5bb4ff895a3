// Event targets: files and descriptors, and what happens when they do not take any more.

import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";

import { openEventTarget } from "../../../cli/output/event-target.ts";
import type { Failure } from "../../../core/failure.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const never = (failure: Failure) => {
  throw failure;
};

describe("openEventTarget", () => {
  test("empties a file and writes lines there, at once", async () => {
    using workspace = new Workspace();
    const path = workspace.at("events");
    writeFileSync(path, "something older that is longer than the lines");
    const target = await openEventTarget(path, never);
    target.write("one");
    expect(readFileSync(path, "utf8")).toBe("one\n");
    target.write("two");
    target.close();
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
    expect(target.stream).toBeUndefined();
  });

  test("takes a name that looks like a descriptor for a file, if it is a path", async () => {
    using workspace = new Workspace();
    const target = await openEventTarget(workspace.at("fd:3"), never);
    target.write("one");
    target.close();
    expect(readFileSync(workspace.at("fd:3"), "utf8")).toBe("one\n");
  });

  test("writes to an open descriptor, and leaves it open", async () => {
    using workspace = new Workspace();
    const descriptor = openSync(workspace.at("events"), "w");
    const target = await openEventTarget(`fd:${descriptor}`, never);
    target.write("one");
    target.close();
    (await openEventTarget(`fd:${descriptor}`, never)).write("two");
    closeSync(descriptor);
    expect(readFileSync(workspace.at("events"), "utf8")).toBe("one\ntwo\n");
  });

  test("knows the program's own streams", async () => {
    expect((await openEventTarget("fd:1", never)).stream).toBe("stdout");
    expect((await openEventTarget("fd:2", never)).stream).toBe("stderr");
  });

  test.each([
    ["fd:", "not a descriptor"],
    ["fd:x", "not a descriptor"],
    ["fd:-1", "not a descriptor"],
    ["fd:0", "not a descriptor"],
    ["fd:1e3", "not a descriptor"],
    ["fd:9999999999", "not a descriptor"],
    ["fd:999999", "the descriptor is not open"],
  ])("refuses %s", async (text, why) => {
    const failure = await rejection(openEventTarget(text, never));
    expect(failure).toMatchObject({ code: "usage", hint: expect.any(String) });
    expect(failure.message).toEndWith(why);
  });

  test("says which file it cannot write to", async () => {
    const failure = await rejection(openEventTarget("/proc/no/such/directory", never));
    expect(failure.code).toBe("io");
    expect(failure.message).toStartWith('Cannot write events to "/proc/no/such/directory": ');
  });

  test("says once that nothing more can be written, and goes on", async () => {
    const failures: Failure[] = [];
    const target = await openEventTarget("/dev/full", (failure) => failures.push(failure));
    for (const line of ["one", "two"]) target.write(line);
    target.close();
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Cannot write any more events to \/dev\/full: .*no space left/),
    ]);
  });
});
