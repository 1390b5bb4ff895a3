import { expect, test } from "bun:test";
import { asFailure } from "../../../../core/failure.ts";
import { openLibrary, systemError } from "../../../../transports/shared/libc/library.ts";

test("openLibrary opens functions, and knows how they failed", () => {
  const library = openLibrary({ close: { args: ["i32"], returns: "i32" } });
  expect(library?.calls.close(-1)).toBe(-1);
  expect(library?.errno()).toBe(9);
});

test("openLibrary knows nothing of functions that are not there", () => {
  expect(openLibrary({ no_such_function: { args: [], returns: "i32" } })).toBeUndefined();
});

test("systemError is as an error of the runtime", () => {
  expect(asFailure(systemError(2, "openat", "/x"))).toMatchObject({
    code: "io",
    message: "openat /x: no such file or directory",
  });
  expect(systemError(9999, "openat")).toMatchObject({ code: "E9999" });
});
