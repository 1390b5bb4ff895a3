import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { Failure } from "../../../core/failure.ts";
import { Pipe } from "../../../transports/docker-daemon/pipe.ts";
import { rejection } from "../../support/rejection.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("Pipe", () => {
  test("hands on what is written, in order", async () => {
    const pipe = new Pipe();
    const reading = collect(pipe.read(), 100);
    for (const text of ["a", "bc", "", "d"]) await pipe.write(bytes(text));
    pipe.end();
    expect(new TextDecoder().decode(await reading)).toBe("abcd");
  });

  test("holds back who writes until the reader asks for more", async () => {
    const pipe = new Pipe();
    let written = 0;
    const writing = (async () => {
      for (; written < 3; written++) await pipe.write(bytes("x"));
      pipe.end();
    })();
    await Bun.sleep(1);
    expect(written).toBe(0);
    const reader = pipe.read();
    await reader.next();
    await Bun.sleep(1);
    expect(written).toBe(0);
    await reader.next();
    await Bun.sleep(1);
    expect(written).toBe(1);
    for await (const _ of reader);
    await writing;
  });

  test("may be ended before anything was written, or read", async () => {
    const pipe = new Pipe();
    pipe.end();
    expect((await collect(pipe.read(), 0)).length).toBe(0);
  });

  test("fails for both when it breaks, whoever waits", async () => {
    for (const waiting of ["reader", "writer"]) {
      const pipe = new Pipe();
      const reader = pipe.read();
      const work = waiting === "reader" ? reader.next() : pipe.write(bytes("x"));
      pipe.fail(new Failure("io", "broken"));
      pipe.fail(new Failure("io", "again"));
      expect(await rejection(Promise.resolve(work))).toMatchObject({ message: "broken" });
      expect(await rejection(pipe.write(bytes("y")))).toMatchObject({ message: "broken" });
      if (waiting === "writer") {
        expect(await rejection(reader.next())).toMatchObject({ message: "broken" });
      }
    }
  });

  test("ends the writing when the reader leaves", async () => {
    const pipe = new Pipe();
    const writing = rejection(
      (async () => {
        for (;;) await pipe.write(bytes("x"));
      })(),
    );
    for await (const _ of pipe.read()) break;
    expect(await writing).toMatchObject({ code: "unavailable" });
  });

  test("takes one piece at a time", async () => {
    const pipe = new Pipe();
    const first = pipe.write(bytes("x"));
    expect(await rejection(pipe.write(bytes("y")))).toMatchObject({ code: "bug" });
    pipe.fail(new Failure("io", "broken"));
    expect(await rejection(first)).toMatchObject({ message: "broken" });
  });
});
