import { describe, expect, test } from "bun:test";
import { Failure } from "../../../core/failure.ts";
import { isPong, pingOnce } from "../../../transports/docker/ping.ts";
import { httpResponse } from "../../support/http-response.ts";
import { rejection } from "../../support/rejection.ts";

type Answer = number | "fails" | "is silent" | { after: number; status: number };

/** Pings a registry that answers so to each scheme, and returns what came and what was asked. */
async function ping(host: string, insecure: boolean, https: Answer, http: Answer = "fails") {
  const asked: string[] = [];
  const ended: string[] = [];
  const pong = await pingOnce({
    host,
    insecure,
    send: async (root, signal) => {
      asked.push(root.href);
      signal.addEventListener("abort", () => ended.push(root.protocol));
      const answer = root.protocol === "https:" ? https : http;
      if (answer === "fails") throw new Failure("refused", `${root.protocol} fails`);
      if (answer === "is silent") {
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Failure("canceled", "ended")));
        });
      }
      if (typeof answer === "number") return httpResponse(answer);
      await Bun.sleep(answer.after);
      return httpResponse(answer.status);
    },
  });
  return { scheme: pong.root.protocol, status: pong.response.status, asked, ended };
}

describe("pingOnce", () => {
  test.each([
    ["https where that answers", false, 200, 200, "https:"],
    ["https where that asks who it is", true, 401, 200, "https:"],
    ["http where https fails and it may", true, "fails", 200, "http:"],
    ["http where https is no registry and it may", true, 404, 401, "http:"],
  ] as const)("finds %s", async (_, insecure, https, http, scheme) => {
    expect((await ping("a.example:5000", insecure, https, http)).scheme).toBe(scheme);
  });

  test("N7: never asks by http where that is not allowed", async () => {
    const seen = ping("a.example", false, 404, 200);
    expect(await seen).toMatchObject({
      scheme: "https:",
      status: 404,
      asked: ["https://a.example/"],
    });
    expect((await rejection(ping("a.example", false, "fails", 200))).message).toBe("https: fails");
  });

  test.each([
    "a.example:99999",
    "999.1.1.1",
    "xn--a.com",
    "a b",
    "user@a.example",
    "a.example?b",
    "a/b",
    "",
    "a.exa\nmple",
    "a.exa%6dple",
  ])("N1: refuses %j, which is no address", async (host) => {
    for (const insecure of [false, true]) {
      expect(await rejection(ping(host, insecure, 200, 200))).toMatchObject({
        code: "usage",
        message: `${JSON.stringify(host)} is not the address of a registry`,
      });
    }
  });

  test("fails as http did, where both fail", async () => {
    expect((await rejection(ping("a.example", true, "fails", "fails"))).message).toBe(
      "http: fails",
    );
  });

  test("does not wait for a port that is silent to TLS, and ends that question", async () => {
    const start = performance.now();
    const { scheme, ended } = await ping("a.example:5000", true, "is silent", 200);
    expect([scheme, ended]).toEqual(["http:", ["https:"]]);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test("still takes https where that is only slow, and http is none", async () => {
    const slow = { after: 400, status: 200 };
    expect(await ping("a.example:5000", true, slow, 400)).toMatchObject({ scheme: "https:" });
    expect(await ping("a.example:5000", true, slow, "fails")).toMatchObject({ scheme: "https:" });
  });

  test("waits for https to its end where http has a port of its own", async () => {
    const { scheme, asked } = await ping("a.example", true, { after: 400, status: 200 }, 200);
    expect([scheme, asked]).toEqual(["https:", ["https://a.example/"]]);
  });
});

describe("isPong", () => {
  test.each([
    [200, true],
    [401, true],
    [404, false],
    [403, false],
    [503, false],
  ])("%d: %p", (status, expected) => {
    expect(isPong({ response: httpResponse(status) })).toBe(expected);
  });
});
