import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";

import { Failure, asFailure, during, inContext } from "../../core/failure.ts";
import { failureOf } from "../support/failure-of.ts";

const full = {
  hint: "try again",
  side: "source",
  missingBlobs: ["sha256:aa"],
} as const;

describe("Failure", () => {
  test("carries its code and details, and a cause only if there is one", () => {
    const cause = new Error("why");
    const failure = new Failure("corrupt", "It is broken", { ...full, cause });
    expect(failure).toMatchObject({ ...full, code: "corrupt", message: "It is broken", cause });
    expect("cause" in new Failure("corrupt", "It is broken")).toBe(false);
  });
});

describe("during", () => {
  test("gives what the work gives", async () => {
    expect(await during("adding", () => 2)).toBe(2);
    expect(await during("adding", async () => 3)).toBe(3);
  });

  test("says which step failed, and keeps all else", async () => {
    const failing = during("copying", () =>
      during("reading", () => {
        throw new Failure("not-found", "It is not there", full);
      }),
    );
    const failure = await failing.catch((error: unknown) => error);
    expect(failure).toMatchObject({
      ...full,
      code: "not-found",
      message: "copying: reading: It is not there",
    });
  });
});

describe("inContext", () => {
  test("takes the side of the step only where the failure has none", () => {
    const there = new Failure("io", "no space");
    expect(inContext("writing", there, "destination").side).toBe("destination");
    const here = new Failure("io", "no file", { side: "source" });
    expect(inContext("writing", here, "destination").side).toBe("source");
  });
});

describe("asFailure", () => {
  test("returns a Failure as it is", () => {
    const failure = new Failure("usage", "What?");
    expect(asFailure(failure)).toBe(failure);
  });

  test("takes an abort and a time-out for a cancellation", () => {
    expect(asFailure(AbortSignal.abort().reason)).toMatchObject({ code: "canceled" });
    expect(asFailure(new DOMException("late", "TimeoutError"))).toMatchObject({
      code: "canceled",
      message: "context deadline exceeded",
    });
  });

  test("words an error of the operating system as the C library does", () => {
    const failure = asFailure(failureOf(() => readFileSync("/nowhere/at/all")));
    expect(failure).toMatchObject({
      code: "io",
      message: "open /nowhere/at/all: no such file or directory",
    });
  });

  test.each([
    ["ENOSPC", "write: no space left on device", /free some space/],
    ["EROFS", "write: read-only file system", /not read-only/],
    ["EWEIRD", "write: something odd", undefined],
  ])("gives %s a sentence and perhaps a hint", (code, message, hint) => {
    const error = Object.assign(new Error("something odd"), { code, syscall: "write" });
    const failure = asFailure(error);
    expect(failure).toMatchObject({ code: "io", message });
    if (hint === undefined) expect(failure.hint).toBeUndefined();
    else expect(failure.hint).toMatch(hint);
  });

  test("takes the first of two errors, where disposing failed as well", async () => {
    const work = async () => {
      await using _ = {
        [Symbol.asyncDispose]: async () => {
          throw new Error("dispose");
        },
      };
      throw new Failure("corrupt", "work");
    };
    const error: unknown = await work().catch((thrown: unknown) => thrown);
    expect(asFailure(error)).toMatchObject({ code: "corrupt", message: "work" });
  });

  test.each([new TypeError("x is undefined"), "a string", null])("takes %p for a bug", (error) => {
    expect(asFailure(error)).toMatchObject({ code: "bug", cause: error });
  });
});
