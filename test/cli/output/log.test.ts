// The log: the two forms of its lines.

import { describe, expect, test } from "bun:test";

import { createLog, type LogOptions } from "../../../cli/output/log.ts";

function logWith(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  let seconds = 0;
  const log = createLog({
    debug: false,
    readers: () => "programs",
    now: () => new Date(Date.UTC(2024, 0, 2, 3, 4, 5 + seconds++)),
    write: (line) => lines.push(line),
    ...options,
  });
  return { log, lines };
}

describe("createLog", () => {
  test("prints lines for programs", () => {
    const { log, lines } = logWith({ debug: true });
    log.debug("Word");
    log.info("Getting tags", { image: "docker.io/library/busybox", from: "docker://a" });
    log.warn('say "so"');
    log.fatal("one\ntwo \x1b[2J");
    // The zone is the machine's own.
    expect(lines.map((line) => line.replace(/^time="[^"]+"/, "time=T"))).toEqual([
      "time=T level=debug msg=Word",
      'time=T level=info msg="Getting tags" from="docker://a" image=docker.io/library/busybox',
      'time=T level=warning msg="say \\"so\\""',
      'time=T level=fatal msg="one\\ntwo \\x1b[2J"',
    ]);
    const time = /^time="(.*?)"/.exec(lines[0] ?? "")?.[1] ?? "";
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/);
    expect(new Date(time).toISOString()).toBe("2024-01-02T03:04:06.000Z");
  });

  test("prints lines for people", () => {
    const { log, lines } = logWith({ readers: () => "people" });
    log.warn("careful");
    log.info("Getting tags", { image: "a/b" });
    log.fatal("one\ntwo\x1b[2J");
    expect(lines).toEqual([
      "WARN[0001] careful",
      "INFO[0002] Getting tags                                 image=a/b",
      "FATA[0003] one\ntwo\\x1b[2J",
    ]);
  });

  test("colours the level, and names of fields, where colours are allowed", () => {
    const { log, lines } = logWith({ readers: () => "people-in-colors" });
    log.warn("careful");
    log.fatal("over");
    expect(lines).toEqual(["\x1b[33mWARN\x1b[0m[0001] careful", "\x1b[31mFATA\x1b[0m[0002] over"]);
  });

  test("keeps debug messages to itself unless they are wanted", () => {
    const { log, lines } = logWith();
    log.debug("no");
    log.info("yes");
    expect(lines).toHaveLength(1);
  });

  test("prints every line, however often it was said before", () => {
    const { log, lines } = logWith();
    for (let count = 0; count < 20; count++) log.warn("again");
    expect(lines).toHaveLength(20);
  });

  test("does not ask who reads before there is something to read", () => {
    let asked = 0;
    const { log } = logWith({
      readers: () => {
        asked++;
        return "programs";
      },
    });
    log.debug("unseen");
    expect(asked).toBe(0);
    log.info("one");
    log.info("two");
    expect(asked).toBe(1);
  });
});
