import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { collect } from "../../core/blob/collect.ts";
import { openHttp } from "../../core/http.ts";
import { openSocks } from "../../core/http-socks.ts";
import { event } from "../../core/http-socket.ts";
import { testWith } from "../support/needs.ts";
import { startRawServer } from "../support/raw-http.ts";
import { rejection } from "../support/rejection.ts";
import { serverCertificate } from "../support/server-certificate.ts";
import { type SocksWish, startSocksProxy } from "../support/socks-proxy.ts";

const login = { username: "me", password: "p@ss" };
const unverified = { verify: false, authorities: [] };

describe("openSocks", () => {
  const way = { host: "registry.test", port: 443 };

  async function ask(wish: Omit<SocksWish, "target">, user = "", target = way) {
    await using proxy = await startSocksProxy({ target: 1, ...wish });
    const address = new URL(`socks5://${user}127.0.0.1:${proxy.port}`);
    const socket: Socket = connect(proxy.port, "127.0.0.1");
    await event(socket, "connect");
    try {
      await openSocks(socket, target, address);
      return proxy.asked;
    } finally {
      socket.destroy();
    }
  }

  test("N12: lets the proxy look up names, and hands on addresses as they are", async () => {
    expect(await ask({})).toEqual(["name registry.test:443"]);
    expect(await ask({}, "", { host: "10.1.2.3", port: 5000 })).toEqual(["ipv4 10.1.2.3:5000"]);
    expect(await ask({}, "", { host: "fd00::1", port: 80 })).toEqual([
      "ipv6 fd000000000000000000000000000001:80",
    ]);
  });

  test("shows the password to who asks for it", async () => {
    expect(await ask({ login }, "me:p%40ss@")).toHaveLength(1);
    expect(await ask({}, "me:p%40ss@")).toHaveLength(1);
  });

  test.each([
    [{ login }, "", "refused", "no acceptable authentication methods"],
    [{ login }, "me:wrong@", "refused", "username/password authentication failed"],
    [{ login }, "me@", "refused", "user name and password must have 1 to 255 bytes each"],
    [{ reply: 2 }, "", "refused", "connection not allowed by ruleset"],
    [{ reply: 5 }, "", "unavailable", "connection refused"],
    [{ reply: 99 }, "", "refused", "unknown code: 99"],
  ])("N12: O2: says what %j answers to %j", async (wish, user, code, words) => {
    const failure = await rejection(ask(wish, user));
    expect(failure.code).toBe(code as typeof failure.code);
    expect(failure.message).toMatch(/^socks connect tcp 127\.0\.0\.1:\d+->registry\.test:443: /);
    expect(failure.message).toEndWith(words);
    expect(failure.message).not.toContain("wrong");
  });

  test("does not take another protocol for this one", async () => {
    await using http = await startRawServer({ handler: async () => ({ status: 400 }) });
    const socket = connect(http.port, "127.0.0.1");
    await event(socket, "connect");
    const opening = openSocks(socket, way, new URL(`socks5://127.0.0.1:${http.port}`));
    // It waits for the end of a header line that does not come.
    socket.end();
    expect(await rejection(opening)).toBeInstanceOf(Error);
    socket.destroy();
  });
});

describe("a session by way of SOCKS", () => {
  const withTls = testWith("openssl");
  let server: Bun.Server<undefined> | undefined;
  let plain: Bun.Server<undefined> | undefined;

  beforeAll(() => {
    const fetch = () => new Response("ok");
    plain = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
    if (Bun.which("openssl") === null) return;
    const { cert, key } = serverCertificate();
    server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls: { cert, key }, fetch });
  });

  afterAll(async () => {
    await server?.stop(true);
    await plain?.stop(true);
  });

  withTls("N12: reaches https servers, and uses the way again", async () => {
    await using proxy = await startSocksProxy({ target: server?.port ?? 0 });
    await using http = await openHttp({
      tls: unverified,
      proxies: { https: `socks5h://127.0.0.1:${proxy.port}` },
    });
    for (let time = 0; time < 2; time++) {
      const url = new URL("https://registry.test/v2/");
      const { body } = await http.send({ method: "GET", url });
      expect(Buffer.from(await collect(body, 100)).toString()).toBe("ok");
    }
    expect(proxy.asked).toEqual(["name registry.test:443"]);
  });

  test("N12: reaches http servers", async () => {
    await using proxy = await startSocksProxy({ target: plain?.port ?? 0 });
    await using http = await openHttp({
      tls: unverified,
      proxies: { http: `socks5://127.0.0.1:${proxy.port}` },
    });
    const url = new URL("http://registry.test:5000/v2/");
    const { body } = await http.send({ method: "GET", url });
    expect(Buffer.from(await collect(body, 100)).toString()).toBe("ok");
    expect(proxy.asked).toEqual(["name registry.test:5000"]);
  });

  withTls("N7: checks the certificate behind it", async () => {
    await using proxy = await startSocksProxy({ target: server?.port ?? 0 });
    await using http = await openHttp({
      tls: { verify: true, authorities: [] },
      proxies: { https: `socks5://127.0.0.1:${proxy.port}` },
    });
    const url = new URL("https://registry.test/");
    expect((await rejection(http.send({ method: "GET", url }))).message).toContain(
      "certificate signed by unknown authority",
    );
  });
});
