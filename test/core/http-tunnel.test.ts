import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { collect } from "../../core/blob/collect.ts";
import { Failure } from "../../core/failure.ts";
import { openHttp } from "../../core/http.ts";
import type { TlsProtocol } from "../../core/http-tls.ts";
import { testWith } from "../support/needs.ts";
import { startRawServer } from "../support/raw-http.ts";
import { rejection } from "../support/rejection.ts";
import { serverCertificate } from "../support/server-certificate.ts";
import { startTunnelProxy } from "../support/tunnel-proxy.ts";

describe("Tunnel", () => {
  const withTls = testWith("openssl");
  let server: Bun.Server<undefined> | undefined;

  beforeAll(() => {
    if (Bun.which("openssl") === null) return;
    const { cert, key } = serverCertificate();
    const fetch = () => new Response("ok");
    server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls: { cert, key }, fetch });
  });

  afterAll(() => server?.stop(true));

  withTls(
    "N12: tunnels https through a proxy, and tells it nothing but its own password",
    async () => {
      await using proxy = await startTunnelProxy(server?.port ?? 0);
      await using http = await openHttp({
        tls: { verify: false, authorities: [] },
        proxies: { https: `http://me:p%40ss@127.0.0.1:${proxy.port}` },
      });
      for (let time = 0; time < 2; time++) {
        const response = await http.send({
          method: "GET",
          url: new URL("https://registry.test/v2/"),
          headers: { Authorization: "Bearer secret" },
        });
        expect(Buffer.from(await collect(response.body, 100)).toString()).toBe("ok");
      }
      expect(proxy.asked).toEqual([
        `CONNECT registry.test:443 HTTP/1.1\r\nHost: registry.test:443\r\nProxy-Authorization: Basic ${btoa("me:p@ss")}\r\n\r\n`,
      ]);
    },
  );

  withTls("N7: checks the certificate behind a proxy as well", async () => {
    await using proxy = await startTunnelProxy(server?.port ?? 0);
    await using http = await openHttp({
      tls: { verify: true, authorities: [] },
      proxies: { https: `http://127.0.0.1:${proxy.port}` },
    });
    const url = new URL("https://registry.test/");
    const failure = await rejection(http.send({ method: "GET", url }));
    expect(failure.message).toContain("certificate signed by unknown authority");
  });

  withTls("holds back what is sent and what comes through a tunnel", async () => {
    const { cert, key } = serverCertificate();
    let taken = 0;
    const slow = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { cert, key },
      maxRequestBodySize: 1e12,
      async fetch(request) {
        for await (const chunk of request.body ?? []) {
          taken += chunk.length;
          await Bun.sleep(1000);
        }
        return new Response();
      },
    });
    await using proxy = await startTunnelProxy(slow.port ?? 0);
    await using http = await openHttp({
      tls: { verify: false, authorities: [] },
      proxies: { https: `http://127.0.0.1:${proxy.port}` },
    });
    let given = 0;
    async function* endless() {
      for (;;) {
        given += 1_000_000;
        yield new Uint8Array(1_000_000);
      }
    }
    const stop = new AbortController();
    const sending = http.send({
      method: "PUT",
      url: new URL("https://registry.test/"),
      body: { bytes: endless() },
      signal: stop.signal,
    });
    await Bun.sleep(300);
    stop.abort(new Failure("canceled", "enough"));
    expect(await rejection(sending)).toMatchObject({ message: "enough" });
    expect(taken).toBeLessThan(given);
    expect(given).toBeLessThan(30_000_000);
    await slow.stop(true);
  });

  test("N12: says what a proxy refuses", async () => {
    await using proxy = await startRawServer({ handler: async () => ({ status: 407 }) });
    await using http = await openHttp({
      tls: { verify: true, authorities: [] },
      proxies: { https: `http://127.0.0.1:${proxy.port}` },
    });
    const failure = await rejection(
      http.send({ method: "GET", url: new URL("https://registry.test/") }),
    );
    expect(failure).toMatchObject({
      code: "refused",
      message: `Get "https://registry.test/": proxyconnect tcp: proxy 127.0.0.1:${proxy.port} answered 407 Odd`,
    });
  });

  withTls("N12: checks a proxy that speaks TLS, also where the server is not checked", async () => {
    const { cert, key, authority } = serverCertificate();
    const unchecked = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { cert, key },
      fetch: () => new Response("from the proxy"),
    });
    const proxy = `https://127.0.0.1:${unchecked.port}`;
    const client = { certificate: authority, key: serverCertificate().authorityKey };
    await using http = await openHttp({
      tls: { verify: false, authorities: [], client },
      proxies: { http: proxy, https: proxy },
    });
    for (const target of ["http://registry.test/", "https://registry.test/"]) {
      const failure = await rejection(http.send({ method: "GET", url: new URL(target) }));
      expect(failure.message).toContain("certificate");
      expect(failure.code).toBe("refused");
    }
    await unchecked.stop(true);
  });

  withTls("speaks through a tunnel what it may speak, and nothing else", async () => {
    await using proxy = await startTunnelProxy(server?.port ?? 0);
    const status = async (protocol: TlsProtocol) => {
      await using http = await openHttp({
        tls: { verify: false, authorities: [], protocol },
        proxies: { https: `http://127.0.0.1:${proxy.port}` },
      });
      const url = new URL("https://registry.test/");
      const response = await http.send({ method: "GET", url });
      await response.discard();
      return response.status;
    };
    expect(await status({ minVersion: "1.3" })).toBe(200);
    expect(
      await status({ maxVersion: "1.2", cipherSuites: ["ECDHE-ECDSA-AES128-GCM-SHA256"] }),
    ).toBe(200);
    const foreign: TlsProtocol = { maxVersion: "1.2", cipherSuites: ["ECDHE-RSA-AES128-SHA"] };
    expect((await rejection(status(foreign))).code).not.toBe("bug");
  });
});
