// System errors as Failures.

import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { attempt, failureAt, isSystemError } from "../../../transports/shared/system.ts";
import { failureOf } from "../../support/failure-of.ts";

/** An error of a call by descriptor, which knows no path. */
function pathlessError(): unknown {
  const descriptor = openSync("/dev/full", "w");
  try {
    return failureOf(() => writeSync(descriptor, "x"));
  } finally {
    closeSync(descriptor);
  }
}

describe("failureAt", () => {
  test("names the path where the call did not", () => {
    const failure = failureAt("/some/file", pathlessError());
    expect(failure).toMatchObject({
      code: "io",
      message: "write /some/file: no space left on device",
    });
  });

  test("leaves the path that the call named", () => {
    const error = failureOf(() => readFileSync("/no/such"));
    expect(failureAt("/other", error).message).toBe("open /no/such: no such file or directory");
  });

  test("takes what is no system error for a bug", () => {
    expect(failureAt("/x", new Error("odd")).code).toBe("bug");
    expect(failureAt("/x", "odd").code).toBe("bug");
  });
});

describe("attempt", () => {
  test("returns what the work returns", () => {
    expect(attempt(() => 7)).toBe(7);
  });

  test("translates what it throws", () => {
    const failure = failureOf(() => attempt(() => readFileSync("/no/such")));
    expect(failure).toMatchObject({ code: "io" });
  });
});

test("isSystemError tells one error from another", () => {
  const error = failureOf(() => readFileSync("/no/such"));
  expect(isSystemError(error, "ENOENT")).toBe(true);
  expect(isSystemError(error, "EACCES")).toBe(false);
  expect(isSystemError("ENOENT", "ENOENT")).toBe(false);
});
