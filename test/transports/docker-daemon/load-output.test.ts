import { describe, expect, test } from "bun:test";
import { type Engine, openEngine } from "../../../transports/docker-daemon/engine.ts";
import { LoadOutput } from "../../../transports/docker-daemon/load-output.ts";
import { rejection } from "../../support/rejection.ts";
import { type EngineScript, startScriptedEngine } from "../../support/scripted-engine.ts";

const piece = new Uint8Array(100_000);

async function start(script: EngineScript = {}) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(startScriptedEngine(script));
  const engine: Engine = stack.use(await openEngine(server.context()));
  await engine.greet();
  const abort = new AbortController();
  const output = new LoadOutput(engine, abort.signal);
  return { server, output, abort, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** What an engine says that has no use for what it is sent. */
const refusing: EngineScript = {
  answer: (request) =>
    request.url.includes("/load")
      ? Response.json({ errorDetail: { message: "no space" }, error: "no space" })
      : undefined,
};

describe("LoadOutput", () => {
  test("sends what is written, and is done when the engine is", async () => {
    await using scene = await start();
    for (let count = 0; count < 5; count++) await scene.output.write(piece);
    await scene.output.complete();
    await scene.output[Symbol.asyncDispose]();
    expect(scene.output.position).toBe(500_000);
    expect(scene.server.loaded.map((bytes) => bytes.length)).toEqual([500_000]);
  });

  test("sends nothing before there is something", async () => {
    await using scene = await start();
    await scene.output[Symbol.asyncDispose]();
    expect(scene.server.lines).toEqual(["HEAD /_ping"]);
  });

  test("breaks off when it is given up, so that no archive seems whole", async () => {
    await using scene = await start();
    for (let count = 0; count < 5; count++) await scene.output.write(piece);
    await scene.output[Symbol.asyncDispose]();
    for (let tries = 0; scene.server.broken === 0 && tries < 200; tries++) await Bun.sleep(5);
    expect(scene.server.loaded).toEqual([]);
    expect(scene.server.broken).toBe(1);
  });

  test("O1: an engine that answers before the end is quoted to who writes", async () => {
    await using scene = await start(refusing);
    const writing = async () => {
      for (;;) await scene.output.write(piece);
    };
    expect(await rejection(writing())).toMatchObject({
      code: "refused",
      message: 'docker engine reported: "no space"',
    });
    await scene.output[Symbol.asyncDispose]();
  });

  test("ends with the operation's signal", async () => {
    await using scene = await start();
    await scene.output.write(piece);
    scene.abort.abort();
    const writing = async () => {
      for (;;) await scene.output.write(piece);
    };
    expect(await rejection(writing())).toMatchObject({ code: "canceled" });
    await scene.output[Symbol.asyncDispose]();
  });
});
