import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { Failure } from "../../../core/failure.ts";
import type { Credentials } from "../../../core/image/registry-access.ts";
import { RegistryClient, type RegistryClientOptions } from "../../../transports/docker/client.ts";
import { digest } from "../../support/faulty-store.ts";
import {
  faultyCredentials,
  type FaultName,
  type FaultyRegistry,
  startFaultyRegistry,
} from "../../support/faulty-registry.ts";
import { testWith } from "../../support/needs.ts";
import { timeless } from "../../support/patience.ts";
import { type RawHandler, startRawServer } from "../../support/raw-http.ts";
import { rejection } from "../../support/rejection.ts";
import { serverCertificate } from "../../support/server-certificate.ts";

const user: Credentials = { kind: "basic", ...faultyCredentials };
const anonymous: Credentials = { kind: "anonymous" };

interface Spoken {
  readonly client: RegistryClient;
  readonly pauses: readonly number[];
  /** Everything that was logged. */
  readonly lines: readonly string[];
}

function speak(
  host: string,
  wish: Partial<RegistryClientOptions> & { credentials?: Credentials } = {},
): Spoken {
  const { patience, pauses } = timeless();
  const lines: string[] = [];
  const write = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  const client = new RegistryClient({
    host,
    repository: "some/image",
    actions: "pull",
    connection: {
      insecure: true,
      tls: { verify: false, authorities: [] },
      credentials: wish.credentials ?? anonymous,
    },
    proxies: {},
    userAgent: "test/1",
    signal: new AbortController().signal,
    log: { debug: write("debug"), info: write("info"), warn: write("warn") },
    patience,
    ...wish,
  });
  return { client, pauses, lines };
}

describe("RegistryClient before a faulty registry", () => {
  let registry: FaultyRegistry;
  const seen: string[] = [];
  beforeAll(async () => {
    registry = await startFaultyRegistry({ layerBytes: 1000 });
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  function speakOf(
    fault: FaultName,
    credentials: Credentials = user,
  ): Spoken & { readonly target: string } {
    const [host = ""] = registry.name(fault).split("/");
    const spoken = speak(host, { repository: `${fault}/img`, credentials });
    return { ...spoken, target: `/v2/${fault}/img/blobs/${digest(registry.image.layer)}` };
  }

  test.each(["blob-500", "blob-502", "blob-503", "blob-408"] as const)(
    "tries again: %s",
    async (fault) => {
      const { client, target, pauses } = speakOf(fault);
      const { status, body } = await client.request({ method: "GET", target });
      expect(registry.image.layer.equals(await collect(body, 1e6))).toBe(true);
      expect([status, pauses]).toEqual([200, [500]]);
      await client[Symbol.asyncDispose]();
    },
  );

  // The runtime itself asks once more where a connection that was kept has gone.
  test.each(["reset-first", "close-first"] as const)("tries again: %s", async (fault) => {
    const { client, target } = speakOf(fault);
    const { status, body } = await client.request({ method: "GET", target });
    expect(registry.image.layer.equals(await collect(body, 1e6))).toBe(true);
    expect([status, registry.requestsFor(fault).length]).toEqual([200, 2]);
  });

  test.each([
    ["wait-seconds", [1000]],
    ["wait-date", [1000]],
  ] as const)("waits as long as it is asked to: %s", async (fault, expected) => {
    const { client, target, pauses } = speakOf(fault);
    const response = await client.request({ method: "GET", target });
    await response.discard();
    expect([response.status, pauses]).toEqual([200, [...expected]]);
  });

  test("does not wait for an hour, and says who wanted it", async () => {
    const { client, target, pauses } = speakOf("wait-long");
    const response = await client.request({ method: "GET", target });
    const { failure } = await client.failure(response, "fetching blob");
    expect(failure.code).toBe("unavailable");
    expect(failure.message).toContain("3600 s");
    expect(pauses).toEqual([]);
  });

  test("gives up on a registry that is busy for ever", async () => {
    const { client, target, pauses } = speakOf("wait-forever");
    const response = await client.request({ method: "GET", target });
    await response.discard();
    expect([response.status, pauses]).toEqual([429, [500, 1000, 2000]]);
  });

  test("leaves healing to who heals by itself", async () => {
    const { client, pauses } = speakOf("manifest-500");
    const target = "/v2/manifest-500/img/manifests/t";
    const response = await client.request({ method: "GET", target, heals: false });
    await response.discard();
    expect([response.status, pauses]).toEqual([500, []]);
    expect(await client.pause(1, { what: "request", reason: "it broke" })).toBe(true);
    expect(pauses).toEqual([500]);
  });

  test("N1: follows no redirect for ever", async () => {
    const { client, target } = speakOf("redirect-loop");
    const failure = await rejection(client.request({ method: "GET", target }));
    expect(failure.message).toBe("stopped after 10 redirects");
    expect(registry.requestsFor("redirect-loop").length).toBe(11);
  });

  test.each(["redirect-port", "redirect-port-basic", "redirect-address"] as const)(
    "N1: carries no secret to another origin: %s",
    async (fault) => {
      const { client, target } = speakOf(fault);
      const { status, url, body } = await client.request({
        method: "GET",
        target,
        headers: { "X-Secret": "secret", Range: "bytes=0-" },
      });
      await collect(body, 1e6);
      const requests = registry.requestsFor(fault);
      expect([status, requests.length]).toEqual([206, 2]);
      expect(requests[0]?.credential).toBe(fault === "redirect-port-basic" ? "basic" : "bearer");
      expect(requests[1]).toMatchObject({ credential: "none", range: "bytes=0-" });
      expect(`${url.host}`).not.toBe(client.host);
    },
  );

  test("N4: asks no token service at another port of this machine", async () => {
    const { client, target } = speakOf("realm-elsewhere");
    const failure = await rejection(client.request({ method: "GET", target }));
    expect(failure.message).toEndWith("but it is a token service at a loopback address");
    const { requests } = registry;
    expect(requests.some(({ host, kind }) => host === "strangerPort" && kind === "token")).toBe(
      false,
    );
  });

  test("gets one new token when the registry ends one early", async () => {
    const { client, target } = speakOf("token-ends-early");
    for (let time = 0; time < 3; time++) {
      const response = await client.request({ method: "GET", target });
      await response.discard();
      expect(response.status).toBe(200);
    }
    expect(registry.requestsFor("token-ends-early", "blob-read").length).toBe(4);
  });

  test("says what a wrong password means", async () => {
    const wrong = { kind: "basic", username: "user", password: "wrong" } as const;
    const bearer = speakOf("redirect-port", wrong);
    expect(
      await rejection(bearer.client.request({ method: "GET", target: bearer.target })),
    ).toMatchObject({
      code: "unauthorized",
      message:
        "unable to retrieve auth token: invalid username/password: unauthorized: unauthorized",
    });
    const basic = speakOf("redirect-port-basic", wrong);
    const response = await basic.client.request({ method: "GET", target: basic.target });
    expect((await basic.client.failure(response)).failure.code).toBe("unauthorized");
  });

  test("does not wait for a port that is silent to TLS", async () => {
    const start = performance.now();
    const { client, target } = speakOf("silent-tls");
    await (await client.request({ method: "GET", target })).discard();
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test("O2: tells no secret to the log", async () => {
    for (const fault of ["redirect-port", "redirect-port-basic", "token-ends-early"] as const) {
      const { client, target, lines } = speakOf(fault);
      await (await client.request({ method: "GET", target: `${target}?sig=secret` })).discard();
      seen.push(...lines);
    }
    expect(seen.length).toBeGreaterThan(8);
    expect(seen.join("\n")).not.toContain("secret");
    expect(seen).toContain(`debug GET http://${registry.hosts.bearer}/v2/`);
  });
});

describe("RegistryClient", () => {
  /** Starts a registry that answers by hand, and speaks to it. */
  async function withRegistry<T>(
    handler: RawHandler,
    work: (spoken: Spoken & { readonly host: string }) => Promise<T>,
    wish: Parameters<typeof speak>[1] = {},
  ): Promise<T> {
    await using server = await startRawServer({ handler });
    const host = `127.0.0.1:${server.port}`;
    const spoken = speak(host, wish);
    await using _ = spoken.client;
    return await work({ ...spoken, host });
  }

  const open: RawHandler = async () => ({ status: 200, body: "{}" });

  test("says on every request who it is and what it speaks", async () => {
    const headers: Record<string, unknown>[] = [];
    await withRegistry(
      async (request) => {
        headers.push(Object.fromEntries(request.headers));
        return { status: 200, body: await request.body() };
      },
      async ({ client }) => {
        const bytes = Buffer.from("abc");
        async function* content() {
          yield bytes;
        }
        const response = await client.request({
          method: "PUT",
          target: "/v2/some/image/manifests/t",
          body: { open: content, size: 3, mediaType: "text/plain" },
          headers: { "X-More": "1" },
        });
        expect(Buffer.from(await collect(response.body, 10)).toString()).toBe("abc");
      },
    );
    expect(headers).toEqual([
      expect.objectContaining({
        "docker-distribution-api-version": "registry/2.0",
        "user-agent": "test/1",
      }),
      expect.objectContaining({
        "docker-distribution-api-version": "registry/2.0",
        "user-agent": "test/1",
        "content-type": "text/plain",
        "content-length": "3",
        "x-more": "1",
      }),
    ]);
  });

  test("pings once, also for requests that come together", async () => {
    const targets: string[] = [];
    await withRegistry(
      async ({ target }) => {
        targets.push(target);
        return { status: 200 };
      },
      async ({ client }) => {
        await Promise.all(
          ["/v2/a", "/v2/b", "/v2/c"].map(async (target) =>
            (await client.request({ method: "GET", target })).discard(),
          ),
        );
      },
    );
    expect(targets.toSorted()).toEqual(["/v2/", "/v2/a", "/v2/b", "/v2/c"]);
  });

  test("says in the original's words that there is no registry", async () => {
    const insecure = {
      insecure: false,
      tls: { verify: true, authorities: [] },
      credentials: anonymous,
    };
    const { client, pauses } = speak("127.0.0.1:1", { connection: insecure });
    const words =
      'pinging container registry 127.0.0.1:1: Get "https://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused';
    for (let time = 0; time < 2; time++) {
      expect(await rejection(client.request({ method: "GET", target: "/v2/a" }))).toMatchObject({
        code: "unavailable",
        message: words,
      });
    }
    // The second request knows already.
    expect(pauses.length).toBe(3);
  });

  test.each([
    [404, "nothing here", 'StatusCode: 404, "nothing here"'],
    [503, "", "received unexpected HTTP status: 503 Service Unavailable"],
  ])(
    "says what is wrong with a registry that answers %d to a ping",
    async (status, body, words) => {
      await withRegistry(
        async () => ({ status, body }),
        async ({ client, host }) => {
          const failure = await rejection(client.request({ method: "GET", target: "/v2/a" }));
          expect(failure.message).toBe(`pinging container registry ${host}: ${words}`);
        },
      );
    },
  );

  test("N7: does not speak plain http where that is not allowed", async () => {
    const targets: string[] = [];
    const connection = {
      insecure: false,
      tls: { verify: true, authorities: [] },
      credentials: anonymous,
    };
    await withRegistry(
      async ({ target }) => {
        targets.push(target);
        return { status: 200 };
      },
      async ({ client }) => {
        await rejection(client.request({ method: "GET", target: "/v2/a" }));
      },
      { connection },
    );
    expect(targets).toEqual([]);
  });

  test("tells a warning once", async () => {
    await withRegistry(
      async ({ target }) => ({
        status: 200,
        headers: { Warning: `299 - "old\u009b", 299 - "${target}"` },
      }),
      async ({ client, lines, host }) => {
        for (const target of ["/v2/a", "/v2/a"]) {
          await (await client.request({ method: "GET", target })).discard();
        }
        const at = (path: string) =>
          `warn Warning from registry (first encountered at "http://${host}${path}"): `;
        expect(lines.filter((line) => line.startsWith("warn"))).toEqual([
          expect.stringContaining(at("/v2/")),
          `${at("/v2/")}"/v2/"`,
          `${at("/v2/a")}"/v2/a"`,
        ]);
      },
    );
  });

  test("N1: shows nothing to an address that the registry names elsewhere", async () => {
    const shown: Record<string, unknown>[] = [];
    await using other = await startRawServer({
      handler: async ({ headers }) => {
        shown.push(Object.fromEntries(headers));
        return { status: 202 };
      },
    });
    await withRegistry(
      async ({ headers }) =>
        headers.has("authorization")
          ? { status: 200 }
          : { status: 401, headers: { "WWW-Authenticate": "Basic" } },
      async ({ client }) => {
        const target = new URL(`http://u:p@127.0.0.1:${other.port}/upload`);
        const headers = { "X-Secret": "secret", Cookie: "secret", Range: "bytes=1-" };
        await (await client.request({ method: "PATCH", target, headers })).discard();
      },
      { credentials: user },
    );
    expect(shown).toEqual([expect.objectContaining({ range: "bytes=1-", "user-agent": "test/1" })]);
    expect(shown[0]).not.toHaveProperty("authorization");
    expect(JSON.stringify(shown)).not.toContain("secret");
  });

  test("N1: shows nothing where only somebody else asked for it", async () => {
    const shown: (string | null)[] = [];
    await using other = await startRawServer({
      handler: async () => ({ status: 401, headers: { "WWW-Authenticate": "Basic" } }),
    });
    await withRegistry(
      async ({ target, headers }) => {
        shown.push(headers.get("authorization"));
        const elsewhere = { Location: `http://127.0.0.1:${other.port}/v2/` };
        return target === "/v2/" ? { status: 307, headers: elsewhere } : { status: 200 };
      },
      async ({ client }) => {
        await (await client.request({ method: "GET", target: "/v2/x" })).discard();
      },
      { credentials: user },
    );
    expect(shown).toEqual([null, null]);
  });

  test.each([
    ["N5", "http://169.254.169.254/latest"],
    ["N4", "file:///etc/passwd"],
  ])("%s: is not led by a Location to %s", async (_, target) => {
    await withRegistry(open, async ({ client }) => {
      const failure = await rejection(client.request({ method: "GET", target: new URL(target) }));
      expect(failure.code).toBe("refused");
    });
  });

  test("takes a path for a path", async () => {
    const targets: string[] = [];
    await withRegistry(
      async ({ target }) => {
        targets.push(target);
        return { status: 200 };
      },
      async ({ client }) => {
        await (await client.request({ method: "GET", target: "//127.0.0.2/x" })).discard();
        expect((await rejection(client.request({ method: "GET", target: "v2/" }))).code).toBe(
          "bug",
        );
      },
    );
    expect(targets.length).toBe(2);
  });

  test("asks once more with the scope that a token lacked", async () => {
    const questions: string[] = [];
    await withRegistry(
      async ({ target, headers }) => {
        const url = new URL(target, "http://r");
        const realm = `Bearer realm="http://${headers.get("host")}/token",service="s"`;
        if (url.pathname === "/token") {
          const scopes = url.searchParams.getAll("scope");
          questions.push(scopes.join(" "));
          return { status: 200, body: JSON.stringify({ token: `t${scopes.length}` }) };
        }
        if (headers.get("authorization") === "Bearer t2") return { status: 200 };
        const lacking = `${realm},error="insufficient_scope",scope="registry:catalog:*"`;
        const challenge = headers.has("authorization") ? lacking : realm;
        return { status: 401, headers: { "WWW-Authenticate": challenge } };
      },
      async ({ client }) => {
        const response = await client.request({ method: "GET", target: "/v2/_catalog" });
        await response.discard();
        expect(response.status).toBe(200);
      },
    );
    expect(questions).toEqual([
      "repository:some/image:pull",
      "repository:some/image:pull registry:catalog:*",
    ]);
  });

  test("gives up after one new token", async () => {
    const seen = { token: 0, blob: 0 };
    await withRegistry(
      async ({ target, headers }) => {
        if (target.startsWith("/token")) {
          return { status: 200, body: JSON.stringify({ token: `t${++seen.token}` }) };
        }
        if (target !== "/v2/") seen.blob++;
        const realm = `http://${headers.get("host")}/token`;
        return { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${realm}"` } };
      },
      async ({ client }) => {
        const response = await client.request({ method: "GET", target: "/v2/x" });
        expect((await client.failure(response)).failure.code).toBe("unauthorized");
      },
    );
    expect(seen).toEqual({ token: 2, blob: 2 });
  });

  test("row 22: gets through where a token is good for one request, and requests share it", async () => {
    const used = new Set<string>();
    let tokens = 0;
    await withRegistry(
      async ({ target, headers }) => {
        if (target.startsWith("/token")) {
          return { status: 200, body: JSON.stringify({ token: `t${++tokens}` }) };
        }
        const shown = headers.get("authorization") ?? "";
        if (shown !== "" && !used.has(shown)) {
          used.add(shown);
          return { status: 200 };
        }
        const realm = `http://${headers.get("host")}/token`;
        return { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${realm}"` } };
      },
      async ({ client }) => {
        const statuses = await Promise.all(
          Array.from({ length: 6 }, async (_, index) => {
            const response = await client.request({ method: "GET", target: `/v2/${index}` });
            await response.discard();
            return response.status;
          }),
        );
        expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
      },
    );
  });

  test("N3: a host that it was led to gets no token when it asks for one", async () => {
    const shown: (string | null)[] = [];
    await using other = await startRawServer({
      handler: async ({ headers }) => {
        shown.push(headers.get("authorization"));
        const challenge = `Bearer realm="http://${headers.get("host")}/token"`;
        return { status: 401, headers: { "WWW-Authenticate": challenge } };
      },
    });
    await withRegistry(
      async ({ target, headers }) => {
        if (target.startsWith("/token")) return { status: 200, body: '{"token":"mine"}' };
        if (headers.has("authorization")) {
          return { status: 307, headers: { Location: `http://127.0.0.1:${other.port}/blob` } };
        }
        const realm = `http://${headers.get("host")}/token`;
        return { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${realm}"` } };
      },
      async ({ client }) => {
        const response = await client.request({ method: "GET", target: "/v2/x" });
        await response.discard();
        expect(response.status).toBe(401);
      },
    );
    expect(shown).toEqual([null]);
  });

  test("N4: a token service that leads elsewhere gets no password there", async () => {
    const shown: string[] = [];
    await using other = await startRawServer({
      handler: async ({ target, headers }) => {
        shown.push(`${target} ${headers.get("authorization")}`);
        return { status: 200, body: '{"token":"theirs"}' };
      },
    });
    const registry: RawHandler = async ({ target, headers }) => {
      if (target.startsWith("/token")) {
        return { status: 307, headers: { Location: `http://127.0.0.1:${other.port}/t` } };
      }
      if (headers.get("authorization") === "Bearer theirs") return { status: 200 };
      const realm = `http://${headers.get("host")}/token`;
      return { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${realm}"` } };
    };
    await withRegistry(
      registry,
      async ({ client, host }) => {
        const failure = await rejection(client.request({ method: "GET", target: "/v2/x" }));
        expect(failure.message).toBe(`The token service ${host} leads elsewhere with a password`);
      },
      { credentials: user },
    );
    expect(shown).toEqual([]);
    // Who is unknown has nothing to lose.
    await withRegistry(registry, async ({ client }) => {
      const response = await client.request({ method: "GET", target: "/v2/x" });
      await response.discard();
      expect(response.status).toBe(200);
    });
    expect(shown).toEqual(["/t null"]);
  });

  test("N4: says which host receives the credentials", async () => {
    await withRegistry(
      async ({ target, headers }) => {
        if (target.startsWith("/token")) return { status: 200, body: '{"token":"t"}' };
        if (headers.has("authorization")) return { status: 200 };
        const realm = `http://${headers.get("host")}/token`;
        return { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${realm}"` } };
      },
      async ({ client, lines, host }) => {
        await (await client.request({ method: "GET", target: "/v2/x" })).discard();
        expect(lines).toContain(
          `debug The credentials for ${host} go to the token service at ${host}`,
        );
      },
      { credentials: user },
    );
  });

  testWith("openssl")(
    "N8: an insecure registry does not make its token service insecure",
    async () => {
      const { cert, key } = serverCertificate();
      const asked: string[] = [];
      const service = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        tls: { cert, key },
        fetch: ({ url }) => {
          asked.push(url);
          return Response.json({ token: "t" });
        },
      });
      await withRegistry(
        async () => ({
          status: 401,
          headers: { "WWW-Authenticate": `Bearer realm="https://localhost:${service.port}/token"` },
        }),
        async ({ client }) => {
          const failure = await rejection(client.request({ method: "GET", target: "/v2/x" }));
          expect(failure.message).toContain("x509: certificate signed by unknown authority");
        },
        { credentials: user },
      );
      expect(asked).toEqual([]);
      await service.stop(true);
    },
  );

  test("ends with its signal, in the middle of a pause too", async () => {
    const stop = new AbortController();
    await withRegistry(
      async ({ target }) => {
        if (target === "/v2/") return { status: 200 };
        setTimeout(() => stop.abort(new Failure("canceled", "enough")), 10);
        return { status: 503 };
      },
      async ({ client }) => {
        const failure = await rejection(client.request({ method: "GET", target: "/v2/x" }));
        expect(failure).toMatchObject({ code: "canceled", message: "enough" });
      },
      { signal: stop.signal, patience: undefined },
    );
  });

  test("speaks to docker.io where that listens", async () => {
    const { client, lines } = speak("docker.io", {
      signal: AbortSignal.abort(new Failure("canceled", "no")),
    });
    const failure = await rejection(client.request({ method: "GET", target: "/v2/x" }));
    expect(failure.message).toBe("pinging container registry registry-1.docker.io: no");
    expect(lines[0]).toBe("debug GET https://registry-1.docker.io/v2/");
  });
});
