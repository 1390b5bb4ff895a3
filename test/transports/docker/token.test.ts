import { describe, expect, test } from "bun:test";
import {
  parseToken,
  readToken,
  RefusedCredentials,
  tokenForm,
  tokenUrl,
} from "../../../transports/docker/token.ts";
import { httpResponse } from "../../support/http-response.ts";
import { rejection } from "../../support/rejection.ts";

const url = new URL("https://auth.example/token");
const parse = (value: unknown, headers: Record<string, string> = {}) =>
  parseToken(
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
    new URL("https://auth.example/token?account=a"),
    new Headers(headers),
  );

describe("tokenUrl", () => {
  test.each([
    [{}, "?account=user&scope=repository%3Aa%2Fb%3Apull%2Cpush&service=registry.example"],
    [{ username: "" }, "?scope=repository%3Aa%2Fb%3Apull%2Cpush&service=registry.example"],
    [{ username: undefined, service: undefined }, "?scope=repository%3Aa%2Fb%3Apull%2Cpush"],
    [{ username: undefined, service: undefined, scopes: ["x", "a"] }, "?scope=x&scope=a"],
    [
      { realm: new URL("https://auth.example/token?z=1&a=b%20c"), username: undefined },
      "?a=b+c&scope=repository%3Aa%2Fb%3Apull%2Cpush&service=registry.example&z=1",
    ],
  ])("asks, with %p, for %s", (changed, query) => {
    const question = {
      realm: url,
      service: "registry.example",
      scopes: ["repository:a/b:pull,push"],
      username: "user",
    };
    expect(tokenUrl({ ...question, ...changed }).search).toBe(query);
  });
});

describe("tokenForm", () => {
  test("N4: asks by a form, so that the identity token stands in no address", () => {
    const { url: address, form } = tokenForm({
      realm: new URL("https://auth.example/token?a=b%20c"),
      service: "registry.example",
      scopes: ["repository:a/b:pull", "repository:c:pull"],
      identity: "se&cret",
    });
    expect(address.href).toBe("https://auth.example/token");
    expect([...new URLSearchParams(form)]).toEqual([
      ["a", "b c"],
      ["service", "registry.example"],
      ["scope", "repository:a/b:pull"],
      ["scope", "repository:c:pull"],
      ["grant_type", "refresh_token"],
      ["refresh_token", "se&cret"],
      ["client_id", "containers/image"],
    ]);
  });
});

describe("parseToken", () => {
  test.each([
    [{ token: "a" }, "a", 60_000],
    [{ access_token: "b" }, "b", 60_000],
    [{ token: "a", access_token: "b", expires_in: 300 }, "a", 300_000],
    [{ token: "", access_token: "b" }, "b", 60_000],
    [{ token: "a", expires_in: 10 }, "a", 60_000],
    [{ token: "a", expires_in: "300" }, "a", 60_000],
    [{ token: "a", expires_in: -1 }, "a", 60_000],
    [{ token: "a", expires_in: null, issued_at: 7 }, "a", 60_000],
    [{ token: "a", refresh_token: "" }, "a", 60_000],
  ])("reads %p", (value, token, lifetimeMs) => {
    expect(parse(value)).toEqual({ value: token, lifetimeMs });
  });

  test("reads what the service wants to see next time", () => {
    expect(parse({ access_token: "a", refresh_token: "next" }).identity).toBe("next");
  });

  const date = { Date: "Wed, 21 Oct 2015 07:28:00 GMT" };
  test.each([
    ["issued a minute before", "2015-10-21T07:27:00Z", 240_000],
    ["issued two days later by a clock that is wrong", "2015-10-23T07:28:00Z", 300_000],
    ["issued years ago", "2005-10-21T07:28:00Z", expect.any(Number)],
    ["issued at no time at all", "soon", 300_000],
  ])("N4: a token %s lives no longer than it may", (_, issued_at, lifetimeMs) => {
    const token = parse({ token: "a", expires_in: 300, issued_at }, date);
    expect(token.lifetimeMs).toEqual(lifetimeMs);
    expect(token.lifetimeMs).toBeLessThanOrEqual(300_000);
  });

  test.each([
    [{}],
    [{ token: 7 }],
    [{ token: "a\r\nX: y" }],
    [{ token: "a b" }],
    [{ token: "é" }],
    [[1]],
  ])("refuses %p, which holds no token that can be shown", (value) => {
    expect(() => parse(value)).toThrow(
      "The token service auth.example answered without a usable token",
    );
  });

  test.each(["", "<html>", "null", '"text"', '{"token":"secret'])(
    "O2: refuses %p without quoting a token",
    (text) => {
      expect(() => parse(text)).toThrow(
        /^decoding bearer token \(last URL "https:\/\/auth\.example\/token\?account=\*\*\*", body start "(?!.*secret).*"\): no JSON object$/,
      );
    },
  );
});

describe("readToken", () => {
  test("reads a token", async () => {
    expect((await readToken(httpResponse(200, {}, '{"token":"a"}'), { known: true })).value).toBe(
      "a",
    );
  });

  test.each([
    [
      401,
      "unauthorized",
      "unable to retrieve auth token: invalid username/password: authentication required",
    ],
    [429, "unavailable", "too many requests to registry"],
    [
      500,
      "unavailable",
      "Requesting bearer token: received unexpected HTTP status: 500 Internal Server Error",
    ],
    [404, "refused", "Requesting bearer token: received unexpected HTTP status: 404"],
  ])("words status %d", async (status, code, message) => {
    expect(await rejection(readToken(httpResponse(status), { known: true }))).toMatchObject({
      code,
      message,
    });
  });

  test("knows a refusal of the credentials from all others", async () => {
    expect(await rejection(readToken(httpResponse(401), { known: true }))).toBeInstanceOf(
      RefusedCredentials,
    );
    expect(await rejection(readToken(httpResponse(403), { known: true }))).not.toBeInstanceOf(
      RefusedCredentials,
    );
  });

  test("says what it was after", async () => {
    const failure = await rejection(
      readToken(httpResponse(500), { known: true }, "Trying to obtain access token"),
    );
    expect(failure.message).toStartWith("Trying to obtain access token: received unexpected");
  });

  test("P1: reads no more than a mebibyte", async () => {
    const failure = await rejection(
      readToken(httpResponse(200, {}, "x".repeat(1_048_577)), { known: true }),
    );
    expect(failure.message).toBe("exceeded maximum allowed size of 1048576 bytes");
  });
});
