import { describe, expect, test } from "bun:test";
import { Stall } from "../../core/http-stall.ts";

const times = { firstHeaderMs: 20, idleMs: 40, slowMs: 60_000, slowBytes: 1024 };
const aborted = (stall: Stall) =>
  new Promise((resolve) => stall.signal.addEventListener("abort", resolve));

async function* slowly(pauseMs: number) {
  for (let part = 0; part < 3; part++) {
    await Bun.sleep(pauseMs);
    yield Uint8Array.of(part);
  }
}

describe("Stall", () => {
  test("ends an exchange whose header does not come", async () => {
    const stall = new Stall(times);
    stall.awaitHeader();
    await aborted(stall);
    expect(stall.failure).toMatchObject({ code: "unavailable" });
  });

  test("does not end one whose header came", async () => {
    const stall = new Stall(times);
    stall.awaitHeader();
    stall.headerArrived();
    await Bun.sleep(60);
    expect(stall.signal.aborted).toBe(false);
  });

  test("ends one that takes no more bytes", async () => {
    const stall = new Stall(times);
    await stall.sending(slowly(0)).next();
    await aborted(stall);
    expect(stall.failure?.message).toBe("no byte for 0 s");
  });

  test("waits for the header from the last byte on, if the size is known", async () => {
    const stall = new Stall(times);
    await stall.sending(slowly(0), 1).next();
    await aborted(stall);
    expect(stall.failure?.message).toBe("timeout awaiting response headers (0 s)");
  });

  test("bears a source that is slow", async () => {
    const stall = new Stall(times);
    stall.awaitHeader();
    for await (const _ of stall.sending(slowly(60)));
    expect(stall.signal.aborted).toBe(false);
    stall.end();
  });

  test("does not watch the sending any more once there is an answer", async () => {
    const stall = new Stall(times);
    const sending = stall.sending(slowly(0));
    await sending.next();
    stall.headerArrived();
    await sending.next();
    await Bun.sleep(60);
    expect(stall.signal.aborted).toBe(false);
  });

  test("ends with its outer signal, also if that has aborted before", () => {
    const stop = new AbortController();
    const stall = new Stall(times, stop.signal);
    stop.abort(new Error("enough"));
    expect(stall.signal.reason).toMatchObject({ message: "enough" });
    expect(new Stall(times, stop.signal).signal.aborted).toBe(true);
    expect(stall.failure).toBeUndefined();
  });
});
