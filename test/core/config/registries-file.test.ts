// One file of registries.conf: what it may say, and what is said of one that is wrong.

import { describe, expect, test } from "bun:test";

import { parseRegistriesFile } from "../../../core/config/registries-file.ts";
import { Failure } from "../../../core/failure.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";

const parse = (text: string) => parseRegistriesFile(Buffer.from(text));

describe("parseRegistriesFile", () => {
  test("reads what stands in the manual", () => {
    const file = parse(`
unqualified-search-registries = ["registry.example:5000/", "docker.io"]
short-name-mode = "enforcing"
credential-helpers = ["containers-auth.json", "pass"]
additional-layer-store-auth-helper = "helper"

[aliases]
"fedora" = "registry.example/fedora"
"a/b" = "localhost/a/b"
"gone" = ""

[[registry]]
prefix = "example.com/foo/"
location = "internal.example:5000/bar/"
insecure = true
[[registry.mirror]]
location = "one.example"
[[registry.mirror]]
location = "two.example/x/"
insecure = true
pull-from-mirror = "tag-only"

[[registry]]
location = "other.example"
blocked = true
mirror-by-digest-only = true
[[registry.mirror]]
location = "three.example"

[[registry]]
prefix = "*.wild.example"
`);
    expect(file).toEqual({
      credentialHelpers: ["containers-auth.json", "pass"],
      unknownKeys: [],
      registries: [
        {
          prefix: "example.com/foo",
          location: "internal.example:5000/bar",
          insecure: true,
          blocked: false,
          mirrors: [
            { location: "one.example", insecure: false, serves: "all" },
            { location: "two.example/x", insecure: true, serves: "tag-only" },
          ],
        },
        {
          prefix: "other.example",
          location: "other.example",
          insecure: false,
          blocked: true,
          mirrors: [{ location: "three.example", insecure: false, serves: "digest-only" }],
        },
        {
          prefix: "*.wild.example",
          location: "",
          insecure: false,
          blocked: false,
          mirrors: [],
        },
      ],
    });
  });

  test("takes an empty file, and one that says nothing about credentials", () => {
    expect(parse("")).toEqual({ registries: [], unknownKeys: [] });
    expect(parse('short-name-mode = ""')).toEqual({ registries: [], unknownKeys: [] });
  });

  test("takes the first of two entries for one prefix", () => {
    const { registries } = parse(`
[[registry]]
prefix = "a.example"
location = "one.example"
[[registry]]
prefix = "a.example/"
location = "two.example"
`);
    expect(registries.map(({ location }) => location)).toEqual(["one.example"]);
  });

  test("names keys that nobody knows", () => {
    const { unknownKeys } = parse(`
typo = 1
[[registry]]
location = "a.example"
locaton = "b.example"
[[registry.mirror]]
location = "m.example"
inscure = true
[[registry]]
location = "c.example"
locaton = "d.example"
[aliases]
[other.table]
`);
    expect(unknownKeys).toEqual(["typo", "registry.locaton", "registry.mirror.inscure", "other"]);
  });

  const scheme = (place: string) => `invalid location '${place}': URI schemes are not supported`;
  const mirrored = (rest: string) =>
    `[[registry]]\nlocation = "x.example"\n[[registry.mirror]]\n${rest}`;
  const twice = (rest: string) =>
    `[[registry]]\nlocation = "x.example"\n[[registry]]\nprefix = "y.example"\nlocation = "x.example"\n${rest}`;

  test.each([
    ['[[registry]]\nlocation = "http://x.example/"', scheme("http://x.example/")],
    ['[[registry]]\nprefix = "https://x"', scheme("https://x")],
    [mirrored('location = "https://m"'), scheme("https://m")],
    ['unqualified-search-registries = ["http://x.y"]', scheme("http://x.y")],
    ["[[registry]]\ninsecure = true", "invalid condition: both location and prefix are unset"],
    ['[[registry]]\nlocation = "/"', "invalid condition: both location and prefix are unset"],
    [
      '[[registry]]\nprefix = "x.example/"',
      "invalid condition: location is unset and prefix is not in the format: *.example.com",
    ],
    [
      '[[registry]]\nprefix = "*x.example"',
      "invalid condition: location is unset and prefix is not in the format: *.example.com",
    ],
    [mirrored("insecure = true"), "invalid condition: mirror location is unset"],
    [mirrored('location = "/"'), "invalid condition: mirror location is unset"],
    [
      '[[registry]]\nlocation = "x.example"\npull-from-mirror = "all"',
      'pull-from-mirror must not be set for a non-mirror registry "x.example"',
    ],
    [
      '[[registry]]\nlocation = "x.example"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "all"',
      'cannot set mirror usage mirror-by-digest-only for the registry ("x.example") and pull-from-mirror for per-mirror ("m.example") at the same time',
    ],
    [
      mirrored('location = "m.example"\npull-from-mirror = "some"'),
      'unsupported pull-from-mirror value "some" for mirror "m.example"',
    ],
    [
      twice("insecure = true"),
      "registry 'x.example' is defined multiple times with conflicting 'insecure' setting",
    ],
    [
      twice("blocked = true"),
      "registry 'x.example' is defined multiple times with conflicting 'blocked' setting",
    ],
    ...["*.x.example/a", "*.x.example:5000", "*.x.example@y"].map((prefix): [string, string] => [
      `[[registry]]\nprefix = "${prefix}"`,
      `Wildcarded prefix should be in the format: *.example.com. Current prefix "${prefix}" is incorrectly formatted`,
    ]),
    [
      '[registries.search]\nregistries = ["a"]',
      "registries.conf must be in v2 format but is in v1",
    ],
    [
      'unqualified-search-registries = ["x.y"]\n[registries.block]\nregistries = ["a"]',
      "registries.conf must be in v2 format but is in v1",
    ],
    [
      'unqualified-search-registries = ["x/y"]',
      'Invalid unqualified-search-registries entry "x/y"',
    ],
    ['unqualified-search-registries = [""]', 'Invalid unqualified-search-registries entry ""'],
    ['short-name-mode = "x"', 'invalid short-name mode: "x"'],
    ["[[registry]]\nlocation = 1", 'toml: "registry.1.location": Expected string but received 1'],
    ['registry = "a"', 'toml: "registry": Expected Array but received "a"'],
    ["credential-helpers = [1]", 'toml: "credential-helpers.1": Expected string but received 1'],
    ["a = ", /^toml: Missing value/],
    ["a = 1\na = 2", /^toml: Cannot redefine key 'a'/],
    ['[aliases]\n"a" = "b"', /^validating short-name aliases: /],
  ])("refuses %j", (text, message) => {
    expect(failureOf(() => parse(text))).toMatchObject({
      code: "config",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
  });

  test("refuses what is no text", () => {
    expect(failureOf(() => parseRegistriesFile(Uint8Array.of(0xff)))).toMatchObject({
      code: "config",
    });
  });

  test("never fails with anything but a Failure", () => {
    const pieces = "[]{}=\"'.,#\n a1*:/registrymolcns-pfix".split("");
    for (let round = 0; round < 500; round++) {
      const bytes = [...randomBytes(`registries ${round}`, 60)];
      const text = bytes.map((byte) => pieces[byte % pieces.length]).join("");
      try {
        parse(`[[registry]]\nlocation = "x"\n${text}`);
      } catch (error) {
        expect(error, text).toBeInstanceOf(Failure);
      }
    }
  });
});
