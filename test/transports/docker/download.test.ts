import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { verified } from "../../../core/blob/verify.ts";
import { digestOf } from "../../../core/content/digest.ts";
import type { BlobReading } from "../../../core/image/source.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import type { Retry } from "../../../core/retry.ts";
import { connect } from "../../../transports/docker/connection.ts";
import { openDownload } from "../../../transports/docker/download.ts";
import { dockerContext, type DockerWish } from "../../support/docker-context.ts";
import { randomBytes } from "../../support/random.ts";
import { startWire, type WireAnswer, type WireRequest } from "../../support/wire-server.ts";

const bytes = randomBytes("download", 200_000);
const size = bytes.length;
const blob = { mediaType: "application/octet-stream", digest: digestOf(bytes), size };

interface Reading extends DockerWish {
  readonly reading?: BlobReading;
  readonly limit?: number;
}

/** Downloads the blob from a host, verified as the gate does it. */
async function download(
  host: string,
  { reading = {}, ...wish }: Reading = {},
): Promise<Uint8Array> {
  const context = dockerContext(wish);
  await using client = await connect(parseDockerName(`${host}/a/b`), "pull", context);
  const stream = await openDownload({ client, blob, reading, log: context.log });
  return collect(verified(blob)(stream), 10 * size);
}

function startOf({ headers }: WireRequest): number {
  return Number(/^bytes=(\d+)-$/.exec(headers["range"] ?? "")?.[1] ?? 0);
}

/** Answers from `start` on, promising all the rest but sending no more than `count` bytes of it. */
function part(start: number, count: number, then: "close" | "reset" = "close"): WireAnswer {
  const head = [
    start === 0 ? "200 OK" : "206 Partial Content",
    `Content-Length: ${size - start}`,
    ...(start === 0 ? [] : [`Content-Range: bytes ${start}-${size - 1}/${size}`]),
  ];
  const body = bytes.subarray(start, start + count);
  return { head, body, ...(start + count >= size ? {} : { then }) };
}

function ranges(requests: readonly WireRequest[]): (string | undefined)[] {
  return requests.map(({ headers }) => headers["range"]);
}

const whole = { head: ["200 OK", `Content-Length: ${size}`], body: bytes };

describe("openDownload", () => {
  test("reads a blob in one request, asking for it as stored", async () => {
    await using server = await startWire(() => whole);
    expect(await download(server.host)).toEqual(bytes);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.line).toBe(`GET /v2/a/b/blobs/${blob.digest}`);
    expect(server.requests[0]!.headers).toMatchObject({ "accept-encoding": "identity" });
    expect(server.requests[0]!.headers).not.toHaveProperty("cache-control");
  });

  test("passes caches by when it is asked to read afresh", async () => {
    await using server = await startWire(() => whole);
    await download(server.host, { reading: { fresh: true } });
    expect(server.requests[0]!.headers["cache-control"]).toBe("no-cache");
  });

  test.each(["close", "reset"] as const)(
    "row 1: goes on where a connection broke off (%s)",
    async (then) => {
      await using server = await startWire((request) =>
        server.requests.length === 1 ? part(0, 100_000, then) : part(startOf(request), size),
      );
      expect(await download(server.host)).toEqual(bytes);
      expect(ranges(server.requests)).toEqual([undefined, "bytes=100000-"]);
    },
  );

  test("rows 2, 3: goes on without a pause as long as there is progress", async () => {
    const pauses: number[] = [];
    const lines: string[] = [];
    await using server = await startWire((request) => part(startOf(request), 25_000));
    const log = (line: string) => lines.push(line);
    const paused = (ms: number) => pauses.push(ms);
    const retries: Retry[] = [];
    const retrying = (retry: Retry) => retries.push(retry);
    expect(await download(server.host, { log, paused, retrying })).toEqual(bytes);
    const asked = ranges(server.requests);
    expect(new Set(asked).size).toBe(8);
    expect(retries).toHaveLength(asked.length - 1);
    expect(retries[0]).toEqual({ what: "download", reason: expect.any(String), waitMs: 0 });
    // The runtime may lose what came together with the end; only then there is no progress.
    expect(pauses).toHaveLength(asked.length - 8);
    const told = lines.filter((line) => line.startsWith("info: Reading blob body from"));
    expect(told).toHaveLength(asked.length - 1);
  });

  test("row 4: passes over what it has where Range is ignored", async () => {
    let answers = 0;
    await using server = await startWire(() => (answers++ === 0 ? part(0, 77_777) : whole));
    expect(await download(server.host)).toEqual(bytes);
    expect(ranges(server.requests)).toEqual([undefined, "bytes=77777-"]);
  });

  test.each([
    ["starts elsewhere", [`Content-Range: bytes 5-${size - 1}/${size}`]],
    ["is of another blob", [`Content-Range: bytes 77777-${size}/${size + 1}`]],
    ["ends too early", [`Content-Range: bytes 77777-100000/${size}`]],
    ["is not there", []],
    ["is not readable", ["Content-Range: octets 1-2/3"]],
    [
      "is of encoded bytes",
      [`Content-Range: bytes 77777-${size - 1}/${size}`, "Content-Encoding: gzip"],
    ],
  ])("row 5: starts over where the Content-Range %s", async (_, headers) => {
    let answers = 0;
    await using server = await startWire(() => {
      answers++;
      if (answers === 1) return part(0, 77_777);
      if (answers > 2) return whole;
      const body = new Uint8Array(5);
      return { head: ["206 Partial Content", "Content-Length: 5", ...headers], body };
    });
    expect(await download(server.host)).toEqual(bytes);
    expect(ranges(server.requests)).toEqual([undefined, "bytes=77777-", undefined]);
    expect(server.requests[2]!.headers["cache-control"]).toBe("no-cache");
  });

  test("row 5: starts over where a range cannot be had", async () => {
    const refusal = { head: ["416 Range Not Satisfiable", "Content-Length: 0"] };
    await using server = await startWire((request) => {
      if (startOf(request) > 0) return refusal;
      return server.requests.length === 1 ? part(0, 77_777) : whole;
    });
    expect(await download(server.host)).toEqual(bytes);
  });

  test("gives up after three connections in a row that bring nothing", async () => {
    const pauses: number[] = [];
    await using server = await startWire((request) =>
      part(startOf(request), startOf(request) === 0 ? 5_000 : 0),
    );
    const failure = download(server.host, { paused: (ms) => pauses.push(ms) });
    await expect(failure).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        /\(after 5000 of 200000 bytes; reconnecting brought no more\)$/,
      ),
    });
    expect(ranges(server.requests)).toEqual([undefined, ...Array(3).fill("bytes=5000-")]);
    expect(pauses).toHaveLength(2);
  });

  test("counts a few bytes a connection as nothing", async () => {
    await using server = await startWire((request) => part(startOf(request), 10));
    await expect(download(server.host)).rejects.toMatchObject({ code: "unavailable" });
    expect(server.requests).toHaveLength(3);
  });

  test("row 8: goes on where a body without a length ends too early", async () => {
    await using server = await startWire((request) =>
      startOf(request) === 0
        ? { head: ["200 OK", "Connection: close"], body: bytes.subarray(0, 50_000), then: "close" }
        : part(startOf(request), size),
    );
    expect(await download(server.host)).toEqual(bytes);
    expect(ranges(server.requests)).toEqual([undefined, "bytes=50000-"]);
  });

  test.each([
    ["shorter", bytes.subarray(1), /ended after 199999 of 200000 bytes$/],
    ["longer", new Uint8Array([...bytes, 0]), /is longer than its 200000 bytes$/],
    ["another", bytes.with(7, bytes[7]! ^ 1), /^Digest did not match/],
  ])("rows 6, 8: leaves a %s blob to who verifies", async (_, body, message) => {
    const answer = { head: ["200 OK", `Content-Length: ${body.length}`], body };
    await using server = await startWire(() => answer);
    await expect(download(server.host)).rejects.toMatchObject({
      code: "corrupt",
      message: expect.stringMatching(message),
    });
    expect(server.requests).toHaveLength(1);
  });

  test("row 9: names content type and host of a web page", async () => {
    const body = new TextEncoder().encode("<html>log in</html>");
    const head = [
      "200 OK",
      `Content-Length: ${body.length}`,
      "Content-Type: text/html; charset=utf-8",
    ];
    await using server = await startWire(() => ({ head, body }));
    await expect(download(server.host)).rejects.toMatchObject({
      code: "refused",
      message: `${server.host} answered with a web page (content type "text/html; charset=utf-8") instead of the content`,
    });
  });

  test("says what the registry says if it has no such blob", async () => {
    const body = new TextEncoder().encode('{"errors":[{"code":"BLOB_UNKNOWN","message":"gone"}]}');
    const head = ["404 Not Found", `Content-Length: ${body.length}`];
    await using server = await startWire(() => ({ head, body }));
    await expect(download(server.host)).rejects.toMatchObject({
      code: "refused",
      message: "fetching blob: blob unknown: gone",
    });
  });

  describe("N13", () => {
    const zipped = Bun.gzipSync(new Uint8Array(bytes));
    const head = (length: number) => [
      "200 OK",
      `Content-Length: ${length}`,
      "Content-Encoding: gzip",
    ];

    test("undoes an encoding that nobody asked for", async () => {
      await using server = await startWire(() => ({ head: head(zipped.length), body: zipped }));
      expect(await download(server.host)).toEqual(bytes);
    });

    test("passes over what it has where an encoded body broke off", async () => {
      await using server = await startWire(() =>
        server.requests.length === 1
          ? { head: head(zipped.length), body: zipped.subarray(0, 100_000), then: "close" }
          : { head: head(zipped.length), body: zipped },
      );
      expect(await download(server.host)).toEqual(bytes);
      expect(ranges(server.requests)).toEqual([undefined, undefined]);
    });

    test("leaves a blob alone that is as long as promised", async () => {
      await using server = await startWire(() => ({ head: head(size), body: bytes }));
      expect(await download(server.host)).toEqual(bytes);
    });

    test("refuses an encoding that nobody knows", async () => {
      const odd = ["200 OK", "Content-Length: 5", "Content-Encoding: rot13"];
      await using server = await startWire(() => ({ head: odd, body: new Uint8Array(5) }));
      await expect(download(server.host)).rejects.toMatchObject({
        code: "unsupported",
        message: `${server.host} answered with content encoding "rot13", which it was not asked for`,
      });
    });
  });

  test("ends with its signal, and does not reconnect", async () => {
    const stop = new AbortController();
    await using server = await startWire(() => {
      setTimeout(() => stop.abort(), 10);
      return { head: ["200 OK", `Content-Length: ${size}`], body: bytes.subarray(0, 10_000) };
    });
    const reading = download(server.host, { reading: { signal: stop.signal } });
    await expect(reading).rejects.toMatchObject({ code: "canceled" });
    expect(server.requests).toHaveLength(1);
  });

  test("lets go of the connection when its reader leaves early", async () => {
    await using server = await startWire(() => whole);
    const context = dockerContext();
    await using client = await connect(parseDockerName(`${server.host}/a/b`), "pull", context);
    const stream = await openDownload({ client, blob, reading: {}, log: context.log });
    for await (const _ of stream) break;
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ["sends the rest", (from: number) => part(from, size)],
    ["sends all of it", () => whole],
  ])("begins behind what is held already, where the server %s", async (_, answer) => {
    await using server = await startWire((request) => answer(startOf(request)));
    const context = dockerContext();
    await using client = await connect(parseDockerName(`${server.host}/a/b`), "pull", context);
    const stream = await openDownload({ client, blob, reading: {}, log: context.log }, 150_000);
    expect(await collect(stream, size)).toEqual(Buffer.from(bytes.subarray(150_000)));
    expect(ranges(server.requests)).toEqual(["bytes=150000-"]);
  });

  test("goes on behind what is held already after the connection broke", async () => {
    await using server = await startWire((request) => {
      const from = startOf(request);
      return part(from, from === 150_000 ? 20_000 : size);
    });
    const context = dockerContext();
    await using client = await connect(parseDockerName(`${server.host}/a/b`), "pull", context);
    const stream = await openDownload({ client, blob, reading: {}, log: context.log }, 150_000);
    expect(await collect(stream, size)).toEqual(Buffer.from(bytes.subarray(150_000)));
    expect(ranges(server.requests)).toEqual(["bytes=150000-", "bytes=170000-"]);
  });
});
