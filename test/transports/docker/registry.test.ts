import { describe, expect, test } from "bun:test";

import type { RegistryConnection } from "../../../core/image/registry-access.ts";
import { Patience } from "../../../core/retry.ts";
import type { Healer } from "../../../transports/docker/healing.ts";
import { Registry, type RegistryOptions } from "../../../transports/docker/registry.ts";
import { rejection } from "../../support/rejection.ts";
import { startRegistry } from "../../support/registry-server.ts";

const log = { debug() {}, info() {}, warn() {} };
const healer: Healer = {
  patience: new Patience({ sleep: async () => {} }),
  signal: new AbortController().signal,
  log,
  now: () => 0,
};

const basic = { kind: "basic", username: "user", password: "one" } as const;

const connection: RegistryConnection = {
  insecure: true,
  tls: { verify: false, authorities: ["a"] },
  credentials: basic,
};

/** For a registry that there is. */
const plain: RegistryConnection = { ...connection, tls: { verify: false, authorities: [] } };

const options: RegistryOptions = { host: "r", connection, proxies: {}, userAgent: "test", log };

describe("Registry", () => {
  test("suits who comes as the one that found it", async () => {
    await using registry = new Registry(options);
    const again = { ...connection, tls: { ...connection.tls }, credentials: { ...basic } };
    expect(registry.suits({ ...options, connection: again })).toBe(true);
  });

  test.each<[string, Partial<RegistryOptions>]>([
    ["another host", { host: "r:444" }],
    ["another name of ours", { userAgent: "else" }],
    ["a proxy", { proxies: { https: "http://proxy" } }],
    ["verification", { connection: { ...connection, insecure: false } }],
    ["other TLS", { connection: { ...connection, tls: { verify: true, authorities: ["a"] } } }],
    ["other trust", { connection: { ...connection, tls: { verify: false, authorities: [] } } }],
    ["nobody", { connection: { ...connection, credentials: { kind: "anonymous" } } }],
    ["a token", { connection: { ...connection, credentials: { kind: "token", token: "one" } } }],
    ["a password", { connection: { ...connection, credentials: { ...basic, password: "two" } } }],
  ])("N1: does not suit who comes with %s", async (_, other) => {
    await using registry = new Registry(options);
    expect(registry.suits({ ...options, ...other })).toBe(false);
  });

  test("is found once, also by those who come together", async () => {
    await using server = startRegistry();
    await using registry = new Registry({ ...options, connection: plain, host: server.host });
    await Promise.all([registry.find(healer), registry.find(healer)]);
    expect((await registry.find(healer)).guide.registry.origin).toBe(server.origin);
    expect(server.lines).toEqual(["GET /v2/"]);
  });

  test("is looked for again where it was not there", async () => {
    let open = false;
    await using server = startRegistry({
      intercept: (_, usual) => (open ? usual() : new Response(null, { status: 404 })),
    });
    await using registry = new Registry({ ...options, connection: plain, host: server.host });
    const failure = await rejection(registry.find(healer));
    expect(failure.message).toStartWith(`pinging container registry ${server.host}: `);
    open = true;
    expect((await registry.find(healer)).guide.registry.origin).toBe(server.origin);
  });

  test("tells what is left of the pulls that it allows, whenever that changes", async () => {
    const lines: string[] = [];
    const left = ["2", "2", "1"];
    await using server = startRegistry({
      intercept: () =>
        new Response(null, { headers: { "RateLimit-Remaining": left.shift() ?? "" } }),
    });
    await using registry = new Registry({
      ...options,
      connection: plain,
      host: server.host,
      log: { ...log, debug: (line) => lines.push(line) },
    });
    const { guide } = await registry.find(healer);
    const start = { url: new URL("/v2/a", guide.registry), home: true };
    for (let count = 0; count < 3; count++) {
      const way = { start, guide, authorization: undefined };
      const { response } = await registry.travel({ method: "GET" }, way, healer.signal);
      await response.discard();
    }
    expect(lines.filter((line) => line.includes("pulls"))).toEqual([
      `${server.host} says that 2 pulls are left`,
      `${server.host} says that 1 pulls are left`,
    ]);
  });
});
