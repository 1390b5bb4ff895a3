import { describe, expect, test } from "bun:test";
import {
  checkedKey,
  keyOfRepository,
  normalHost,
  parseAuthKey,
  widerKeys,
} from "../../../core/config/auth-key.ts";
import { failureOf } from "../../support/failure-of.ts";

describe("parseAuthKey", () => {
  test.each([
    ["quay.io", "quay.io", "quay.io"],
    ["localhost:5000", "localhost:5000", "localhost:5000"],
    ["localhost:5000/team/app", "localhost:5000/team/app", "localhost:5000"],
    ["docker.io", "docker.io", "docker.io"],
    ["docker.io/x", "docker.io/x", "docker.io"],
    ["https://quay.io", "quay.io", "quay.io"],
    ["https://quay.io:443/v2/team", "quay.io:443", "quay.io:443"],
    ["http://user:pass@quay.io/v2/", "quay.io", "quay.io"],
    ["[::1]:5000", "[::1]:5000", "[::1]:5000"],
  ])("reads %s", (given, text, host) => {
    expect(parseAuthKey(given)).toEqual({ text, host });
  });

  test.each([
    [
      "quay.io/Team",
      'parse reference from "quay.io/Team": invalid reference format: repository name must be lowercase',
    ],
    ["quay.io/", 'parse reference from "quay.io/": invalid reference format'],
    ["quay.io/a:tag", 'reference "quay.io/a:tag" contains tag or digest'],
    ["HTTP://x", 'parse reference from "HTTP://x": invalid reference format'],
    ["team/app", 'key "team/app" begins with no registry'],
    ["https://a b/", 'trimming http{s} prefix: parse "https://a b/": invalid host name'],
    ["a@b", "key a@b contains a '@' character"],
  ])("refuses %s", (text, message) => {
    expect(failureOf(() => checkedKey(parseAuthKey(text).text))).toMatchObject({
      code: "usage",
      message,
    });
  });
});

describe("checkedKey", () => {
  test.each([
    ["https://a", "key https://a contains http[s]:// prefix"],
    ["a/b:c", "key a/b:c contains a ':' character after host[:port]"],
    ["a/b@c", "key a/b@c contains a '@' character"],
  ])("refuses %s", (text, message) => {
    expect(failureOf(() => checkedKey(text))).toMatchObject({ message });
  });
});

test("widerKeys lists a repository, what it is in, and its registry", () => {
  expect(widerKeys(keyOfRepository("r.example:5000", "a/b/c"))).toEqual([
    "r.example:5000/a/b/c",
    "r.example:5000/a/b",
    "r.example:5000/a",
    "r.example:5000",
  ]);
  expect(widerKeys(keyOfRepository("r.example", ""))).toEqual(["r.example"]);
});

describe("normalHost", () => {
  test.each([
    ["https://index.docker.io/v1/", false, "index.docker.io"],
    ["docker.io", false, "index.docker.io"],
    ["registry-1.docker.io", false, "index.docker.io"],
    ["http://r.example:80/v2/", false, "r.example:80"],
    ["r.example/v1/", false, "r.example/v1/"],
    ["r.example/v1/", true, "r.example"],
  ])("takes %s (of old: %p) for %s", (key, legacy, host) => {
    expect(normalHost(key, legacy)).toBe(host);
  });
});
