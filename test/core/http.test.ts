import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { collect } from "../../core/blob/collect.ts";
import { Failure } from "../../core/failure.ts";
import { type HttpOptions, type HttpRequest, openHttp } from "../../core/http.ts";
import { testWith } from "../support/needs.ts";
import { rejection } from "../support/rejection.ts";
import { type RawHandler, startRawServer, writeHead } from "../support/raw-http.ts";
import { serverCertificate } from "../support/server-certificate.ts";
import { Workspace } from "../support/workspace.ts";

const trusting: HttpOptions = { tls: { verify: true, authorities: [] }, proxies: {} };
const hasty = { firstHeaderMs: 60, idleMs: 60, slowMs: 1000, slowBytes: 1024 };

/** Sends one request to a server that answers by hand, and returns its answer with the body read. */
async function exchange(
  handler: RawHandler,
  request: Partial<HttpRequest> = {},
  options: Partial<HttpOptions> = {},
) {
  await using server = await startRawServer({ handler });
  await using http = await openHttp({ ...trusting, ...options });
  const url = new URL(`http://127.0.0.1:${server.port}/a?secret=1`);
  const response = await http.send({ method: "GET", url, ...request });
  const { status, statusText, headers } = response;
  return { status, statusText, headers, body: Buffer.from(await collect(response.body, 1e6)) };
}

describe("HttpSession", () => {
  test("returns an answer as it is: no redirect followed, nothing decoded", async () => {
    const { status, statusText, headers, body } = await exchange(async () => ({
      status: 307,
      headers: { Location: "http://127.0.0.2:1/", "Content-Encoding": "gzip", A: "1, 2" },
      body: "not gzip",
    }));
    expect([status, statusText, body.toString()]).toEqual([307, "Temporary Redirect", "not gzip"]);
    expect(headers.get("location")).toBe("http://127.0.0.2:1/");
    expect(headers.get("a")).toBe("1, 2");
  });

  test("speaks to a socket of this machine, whatever host a request names", async () => {
    using workspace = new Workspace();
    const unix = workspace.at("engine.sock");
    await using _ = Bun.serve({ unix, fetch: (request) => new Response(request.url) });
    await using http = await openHttp({ ...trusting, unix, proxies: {} });
    const { body } = await http.send({ method: "GET", url: new URL("http://nobody.invalid/a") });
    expect(Buffer.from(await collect(body, 1e6)).toString()).toBe("http://nobody.invalid/a");
    await using gone = await openHttp({ ...trusting, unix: workspace.at("none") });
    expect(
      await rejection(gone.send({ method: "GET", url: new URL("http://nobody.invalid/a") })),
    ).toMatchObject({ code: "unavailable", message: expect.stringContaining("dial unix /") });
  });

  test("N13: asks for identity", async () => {
    const seen = Promise.withResolvers<string | null>();
    await exchange(async ({ headers }) => {
      seen.resolve(headers.get("accept-encoding"));
      return { status: 200 };
    });
    expect(await seen.promise).toBe("identity");
  });

  test.each([
    [11, "11", null],
    [undefined, null, "chunked"],
  ])("sends a body of size %p with length %p", async (size, length, encoding) => {
    async function* bytes() {
      yield Buffer.from("hello ");
      yield Buffer.from("world");
    }
    const { body } = await exchange(
      async (request) => {
        expect(request.headers.get("content-length")).toBe(length);
        expect(request.headers.get("transfer-encoding")).toBe(encoding);
        return { status: 200, body: await request.body() };
      },
      { method: "PUT", body: { bytes: bytes(), size } },
    );
    expect(body.toString()).toBe("hello world");
  });

  test("fails with the error of the body, whatever that is", async () => {
    async function* bytes() {
      yield Buffer.from("some");
      throw new Failure("corrupt", "the source is broken");
    }
    const failure = await rejection(
      exchange(async (request) => ({ status: 200, body: await request.body() }), {
        method: "PUT",
        body: { bytes: bytes() },
      }),
    );
    expect(failure).toMatchObject({ code: "corrupt", message: "the source is broken" });
  });

  test("returns an answer that comes while the body is still being sent", async () => {
    let released = false;
    async function* endless() {
      try {
        for (;;) {
          yield new Uint8Array(65_536);
          await Bun.sleep(1);
        }
      } finally {
        released = true;
      }
    }
    const { status } = await exchange(
      async () => (socket) => {
        writeHead(socket, { "Content-Length": "0" }, 401);
      },
      { method: "PATCH", body: { bytes: endless() } },
    );
    await Bun.sleep(20);
    expect([status, released]).toEqual([401, true]);
  });

  test("fails with the reason of its signal, before and after the header", async () => {
    for (const head of [false, true]) {
      const stop = new AbortController();
      const failure = await rejection(
        exchange(
          async () => (socket) => {
            if (head) writeHead(socket, { "Content-Length": "10" });
            stop.abort(new Failure("canceled", "enough"));
          },
          { signal: stop.signal },
        ),
      );
      expect(failure).toMatchObject({ code: "canceled", message: "enough" });
    }
  });

  test("releases the connection when the reader leaves early", async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await startRawServer({
      handler: async () => (socket) => {
        socket.once("close", () => closed.resolve());
        writeHead(socket, { "Content-Length": "1000" });
        socket.write("some");
      },
    });
    await using http = await openHttp(trusting);
    const url = new URL(`http://127.0.0.1:${server.port}/`);
    const { body } = await http.send({ method: "GET", url });
    for await (const _ of body) break;
    await closed.promise;
  });

  test.each([
    ["short", 1],
    ["long", 2],
  ])(
    "uses the connection again after a %s answer was discarded: %d connections",
    async (length, connections) => {
      const sockets = new Set<unknown>();
      await using server = await startRawServer({
        handler: async (_, socket) => {
          sockets.add(socket);
          return { status: 404, body: Buffer.alloc(length === "short" ? 1000 : 4_000_000) };
        },
      });
      await using http = await openHttp(trusting);
      const url = new URL(`http://127.0.0.1:${server.port}/`);
      for (let time = 0; time < 2; time++)
        await (await http.send({ method: "GET", url })).discard();
      expect(sockets.size).toBe(connections);
    },
  );
});

describe("HttpSession on a broken wire", () => {
  const prefix = /^Get "http:\/\/127\.0\.0\.1:\d+\/a\?secret=\*\*\*": /;

  test.each<[string, RawHandler, string]>([
    [
      "closes",
      async () => (socket) => void socket.destroy(),
      "connection closed before an answer (EOF)",
    ],
    [
      "resets",
      async () => (socket) => void socket.resetAndDestroy(),
      "connection closed before an answer (EOF)",
    ],
  ])("O2: fails with unavailable if the server %s before it answers", async (_, handler, words) => {
    const failure = await rejection(exchange(handler));
    expect(failure.code).toBe("unavailable");
    expect(failure.message).toMatch(prefix);
    expect(failure.message).toEndWith(words);
  });

  test("refuses lengths that contradict each other", async () => {
    const failure = await rejection(
      exchange(async () => (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
      }),
    );
    expect(failure).toMatchObject({ code: "refused" });
  });

  test.each(["FIN", "RST"])("fails with unavailable if a body ends early by %s", async (how) => {
    const failure = await rejection(
      exchange(async () => async (socket) => {
        writeHead(socket, { "Content-Length": "10" });
        socket.write("some");
        await Bun.sleep(20);
        if (how === "RST") socket.resetAndDestroy();
        else socket.end();
      }),
    );
    expect(failure.code).toBe("unavailable");
    expect(failure.message).toMatch(/^reading from 127\.0\.0\.1:\d+: unexpected EOF$/);
  });

  test("says that nobody listens", async () => {
    await using http = await openHttp(trusting);
    const failure = await rejection(
      http.send({ method: "HEAD", url: new URL("http://u:secret@127.0.0.1:1/x") }),
    );
    expect(failure).toMatchObject({
      code: "unavailable",
      message: 'Head "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
    });
  });
});

/** What is not to happen does not, however slow the machine is. */
const patient = { firstHeaderMs: 60_000, idleMs: 60_000, slowMs: 60_000, slowBytes: 1000 };

describe("HttpSession and silence", () => {
  const silent: RawHandler = async () => (socket) =>
    new Promise((resolve) => socket.once("close", resolve));

  test("gives up on a header that does not come", async () => {
    const failure = await rejection(exchange(silent, {}, { times: hasty }));
    expect(failure.code).toBe("unavailable");
    expect(failure.message).toEndWith(": timeout awaiting response headers (0.1 s)");
  });

  test("waits for a header as long as the request says", async () => {
    const late: RawHandler = async () => {
      await Bun.sleep(150);
      return { status: 200 };
    };
    const { status } = await exchange(late, { firstHeaderMs: 5000 }, { times: hasty });
    expect(status).toBe(200);
  });

  test("gives up on a body that does not go on", async () => {
    const failure = await rejection(
      exchange(
        async () => (socket) => {
          writeHead(socket, { "Content-Length": "10" });
          socket.write("some");
        },
        {},
        { times: { ...patient, idleMs: hasty.idleMs } },
      ),
    );
    expect(failure.code).toBe("unavailable");
    expect(failure.message).toMatch(/^reading from .*: no byte for 0\.1 s$/);
  });

  test("gives up on a body that only drips", async () => {
    const failure = await rejection(
      exchange(
        async () => async (socket) => {
          writeHead(socket, { "Content-Length": "1000" });
          while (!socket.destroyed) {
            socket.write("x");
            await Bun.sleep(10);
          }
        },
        {},
        { times: { ...patient, slowMs: 100 } },
      ),
    );
    expect(failure.message).toMatch(/^reading from .*: only \d+ bytes in \d+(?:\.\d)? s$/);
  });

  test("does not blame the connection for a reader that takes its time", async () => {
    await using server = await startRawServer({
      handler: async () => ({ status: 200, body: Buffer.alloc(1000) }),
    });
    await using http = await openHttp({ ...trusting, times: { ...patient, idleMs: 400 } });
    const { body } = await http.send({
      method: "GET",
      url: new URL(`http://127.0.0.1:${server.port}/`),
    });
    await Bun.sleep(500);
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      await Bun.sleep(500);
    }
    expect(size).toBe(1000);
  });

  test("does not blame the connection for a body that takes its time", async () => {
    async function* bytes() {
      for (let part = 0; part < 2; part++) {
        yield Buffer.from("x");
        await Bun.sleep(500);
      }
    }
    const { body } = await exchange(
      async (request) => ({ status: 200, body: await request.body() }),
      { method: "PUT", body: { bytes: bytes() } },
      { times: { ...patient, firstHeaderMs: 400, idleMs: 400 } },
    );
    expect(body.toString()).toBe("xx");
  });
});

describe("HttpSession and certificates", () => {
  const withTls = testWith("openssl");
  let server: Bun.Server<undefined> | undefined;

  beforeAll(() => {
    if (Bun.which("openssl") === null) return;
    const { cert, key } = serverCertificate();
    const fetch = () => new Response("ok");
    server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls: { cert, key }, fetch });
  });

  afterAll(() => server?.stop(true));

  async function statusWith(tls: HttpOptions["tls"], host = "127.0.0.1"): Promise<number> {
    await using http = await openHttp({ tls, proxies: {} });
    const response = await http.send({
      method: "GET",
      url: new URL(`https://${host}:${server?.port}/`),
    });
    await response.discard();
    return response.status;
  }

  withTls("N7: believes the authorities that are named, and no others", async () => {
    expect(await statusWith({ verify: true, authorities: [serverCertificate().authority] })).toBe(
      200,
    );
    const failure = await rejection(statusWith({ verify: true, authorities: [] }));
    expect(failure.code).toBe("refused");
    expect(failure.message).toEndWith(
      ": tls: failed to verify certificate: x509: certificate signed by unknown authority",
    );
    expect(failure.hint).toContain("--cert-dir");
  });

  withTls("N7: NODE_TLS_REJECT_UNAUTHORIZED has no say", async () => {
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      const failure = await rejection(statusWith({ verify: true, authorities: [] }));
      expect(failure.message).toContain("x509: certificate signed by unknown authority");
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
  });

  withTls("N7: does without the check where that is asked for", async () => {
    expect(await statusWith({ verify: false, authorities: [] })).toBe(200);
  });

  withTls("refuses a certificate for another name", async () => {
    const { cert, key, authority } = serverCertificate();
    const fetch = () => new Response();
    const other = Bun.serve({ port: 0, hostname: "127.0.0.3", tls: { cert, key }, fetch });
    await using http = await openHttp({
      tls: { verify: true, authorities: [authority] },
      proxies: {},
    });
    const url = new URL(`https://127.0.0.3:${other.port}/`);
    const failure = await rejection(http.send({ method: "GET", url }));
    await other.stop(true);
    expect(failure.message).toEndWith("x509: certificate is not valid for 127.0.0.3");
  });

  test("N12: sends plain http to the proxy whole, and only there", async () => {
    const seen: string[] = [];
    await using proxy = await startRawServer({
      handler: async ({ target }) => {
        seen.push(target);
        return { status: 200 };
      },
    });
    await using http = await openHttp({
      ...trusting,
      proxies: { http: `http://127.0.0.1:${proxy.port}` },
    });
    await (await http.send({ method: "GET", url: new URL("http://registry.test/v2/") })).discard();
    expect(seen).toEqual(["http://registry.test/v2/"]);
  });

  test("N12: the environment names no proxy", async () => {
    await using proxy = await startRawServer({ handler: async () => ({ status: 500 }) });
    await using direct = await startRawServer({ handler: async () => ({ status: 200 }) });
    process.env["HTTP_PROXY"] = `http://127.0.0.1:${proxy.port}`;
    await using http = await openHttp(trusting);
    const { status } = await http.send({
      method: "GET",
      url: new URL(`http://127.0.0.1:${direct.port}/`),
    });
    delete process.env["HTTP_PROXY"];
    expect(status).toBe(200);
  });
});
