import { describe, expect, test } from "bun:test";
import { type HttpOptions, openHttp } from "../../core/http.ts";
import { explainHandshake } from "../../core/http-handshake.ts";
import { testWith } from "../support/needs.ts";
import { rejection } from "../support/rejection.ts";
import { serverCertificate } from "../support/server-certificate.ts";

describe("explainHandshake", () => {
  const withTls = testWith("openssl");

  test("takes a server that speaks no TLS for what it is", async () => {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    await using http = await openHttp({ tls: { verify: true, authorities: [] }, proxies: {} });
    const url = new URL(`https://127.0.0.1:${server.port}/v2/`);
    const failure = await rejection(http.send({ method: "GET", url }));
    expect(failure).toMatchObject({
      code: "refused",
      message: `Get "${url}": http: server gave HTTP response to HTTPS client`,
      hint: expect.stringContaining("--tls-verify=false"),
    });
    await server.stop(true);
  });

  withTls(
    "shows its client certificate to who asks for one, and says if there is none",
    async () => {
      const { cert, key, authority, authorityKey } = serverCertificate();
      const mutual = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        tls: { cert, key, ca: authority, requestCert: true, rejectUnauthorized: true },
        fetch: () => new Response("ok"),
      });
      const send = async (tls: HttpOptions["tls"]) => {
        await using http = await openHttp({ tls, proxies: {} });
        const url = new URL(`https://127.0.0.1:${mutual.port}/`);
        return (await http.send({ method: "GET", url })).status;
      };
      const believed = { verify: true, authorities: [authority] };
      expect(
        await send({ ...believed, client: { certificate: authority, key: authorityKey } }),
      ).toBe(200);
      expect(await rejection(send(believed))).toMatchObject({
        code: "refused",
        message: expect.stringContaining("tls: certificate required"),
      });
      await mutual.stop(true);
    },
  );

  test("has nothing to add about a server that has gone", async () => {
    expect(await explainHandshake(new URL("https://127.0.0.1:1/"))).toMatchObject({
      code: "refused",
      message: "tls: handshake failure",
    });
  });
});
