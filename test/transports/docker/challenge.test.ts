import { describe, expect, test } from "bun:test";
import { challengeFor, challengesOf } from "../../../transports/docker/challenge.ts";

const read = (line: string) =>
  challengesOf(new Headers({ "WWW-Authenticate": line })).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);

describe("challengesOf", () => {
  test.each([
    [
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
      [
        [
          "bearer",
          {
            realm: "https://auth.example/token",
            service: "registry.example",
            scope: "repository:a/b:pull,push",
          },
        ],
      ],
    ],
    ['BASIC Realm="a \\"b\\" \\\\c"', [["basic", { realm: 'a "b" \\c' }]]],
    ["Basic realm=plain", [["basic", { realm: "plain" }]]],
    ["Basic", [["basic", {}]]],
    [
      'Bearer realm="a", Basic realm="b"',
      [
        ["bearer", { realm: "a" }],
        ["basic", { realm: "b" }],
      ],
    ],
    [
      'Negotiate, Bearer realm = "a" , service= b,Basic realm="c"',
      [
        ["negotiate", {}],
        ["bearer", { realm: "a", service: "b" }],
        ["basic", { realm: "c" }],
      ],
    ],
    [
      'Negotiate YWJj==, Basic realm="c"',
      [
        ["negotiate", {}],
        ["basic", { realm: "c" }],
      ],
    ],
    ['Basic realm="open', [["basic", {}]]],
    ['Basic a="1", b="open, Bearer realm="x"', [["basic", { a: "1", b: "open, Bearer realm=" }]]],
    ['Basic a="1" b="2"', [["basic", { a: "1" }]]],
    ['"Basic" realm="a"', []],
    ["", []],
    [", ,", []],
  ])("reads %s", (line, expected) => {
    expect(read(line)).toEqual(expected);
  });

  test("reads several headers as one after the other", () => {
    const headers = new Headers();
    headers.append("WWW-Authenticate", 'Bearer realm="a"');
    headers.append("WWW-Authenticate", "Basic");
    expect(challengesOf(headers).map(({ scheme }) => scheme)).toEqual(["bearer", "basic"]);
    expect(challengeFor(challengesOf(headers), "basic")?.scheme).toBe("basic");
  });

  test.each([
    ",".repeat(1e6),
    'a="'.repeat(3e5),
    "a=b,".repeat(2e5),
    `Basic a="${"\\\\".repeat(5e5)}`,
  ])("P6: reads a hostile megabyte in no time", (line) => {
    const start = performance.now();
    read(line);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
