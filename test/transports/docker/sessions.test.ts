import { describe, expect, test } from "bun:test";
import { Sessions } from "../../../transports/docker/sessions.ts";
import { testWith } from "../../support/needs.ts";
import { rejection } from "../../support/rejection.ts";
import { serverCertificate } from "../../support/server-certificate.ts";

describe("Sessions", () => {
  const withTls = testWith("openssl");

  test("opens one session for each audience", async () => {
    await using sessions = new Sessions({ tls: { verify: true, authorities: [] }, proxies: {} });
    expect(await sessions.to("registry")).toBe(await sessions.to("registry"));
    expect(await sessions.to("registry")).not.toBe(await sessions.to("elsewhere"));
  });

  withTls(
    "N1: N8: shows its certificate to the registry alone, and verifies token services",
    async () => {
      const { cert, key, authority, authorityKey } = serverCertificate();
      const serve = (requestCert: boolean) =>
        Bun.serve({
          port: 0,
          hostname: "127.0.0.1",
          tls: {
            cert,
            key,
            ...(requestCert ? { ca: authority, requestCert, rejectUnauthorized: true } : {}),
          },
          fetch: () => new Response("ok"),
        });
      const mutual = serve(true);
      const open = serve(false);
      const client = { certificate: authority, key: authorityKey };
      await using sessions = new Sessions({
        tls: { verify: false, authorities: [], client },
        proxies: {},
      });
      const ask = async (audience: Parameters<Sessions["to"]>[0], port: number | undefined) => {
        const url = new URL(`https://127.0.0.1:${port}/`);
        const response = await (await sessions.to(audience)).send({ method: "GET", url });
        await response.discard();
        return response.status;
      };
      expect(await ask("registry", mutual.port)).toBe(200);
      expect((await rejection(ask("elsewhere", mutual.port))).message).toContain(
        "tls: handshake failure",
      );
      expect(await ask("elsewhere", open.port)).toBe(200);
      expect((await rejection(ask("token-service", open.port))).message).toContain(
        "unknown authority",
      );
      await Promise.all([mutual.stop(true), open.stop(true)]);
    },
  );

  test("can be disposed of after a certificate that cannot be used", async () => {
    const sessions = new Sessions({ tls: { verify: true, authorities: ["junk"] }, proxies: {} });
    expect((await rejection(sessions.to("registry"))).code).toBe("config");
    await sessions[Symbol.asyncDispose]();
  });
});
