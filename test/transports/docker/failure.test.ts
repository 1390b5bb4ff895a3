import { describe, expect, test } from "bun:test";
import { Failure } from "../../../core/failure.ts";
import { readFailure } from "../../../transports/docker/failure.ts";
import { httpResponse } from "../../support/http-response.ts";

const read = (...answer: Parameters<typeof httpResponse>) =>
  readFailure(httpResponse(...answer), { known: false });
const coded = (code: string, message = "text") => JSON.stringify({ errors: [{ code, message }] });

describe("readFailure", () => {
  test.each([
    [404, coded("MANIFEST_UNKNOWN"), "not-found"],
    [404, coded("NAME_UNKNOWN"), "refused"],
    [404, coded("BLOB_UNKNOWN"), "refused"],
    [401, coded("UNAUTHORIZED"), "unauthorized"],
    [401, "nonsense", "unauthorized"],
    [403, coded("DENIED"), "unauthorized"],
    [403, "forbidden", "refused"],
    [400, coded("MANIFEST_INVALID"), "refused"],
    [408, "", "unavailable"],
    [429, coded("TOOMANYREQUESTS"), "unavailable"],
    [400, coded("TOOMANYREQUESTS"), "unavailable"],
    [500, "", "unavailable"],
    [503, "", "unavailable"],
    [501, "", "refused"],
    [304, "", "refused"],
  ])("%d %s is %s", async (status, body, code) => {
    expect((await read(status, {}, body)).failure.code).toBe(code as Failure["code"]);
  });

  // As measured with the original.
  test.each([
    [404, {}, "not here", 'StatusCode: 404, "not here"'],
    [404, {}, "", 'StatusCode: 404, ""'],
    [404, {}, "{}", 'StatusCode: 404, "{}"'],
    [
      404,
      {},
      `<html><body>${"x".repeat(100)}`,
      `StatusCode: 404, "<html><body>${"x".repeat(38)}..."`,
    ],
    [
      404,
      {},
      `é\u0001"q\\ \n${"z".repeat(60)}`,
      `StatusCode: 404, "é\\x01\\"q\\\\ \\n${"z".repeat(42)}..."`,
    ],
    [401, {}, "nope", "authentication required"],
    [500, {}, coded("UNKNOWN"), "received unexpected HTTP status: 500 Internal Server Error"],
    [503, {}, "", "received unexpected HTTP status: 503 Service Unavailable"],
    [304, {}, "", "received unexpected HTTP status: 304 Not Modified"],
    [
      401,
      { "WWW-Authenticate": 'Bearer realm="r",error="invalid_token"' },
      "x",
      "authentication required",
    ],
    [
      401,
      { "WWW-Authenticate": 'Bearer realm="r",error="invalid_token",error_description="desc"' },
      coded("UNAUTHORIZED"),
      "unauthorized: desc",
    ],
    [
      401,
      { "WWW-Authenticate": 'Bearer realm="r",error="insufficient_scope"' },
      coded("UNAUTHORIZED"),
      "requested access to the resource is denied",
    ],
  ])("words %d %p %s", async (status, headers, body, message) => {
    expect((await read(status, headers as Record<string, string>, body)).failure.message).toBe(
      message,
    );
  });

  test("puts before its words what was being done", async () => {
    const { failure } = await readFailure(httpResponse(404, {}, coded("MANIFEST_UNKNOWN")), {
      what: "reading manifest t in a/b",
      known: true,
    });
    expect(failure.message).toBe("reading manifest t in a/b: manifest unknown: text");
  });

  test("tells code, status and missing blobs", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const body = JSON.stringify({
      errors: [
        { code: "MANIFEST_INVALID", message: "x" },
        { code: "MANIFEST_BLOB_UNKNOWN", detail: { digest } },
      ],
    });
    expect(await read(400, {}, body)).toMatchObject({
      code: "MANIFEST_INVALID",
      status: 400,
      missing: [digest],
    });
    expect((await read(404, {}, "nonsense")).code).toBeUndefined();
  });

  test("O1: escapes and cuts what the registry says", async () => {
    const { failure } = await read(
      404,
      {},
      coded("NAME_UNKNOWN", `\u001b[2J\r\nok\u202e${"x".repeat(5000)}`),
    );
    expect(failure.message).toStartWith("name unknown: \\x1b[2J\\r\\nok\\u202exxx");
    expect(failure.message.length).toBeLessThan(1100);
  });

  test("names the content type and the host where a page came instead of JSON", async () => {
    const { failure } = await read(404, { "Content-Type": "text/HTML; charset=x" }, "<html>");
    expect(failure.hint).toBe(
      "the answer is text/html from registry.example: did a proxy or portal answer instead of the registry?",
    );
  });

  test("says what to do next: credentials, or patience", async () => {
    expect((await read(401)).failure.hint).toContain("--creds");
    expect((await readFailure(httpResponse(401), { known: true })).failure.hint).toContain(
      "check user name",
    );
    expect((await read(503)).failure.hint).toContain("--retry-times");
  });

  test("says how long it is asked to wait, if that is too long", async () => {
    const { failure } = await read(429, { "Retry-After": "3600" }, coded("TOOMANYREQUESTS"));
    expect(failure.message).toContain("3600 s");
    expect((await read(429, { "Retry-After": "60" }, "")).failure.message).not.toContain("60 s");
  });

  test("says what is left of the pulls that the registry allows", async () => {
    const headers = { "RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0;w=21600" };
    const { failure } = await read(429, headers, coded("TOOMANYREQUESTS"));
    expect(failure.message).toEndWith(" (it says that 0 of 100 pulls are left, counted over 6 h)");
    expect(failure.hint).toStartWith("registries allow more pulls to those they know");
    expect((await read(403, headers, "")).failure.message).not.toContain("pulls");
  });

  test("P1: reads no more than a mebibyte, and minds no broken end", async () => {
    let given = 0;
    async function* endless() {
      for (;;) {
        given += 65_536;
        yield Buffer.alloc(65_536, "x");
      }
    }
    expect((await read(404, {}, endless())).failure.message).toContain("xxx...");
    expect(given).toBeLessThanOrEqual(1_048_576 + 65_536);

    async function* broken() {
      yield Buffer.from("some");
      throw new Failure("unavailable", "unexpected EOF");
    }
    expect((await read(404, {}, broken())).failure.message).toBe('StatusCode: 404, "some"');
  });
});
