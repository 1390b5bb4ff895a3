import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { openEngine } from "../../../transports/docker-daemon/engine.ts";
import { rejection } from "../../support/rejection.ts";
import { type EngineScript, startScriptedEngine } from "../../support/scripted-engine.ts";
import { transportContext } from "../../support/transport-context.ts";

const signal = new AbortController().signal;

/** Returns what an engine is asked, for one image, under a script. */
async function asked(script: EngineScript): Promise<readonly string[]> {
  await using server = startScriptedEngine(script);
  await using engine = await openEngine(server.context());
  await engine.greet();
  await rejection(engine.exportImage("a/b:1"));
  return server.lines;
}

describe("Engine", () => {
  test.each([
    ["1.41", "/v1.41"],
    ["1.51", "/v1.51"],
    ["1.52", "/v1.51"],
    ["2.0", "/v1.51"],
    ["1.9", "/v1.9"],
    ["", ""],
    ["../../x", ""],
  ])("of version %p is asked by %p", async (version, prefix) => {
    expect(await asked({ version })).toEqual([
      "HEAD /_ping",
      `GET ${prefix}/images/get?names=a%2Fb%3A1`,
    ]);
  });

  test("that knows no HEAD is greeted by GET", async () => {
    const answer = (request: Request) =>
      request.method === "HEAD" ? new Response("", { status: 404 }) : undefined;
    expect(await asked({ answer })).toEqual([
      "HEAD /_ping",
      "GET /_ping",
      "GET /v1.41/images/get?names=a%2Fb%3A1",
    ]);
  });

  test("tells the system of its containers", async () => {
    await using server = startScriptedEngine();
    await using engine = await openEngine(server.context());
    expect(engine.os).toBeUndefined();
    await engine.greet();
    expect(engine.os).toBe("linux");
  });

  test("that is not there is unavailable", async () => {
    const host = "unix:///nowhere/engine.sock";
    const tls = { verify: true, authorities: [] };
    const connection = async () => ({ host, plainTcp: false, tls });
    const context = transportContext({ settings: { dockerDaemon: { connection } } });
    await using engine = await openEngine(context);
    expect(await rejection(engine.greet())).toMatchObject({
      code: "unavailable",
      message: `Cannot connect to the Docker daemon at ${host}. Is the docker daemon running?`,
    });
  });

  test.each([
    [404, '{"message":"no such image"}', "refused", "no such image"],
    [400, "client version 1.22 is too old\n", "refused", "client version 1.22 is too old"],
    [500, '{"cause":"c","message":"m: c","response":500}', "refused", "m: c"],
    [500, "", "refused", "status 500"],
    [403, '{"message":"denied"}', "unauthorized", "denied"],
    [503, '{"message":"later"}', "unavailable", "later"],
  ])("O1: that answers %d %p is quoted", async (status, body, code, message) => {
    const answer = (request: Request) =>
      request.url.includes("/images/") ? new Response(body, { status }) : undefined;
    await using server = startScriptedEngine({ answer });
    await using engine = await openEngine(server.context());
    await engine.greet();
    const failures = [
      await rejection(engine.exportImage("a")),
      await rejection(engine.loadImages(streamOf(new Uint8Array(10)), signal)),
    ];
    for (const failure of failures) {
      expect(failure).toMatchObject({ code, message: `Error response from daemon: ${message}` });
    }
  });

  test("sends an archive in pieces, and gives one back", async () => {
    const answer = (request: Request) =>
      request.url.includes("/images/get") ? new Response("an archive") : undefined;
    await using server = startScriptedEngine({ answer });
    await using engine = await openEngine(server.context());
    await engine.greet();
    await engine.loadImages(streamOf(Buffer.from("some "), Buffer.from("bytes")), signal);
    expect(server.lines.at(-1)).toBe("POST /v1.41/images/load?quiet=1");
    expect(server.loaded.map((bytes) => Buffer.from(bytes).toString())).toEqual(["some bytes"]);
    const archive = await collect(await engine.exportImage("sha256:12"), 100);
    expect(Buffer.from(archive).toString()).toBe("an archive");
    expect(server.lines.at(-1)).toBe("GET /v1.41/images/get?names=sha256%3A12");
  });
});
