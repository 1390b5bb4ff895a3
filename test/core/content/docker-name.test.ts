import { describe, expect, test } from "bun:test";

import {
  familiarName,
  familiarRepository,
  fullName,
  fullRepository,
  isHost,
  isRepository,
  isTag,
  parseCanonicalDockerName,
  parseDockerName,
  policyIdentityOf,
  policyNamespacesOf,
  withDefaultTag,
} from "../../../core/content/docker-name.ts";
import { Failure } from "../../../core/failure.ts";
import { failureOf } from "../../support/failure-of.ts";

const hex = "0123456789abcdef".repeat(4);
const digest = `sha256:${hex}`;

describe("parseDockerName", () => {
  test.each([
    ["busybox", "docker.io/library/busybox"],
    ["busybox:1", "docker.io/library/busybox:1"],
    ["foo/bar", "docker.io/foo/bar"],
    ["docker.io/busybox", "docker.io/library/busybox"],
    ["index.docker.io/busybox", "docker.io/library/busybox"],
    ["localhost/x", "localhost/x"],
    ["localhost:5000/x:y", "localhost:5000/x:y"],
    ["127.0.0.1:1/a--b", "127.0.0.1:1/a--b"],
    ["127.0.0.1:5000", "docker.io/library/127.0.0.1:5000"],
    [`quay.io/a:1@${digest}`, `quay.io/a:1@${digest}`],
    [`quay.io/a/b_c/d__e/f.g/h-i@${digest}`, `quay.io/a/b_c/d__e/f.g/h-i@${digest}`],
    ["EXAMPLE.com/x:Y", "EXAMPLE.com/x:Y"],
    ["a.b/c:_x.y-z", "a.b/c:_x.y-z"],
    ["[::1]:5000/x", "[::1]:5000/x"],
    ["[2001:DB8::1]/x/y", "[2001:DB8::1]/x/y"],
  ])("reads %j as %j", (text, full) => {
    expect(fullName(parseDockerName(text))).toBe(full);
    expect(fullName(parseDockerName(full))).toBe(full);
  });

  const malformed = "invalid reference format";

  test.each([
    ["nothing", "", malformed],
    ["no repository behind the host", "example.com/", malformed],
    ["an empty tag", "x:", malformed],
    ["an empty digest", "x@", malformed],
    ["two tags", "x:a:b", malformed],
    ["two digests", `x@${digest}@${digest}`, malformed],
    ["a tag behind the digest", `x@${digest}:a`, malformed],
    ["a tag that is a path", "a.b/x:y/z", malformed],
    ["a tag of 129 characters", `x:${"a".repeat(129)}`, malformed],
    ["a tag that begins with a dot", "x:.a", malformed],
    ["three underscores", "a/b___c", malformed],
    ["a separator at the start", "localhost/-a", malformed],
    ["a separator at the end", "localhost/a-", malformed],
    ["an empty part", "localhost/a//b", malformed],
    ["the way up", "localhost/../a", malformed],
    ["a line end", "localhost/a\n", malformed],
    ["a NUL", "localhost/a\0", malformed],
    ["a host that begins with a hyphen", "-a.b/c", malformed],
    ["a host with a letter for a port", "a.b:x/c", malformed],
    ["a host that is none", "foo_bar.x/y", malformed],
    ["an address without end", "[::1/x", malformed],
    ["half a digest", "x@sha256:abc", malformed],
    ["a capital", "A", `${malformed}: repository name must be lowercase`],
    ["a capital that is not ASCII", "a/É", `${malformed}: repository name must be lowercase`],
    ["a digest in capitals", `x@sha256:${hex.toUpperCase()}`, "invalid checksum digest format"],
    ["a digest too short", `x@sha256:${hex.slice(24)}`, "invalid checksum digest length"],
    ["a digest too long", `x@${digest}a`, "invalid checksum digest length"],
    ["an algorithm nobody has", `x@md5:${hex.slice(32)}`, "unsupported digest algorithm"],
    [
      "a digest alone",
      hex,
      `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`,
    ],
  ])("refuses %s", (_, text, message) => {
    expect(failureOf(() => parseDockerName(text))).toMatchObject({ code: "usage", message });
  });

  test("takes 255 characters of host and repository, and not one more", () => {
    const longest = `a.b/${"c".repeat(251)}`;
    expect(fullName(parseDockerName(`${longest}:x`))).toBe(`${longest}:x`);
    expect(failureOf(() => parseDockerName(`${longest}c:x`))).toMatchObject({
      message: "repository name must not be more than 255 characters",
    });
  });

  test.each(["a", "a/", "a.", "a-", "-", "a__", "a:", "@", "A", "[", "é", "a.b/", "sha256:"])(
    "reads or refuses a megabyte of %j at once (P6)",
    (piece) => {
      const many = piece.repeat(2 ** 20 / piece.length);
      for (const text of [many, `localhost/${many}!`, `x@${many}`, `x:${many}`, `${many}.b/x!`]) {
        // The best of three: other work on the machine is none of ours.
        const times = [1, 2, 3].map(() => {
          const begun = performance.now();
          expect(failureOf(() => parseDockerName(text))).toBeInstanceOf(Failure);
          return performance.now() - begun;
        });
        expect(Math.min(...times)).toBeLessThan(5_000);
      }
    },
  );
});

describe("parseCanonicalDockerName", () => {
  test("takes a name spelled in full and no other", () => {
    const full = "docker.io/library/busybox:latest";
    expect(fullName(parseCanonicalDockerName(full))).toBe(full);
    for (const text of ["busybox", "docker.io/busybox", "index.docker.io/library/busybox"]) {
      expect(failureOf(() => parseCanonicalDockerName(text))).toMatchObject({
        code: "usage",
        message: "repository name must be canonical",
      });
    }
  });
});

describe("withDefaultTag", () => {
  test.each([
    ["x", "docker.io/library/x:latest"],
    ["x:1", "docker.io/library/x:1"],
    [`x@${digest}`, `docker.io/library/x@${digest}`],
  ])("makes of %j %j", (text, full) => {
    expect(fullName(withDefaultTag(parseDockerName(text)))).toBe(full);
  });
});

describe("familiarName", () => {
  test.each([
    ["docker.io/library/busybox:latest", "busybox:latest"],
    ["docker.io/foo/bar:1", "foo/bar:1"],
    ["docker.io/library/foo/bar", "library/foo/bar"],
    [`quay.io/library/a@${digest}`, `quay.io/library/a@${digest}`],
  ])("shortens %j to %j, which means the same", (full, familiar) => {
    const name = parseDockerName(full);
    expect(familiarName(name)).toBe(familiar);
    expect(parseDockerName(familiar)).toEqual(name);
    expect(familiar).toStartWith(familiarRepository(name));
    expect(full).toStartWith(fullRepository(name));
  });
});

describe("the keys of policy.json", () => {
  test.each([
    [
      "a.b.example.com:5000/x/y:1",
      [
        "a.b.example.com:5000/x/y",
        "a.b.example.com:5000/x",
        "a.b.example.com:5000",
        "*.b.example.com",
        "*.example.com",
        "*.com",
      ],
    ],
    ["busybox:1", ["docker.io/library/busybox", "docker.io/library", "docker.io", "*.io"]],
    ["localhost:5000/x:1", ["localhost:5000/x", "localhost:5000"]],
    ["127.0.0.1/x:1", ["127.0.0.1/x", "127.0.0.1", "*.0.0.1", "*.0.1", "*.1"]],
    ["[::1]:5000/x:1", ["[::1]:5000/x", "[::1]:5000"]],
  ])("of %j are its full name, then %j", (text, namespaces) => {
    const name = parseDockerName(text);
    expect(policyIdentityOf(name)).toBe(fullName(name));
    expect(policyNamespacesOf(name)).toEqual(namespaces);
  });
});

describe("isTag", () => {
  test.each(["../x", "a/b", "", "a".repeat(129), "a\n", "-a", ".a", "a:b", "é"])(
    "refuses %j (C8)",
    (text) => {
      expect(isTag(text)).toBe(false);
    },
  );

  test.each(["latest", "1.0", "_", "A-b_c.d", "a".repeat(128)])("takes %j", (text) => {
    expect(isTag(text)).toBe(true);
  });
});

describe("isRepository", () => {
  test.each(["..", "../x", "a//b", "/a", "a/", "", "A", "a\n", "a:b", "a@b"])(
    "refuses %j (C8)",
    (text) => {
      expect(isRepository(text)).toBe(false);
    },
  );

  test("takes a path", () => {
    expect(isRepository("library/a-b/c_d")).toBe(true);
  });
});

describe("isHost", () => {
  test.each(["", ":5000", "a..b", "a b", "a/b", "a_b", "a:", "[x]", "[]", "a@b", "é.com", "a-.b"])(
    "refuses %j",
    (text) => {
      expect(isHost(text)).toBe(false);
    },
  );

  test.each(["a", "A.b-c.d", "localhost:1", "10.0.0.1", "[::1]:80"])("takes %j", (text) => {
    expect(isHost(text)).toBe(true);
  });
});
