// Registry look-up: which prefix is about a name, and what becomes of the name.

import { describe, expect, test } from "bun:test";

import { parseRegistriesFile } from "../../../core/config/registries-file.ts";
import { checkNotBlocked, entryFor, placesOf } from "../../../core/config/registry-lookup.ts";
import { fullName, parseDockerName, withDefaultTag } from "../../../core/content/docker-name.ts";
import { failureOf } from "../../support/failure-of.ts";

const digest = `sha256:${"a".repeat(64)}`;
const confOf = (text: string) => ({
  registries: parseRegistriesFile(Buffer.from(text)).registries,
  files: ["/one", "/two"],
});

describe("entryFor", () => {
  const prefixes = [
    "example.com",
    "example.com/a",
    "example.com/a/b",
    "example.com:5000",
    "docker.io/library/busybox",
    "*.example.com",
    "*.b.example.com",
    "[::1]:5000",
  ];
  const conf = confOf(
    prefixes
      .map((prefix) => `[[registry]]\nprefix = "${prefix}"\nlocation = "l.example"`)
      .join("\n"),
  );

  test.each([
    ["example.com/x", "example.com"],
    ["example.com/a", "example.com/a"],
    ["example.com/ab", "example.com"],
    ["example.com/a/x", "example.com/a"],
    ["example.com/a/b/c", "example.com/a/b"],
    ["example.com:5000/a", "example.com:5000"],
    ["example.com:50001/a", "example.com"],
    ["example.com", "example.com"],
    ["example.comx/a", undefined],
    ["example.com.evil.test/a", undefined],
    ["a.example.com/x", "*.example.com"],
    ["a.example.com:99/x", "*.example.com"],
    ["a.b.example.com/x", "*.b.example.com"],
    ["b.example.com/x", "*.example.com"],
    ["aexample.com/x", undefined],
    ["a.example.com.evil.test/x", undefined],
    ["evil.test/a.example.com/x", undefined],
    ["docker.io/library/busybox", "docker.io/library/busybox"],
    ["docker.io/library/busyboxes", undefined],
    ["[::1]:5000/a", "[::1]:5000"],
  ])("finds for %s the prefix %p", (name, prefix) => {
    expect(entryFor(conf, name)?.prefix).toBe(prefix as string);
  });
});

describe("checkNotBlocked", () => {
  test("names the files that may say so", () => {
    const conf = confOf('[[registry]]\nlocation = "a.example"\nblocked = true');
    const check = (name: string) => checkNotBlocked(entryFor(conf, name), conf.files);
    check("b.example/x");
    expect(failureOf(() => check("a.example/x"))).toMatchObject({
      code: "refused",
      message: 'registry a.example is blocked in one of ["/one" "/two"]',
    });
  });
});

describe("placesOf", () => {
  const places = (conf: string, name: string) =>
    placesOf(confOf(conf), withDefaultTag(parseDockerName(name))).map((place) =>
      place.insecure ? `${fullName(place.name)} insecure` : fullName(place.name),
    );

  const mirrored = `
[[registry]]
prefix = "example.com/a"
location = "primary.example/z"
insecure = true
[[registry.mirror]]
location = "all.example"
[[registry.mirror]]
location = "digest.example:5000/m"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tag.example"
pull-from-mirror = "tag-only"
insecure = true
`;

  test("leaves names alone that no entry is about", () => {
    expect(places("", "busybox")).toEqual(["docker.io/library/busybox:latest"]);
    expect(places(mirrored, "example.com/b:1")).toEqual(["example.com/b:1"]);
  });

  test("tries the mirrors for tags or digests, and then the location", () => {
    expect(places(mirrored, "example.com/a/x:1")).toEqual([
      "all.example/x:1",
      "tag.example/x:1 insecure",
      "primary.example/z/x:1 insecure",
    ]);
    expect(places(mirrored, `example.com/a/x@${digest}`)).toEqual([
      `all.example/x@${digest}`,
      `digest.example:5000/m/x@${digest}`,
      `primary.example/z/x@${digest} insecure`,
    ]);
  });

  test("keeps mirrors for digests if the whole entry says so", () => {
    const conf = `
[[registry]]
location = "example.com"
mirror-by-digest-only = true
[[registry.mirror]]
location = "m.example"
`;
    expect(places(conf, "example.com/a:1")).toEqual(["example.com/a:1"]);
    expect(places(conf, `example.com/a@${digest}`)).toEqual([
      `m.example/a@${digest}`,
      `example.com/a@${digest}`,
    ]);
  });

  test("puts what a wildcard leaves behind a location, if there is one", () => {
    const wild = (location: string) => `[[registry]]\nprefix = "*.example.com"\n${location}`;
    expect(places(wild(""), "x.example.com:5000/a")).toEqual(["x.example.com:5000/a:latest"]);
    expect(places(wild('location = "l.example/z"'), "x.y.example.com/a:1")).toEqual([
      "l.example/z/a:1",
    ]);
    expect(places(wild('location = "l.example"'), "x.example.com:5000/a:1")).toEqual([
      "l.example:5000/a:1",
    ]);
  });

  test.each([
    ['location = "M.example/M"', "invalid reference format: repository name must be lowercase"],
    ['location = "short"', "repository name must be canonical"],
    ['location = "docker.io"', "repository name must be canonical"],
    ['location = "a b"', "invalid reference format"],
  ])("refuses a mirror at %s", (location, message) => {
    const conf = `[[registry]]\nlocation = "example.com"\n[[registry.mirror]]\n${location}`;
    expect(failureOf(() => places(conf, "example.com/a:1"))).toMatchObject({
      code: "config",
      message: `rewriting reference: ${message}`,
    });
  });
});
