import { describe, expect, test } from "bun:test";

import { lingering } from "../../../transports/docker/lingering.ts";

describe("lingering", () => {
  test.each(["before", "after"])("follows an abort that came %s it", async (when) => {
    const first = new AbortController();
    if (when === "before") first.abort("enough");
    using late = lingering(first.signal, 10);
    if (when === "after") first.abort("enough");
    expect(late.signal.aborted).toBe(false);
    await Bun.sleep(40);
    expect(late.signal.reason).toBe("enough");
  });

  test("follows nobody once it is disposed", async () => {
    const first = new AbortController();
    const late = lingering(first.signal, 5);
    first.abort();
    late[Symbol.dispose]();
    await Bun.sleep(20);
    expect(late.signal.aborted).toBe(false);
  });
});
