import { describe, expect, test } from "bun:test";

import { asFailure } from "../../../core/failure.ts";
import { listedTransports, parseImageName } from "../../../core/image/parse-name.ts";
import { failureOf } from "../../support/failure-of.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";

const transports = { memory: new MemoryTransport(), dir: new MemoryTransport() };

describe("parseImageName", () => {
  test("hands what follows the first colon to the transport", () => {
    const { transport, text } = parseImageName("memory:a:b:1", transports);
    expect({ transport, text }).toEqual({ transport: "memory", text: "a:b:1" });
  });

  test.each([
    [
      "busybox",
      'Invalid image name "busybox", expected colon-separated transport:reference',
      "for an image in a registry, write docker://busybox",
    ],
    [
      "memroy:a",
      'Invalid image name "memroy:a", unknown transport "memroy"',
      "did you mean memory:?",
    ],
    [
      "quay.io/a:1",
      'Invalid image name "quay.io/a:1", unknown transport "quay.io/a"',
      "for an image in a registry, write docker://quay.io/a:1; known transports are dir, memory",
    ],
    [
      "containers-storage:a",
      'Invalid image name "containers-storage:a", unknown transport "containers-storage"',
      "known transports are dir, memory",
    ],
    ["constructor:a", 'Invalid image name "constructor:a", unknown transport "constructor"', ""],
    ["", 'Invalid image name "", expected colon-separated transport:reference', "name an image"],
  ])("refuses %j in the original's words, with a hint of its own", (text, message, hint) => {
    const failure = asFailure(failureOf(() => parseImageName(text, transports)));
    expect(failure).toMatchObject({ code: "usage", message });
    expect(failure.hint).toContain(hint);
  });
});

test("listedTransports leaves out what is of no use to anybody new", () => {
  const memory = new MemoryTransport();
  const old = {
    name: "old",
    unlisted: true,
    parseReference: memory.parseReference,
    checkPolicyScope() {},
  };
  expect(listedTransports({ zoo: memory, old, memory })).toEqual(["memory", "zoo"]);
});
