import { describe, expect, test } from "bun:test";
import type { HttpResponse } from "../../../core/http.ts";
import { followRedirects, type Hop, redirectsOf } from "../../../transports/docker/redirect.ts";
import { httpResponse } from "../../support/http-response.ts";
import { rejection } from "../../support/rejection.ts";

const start = { url: new URL("https://a.example/v2/"), home: true };
const guide = { registry: start.url, insecure: false };

/** Follows redirects over a table of what each address answers, and returns the way that was taken. */
async function travel(
  answers: Readonly<Record<string, string>>,
  follows = redirectsOf("GET", false),
  status = 307,
): Promise<{ way: readonly string[]; status: number }> {
  const way: string[] = [];
  const send = async ({ url, home }: Hop): Promise<HttpResponse> => {
    way.push(`${url.href}${home ? "" : " away"}`);
    const location = answers[url.href];
    const answer =
      location === undefined ? httpResponse(200) : httpResponse(status, { Location: location });
    return { ...answer, url };
  };
  const { response } = await followRedirects({ start, guide, follows, send });
  return { way, status: response.status };
}

describe("followRedirects", () => {
  test("N1: knows when it has left home, and that it never comes back", async () => {
    const { way } = await travel({
      "https://a.example/v2/": "/x",
      "https://a.example/x": "https://a.example:443/y",
      "https://a.example/y": "https://a.example:444/z",
      "https://a.example:444/z": "https://b.example/z",
      "https://b.example/z": "https://b.example/y",
      "https://b.example/y": "https://a.example/end",
    });
    expect(way).toEqual([
      "https://a.example/v2/",
      "https://a.example/x",
      "https://a.example/y",
      "https://a.example:444/z away",
      "https://b.example/z away",
      "https://b.example/y away",
      "https://a.example/end away",
    ]);
  });

  test("N1: stops after ten redirects", async () => {
    const loop = { "https://a.example/v2/": "https://a.example/v2/" };
    const failure = await rejection(travel(loop));
    expect(failure).toMatchObject({ code: "refused", message: "stopped after 10 redirects" });
  });

  test.each([
    ["N2", "http://a.example/", "it leaves https for http"],
    ["N5", "https://127.0.0.1/", "it is a loopback address"],
    ["N4", "ftp://a.example/", "its scheme is ftp"],
  ])("%s: is not led to %s", async (_, location, why) => {
    const failure = await rejection(travel({ "https://a.example/v2/": location }));
    expect(failure.code).toBe("refused");
    expect(failure.message).toEndWith(why);
  });

  test("takes no user information from a redirect", async () => {
    const { way } = await travel({ "https://a.example/v2/": "https://u:p@b.example/" });
    expect(way.at(-1)).toBe("https://b.example/ away");
  });

  test("refuses a redirect that leads to no URL", async () => {
    const failure = await rejection(travel({ "https://a.example/v2/": "https://[" }));
    expect(failure.message).toBe("the redirect from a.example leads to no URL");
  });

  test.each([
    [301, "GET", false, 200],
    [308, "HEAD", false, 200],
    [304, "GET", false, 304],
    [300, "GET", false, 300],
    [307, "POST", false, 200],
    [303, "POST", false, 303],
    [307, "PUT", true, 307],
    [308, "PATCH", true, 308],
  ] as const)(
    "after %d to a %s (with body: %p), returns %d",
    async (status, method, hasBody, expected) => {
      const answers = { "https://a.example/v2/": "/x" };
      expect((await travel(answers, redirectsOf(method, hasBody), status)).status).toBe(expected);
    },
  );

  test("returns a redirect without an address as it is", async () => {
    const send = async () => httpResponse(307);
    const { response } = await followRedirects({
      start,
      guide,
      follows: redirectsOf("GET", false),
      send,
    });
    expect(response.status).toBe(307);
  });
});
