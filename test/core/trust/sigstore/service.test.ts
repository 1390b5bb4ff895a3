import { describe, expect, test } from "bun:test";

import {
  ask,
  below,
  jsonOf,
  parseServiceUrl,
  unwanted,
} from "../../../../core/trust/sigstore/service.ts";
import { rejection } from "../../../support/rejection.ts";
import { withService } from "../../../support/service-access.ts";

function serve(answer: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  return { url: server.url, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("parseServiceUrl takes http and https, and nothing else", () => {
  expect(parseServiceUrl("https://example.com/x", "rekorURL").host).toBe("example.com");
  for (const text of ["", "example.com", "file:///etc/passwd", "ftp://example.com"]) {
    expect(() => parseServiceUrl(text, "rekorURL")).toThrow("rekorURL");
  }
});

test("below keeps the path of a server", () => {
  expect(below(new URL("https://example.com/log/"), "/api").href).toBe(
    "https://example.com/log/api",
  );
  expect(below(new URL("https://example.com"), "/api").href).toBe("https://example.com/api");
});

describe("ask", () => {
  test("tries again what may pass, and says who asks", async () => {
    let asked = 0;
    await using server = serve(async (request) => {
      expect(request.headers.get("user-agent")).toBe("test");
      expect(await request.text()).toBe("x");
      return ++asked < 3 ? new Response("", { status: 503 }) : new Response("done");
    });
    const body = { mediaType: "text/plain", text: "x" };
    const answer = await withService((access) =>
      ask({ method: "POST", url: server.url, body }, access),
    );
    expect(new TextDecoder().decode(answer.bytes)).toBe("done");
    expect(asked).toBe(3);
  });

  test("follows nobody to another server, with a token least of all (N1)", async () => {
    let elsewhere = 0;
    await using other = serve(() => {
      elsewhere++;
      return new Response("");
    });
    await using server = serve(() => Response.redirect(other.url.href, 307));
    const headers = { Authorization: "Bearer x" };
    const answer = await withService((access) =>
      ask({ method: "POST", url: server.url, headers }, access),
    );
    expect([answer.status, elsewhere]).toEqual([307, 0]);
  });

  test("gives up on a server that says no end of things (P1)", async () => {
    await using server = serve(() => new Response(new Uint8Array(2 * 1024 * 1024)));
    const asking = withService((access) => ask({ method: "GET", url: server.url }, access));
    expect((await rejection(asking)).message).toContain("exceeded maximum allowed size");
  });

  test("fails with unavailable where nobody listens", async () => {
    const server = serve(() => new Response(""));
    await server[Symbol.asyncDispose]();
    const asking = withService((access) => ask({ method: "GET", url: server.url }, access));
    expect(await rejection(asking)).toMatchObject({ code: "unavailable" });
  });
});

test("what nobody wanted is told in one line (O1)", () => {
  const url = new URL("https://example.com/a?secret=b");
  const answer = {
    status: 400,
    headers: new Headers(),
    bytes: new TextEncoder().encode("a\nb\u001b[1m"),
  };
  const { code, message } = unwanted(answer, url);
  expect(code).toBe("refused");
  expect(message).toBe(
    "unexpected HTTP status 400 from https://example.com/a?secret=***: a\\nb\\x1b[1m",
  );
  expect(unwanted({ ...answer, status: 503 }, url).code).toBe("unavailable");
  expect(() => jsonOf(answer, url)).toThrow("example.com answered something else than JSON");
});
