import { describe, expect, test } from "bun:test";
import { Failure } from "../../../core/failure.ts";
import { type Credentials, IdentityToken } from "../../../core/image/registry-access.ts";
import { verifyLogin } from "../../../transports/docker/login.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { rejection } from "../../support/rejection.ts";
import { startRegistry } from "../../support/registry-server.ts";

const right: Credentials = { kind: "basic", username: "u", password: "p" };
const wrong: Credentials = { kind: "basic", username: "u", password: "PLANTED-SECRET" };

describe("verifyLogin", () => {
  test.each(["basic", "bearer"] as const)("knows right from wrong: %s", async (kind) => {
    await using registry = startRegistry({ auth: { kind, username: "u", password: "p" } });
    const verify = (credentials: Credentials) =>
      verifyLogin(registry.host, dockerContext({ credentials }));
    expect(await verify(right)).toBe(true);
    expect(await verify(wrong)).toBe(false);
  });

  test("wants nothing of any repository", async () => {
    await using registry = startRegistry({
      auth: { kind: "bearer", username: "u", password: "p" },
    });
    await verifyLogin(registry.host, dockerContext({ credentials: right }));
    expect(registry.lines).toEqual([
      "GET /v2/",
      "GET /token?account=u&service=registry",
      "GET /v2/",
    ]);
  });

  test("takes every name for right where nobody is asked for one", async () => {
    await using registry = startRegistry();
    expect(await verifyLogin(registry.host, dockerContext({ credentials: wrong }))).toBe(true);
  });

  test("says that it did not get as far as the registry", async () => {
    const context = dockerContext();
    const { docker } = context.settings;
    const access = {
      ...docker.access,
      connectionTo: () => Promise.reject(new Failure("config", "x")),
    };
    const settings = { ...context.settings, docker: { ...docker, access } };
    const failure = await rejection(verifyLogin("r.example", { ...context, settings }));
    expect(failure.message).toBe("creating new docker client: x");
  });

  test("fails where the registry says neither yes nor no", async () => {
    let pings = 0;
    await using registry = startRegistry({
      intercept: (_, usual) =>
        ++pings === 1 ? usual() : new Response(null, { status: 403, statusText: "Forbidden" }),
    });
    const failure = await rejection(
      verifyLogin(registry.host, dockerContext({ credentials: wrong })),
    );
    expect(failure.message).toContain("403");
  });
});

describe("a registry whose token service knows identity tokens", () => {
  /** Every token is good for one use only, as the strictest of services have it. */
  function startService(tokens: string[]) {
    const forms: string[] = [];
    return {
      forms,
      registry: startRegistry({
        auth: { kind: "bearer" },
        intercept: async ({ method, target, request }, usual) => {
          if (method !== "POST" || target !== "/token") return usual();
          const form = await request.text();
          forms.push(form);
          if (new URLSearchParams(form).get("refresh_token") !== tokens[0]) {
            return new Response("who?", { status: 401 });
          }
          tokens.shift();
          const answer = await (await fetch(new URL("/token", request.url))).text();
          const { token }: { token: string } = JSON.parse(answer);
          return Response.json({ access_token: token, refresh_token: tokens[0], expires_in: 300 });
        },
      }),
    };
  }

  test("is asked by a form, and what it wants to see next is kept for the rest of the run", async () => {
    const { registry: server, forms } = startService(["one", "two", "three"]);
    await using registry = server;
    const token = new IdentityToken("one");
    const credentials: Credentials = { kind: "identity", token, username: "", password: "" };
    const lines: string[] = [];
    const context = dockerContext({ credentials, log: (line) => lines.push(line) });
    expect(await verifyLogin(registry.host, context)).toBe(true);
    expect(token.value).toBe("two");
    expect(await verifyLogin(registry.host, context)).toBe(true);
    expect(token.value).toBe("three");
    expect(forms.map((form) => new URLSearchParams(form).get("refresh_token"))).toEqual([
      "one",
      "two",
    ]);
    expect(registry.lines.filter((line) => line.includes("account"))).toEqual([]);
    expect(lines.join("\n")).not.toMatch(/one|two|three/);
  });

  test("N4: is not followed anywhere with such a token", async () => {
    await using other = startRegistry();
    await using registry = startRegistry({
      auth: { kind: "bearer" },
      intercept: ({ method }, usual) =>
        method === "POST" ? Response.redirect(`${other.origin}/token`, 307) : usual(),
    });
    const token = new IdentityToken("PLANTED-SECRET");
    const credentials: Credentials = { kind: "identity", token, username: "", password: "" };
    const failure = await rejection(verifyLogin(registry.host, dockerContext({ credentials })));
    expect(failure.message).toStartWith(
      "Trying to obtain access token: received unexpected HTTP status: 307",
    );
    expect(other.lines).toEqual([]);
  });
});
