import { expect, test } from "bun:test";

import { listenForCallback } from "../../core/http-callback.ts";
import { rejection } from "../support/rejection.ts";

test("listenForCallback waits for a browser that comes to the right place", async () => {
  await using callback = await listenForCallback();
  const { port, pathname } = new URL(callback.address);
  const waiting = callback.wait(new AbortController().signal);
  const other = await fetch(`http://127.0.0.1:${port}/favicon.ico`);
  expect(other.status).toBe(404);
  const posted = await fetch(`http://127.0.0.1:${port}${pathname}?code=b`, { method: "POST" });
  expect(posted.status).toBe(404);
  await fetch(`http://127.0.0.1:${port}${pathname}?code=a`);
  expect((await waiting).get("code")).toBe("a");
});

test("listenForCallback ends its waiting when it is told to", async () => {
  await using callback = await listenForCallback();
  const abort = new AbortController();
  const waiting = callback.wait(abort.signal);
  abort.abort();
  expect(await rejection(waiting)).toMatchObject({ code: "canceled" });
});
