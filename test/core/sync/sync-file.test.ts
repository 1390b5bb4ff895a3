import { describe, expect, test } from "bun:test";

import { parseSyncFile } from "../../../core/sync/sync-file.ts";
import { rejection } from "../../support/rejection.ts";

const parse = (text: string, warn = (_: string) => {}) =>
  parseSyncFile(new TextEncoder().encode(text), warn);

const none = { include: [], exclude: [] };

describe("parseSyncFile", () => {
  test("reads all keys of the original, in their order", async () => {
    const file = await parse(`
registry.example.com:
  images:
    busybox: []
    redis: [1.0, "2.0", sha256:0000]
    nothing:
  images-by-tag-regex:
    nginx: ^1\\.13\\.[12]-alpine-perl$
  images-by-semver:
    alpine: ">= 3.12.0"
  credentials: {username: john, password: "1.20"}
  tls-verify: true
  cert-dir: /path
  unknown: {any: thing}
quay.io:
  tls-verify: no
  images: {coreos/etcd: [latest]}
`);
    expect(file).toEqual([
      {
        registry: "registry.example.com",
        images: [
          { repository: "busybox", wanted: [], filter: none },
          {
            repository: "redis",
            wanted: [{ reference: "1.0" }, { reference: "2.0" }, { reference: "sha256:0000" }],
            filter: none,
          },
          { repository: "nothing", wanted: [], filter: none },
        ],
        patterns: [["nginx", "^1\\.13\\.[12]-alpine-perl$"]],
        constraints: [["alpine", ">= 3.12.0"]],
        credentials: { username: "john", password: "1.20", identityToken: "" },
        tlsVerify: true,
        certDirectory: "/path",
        filter: none,
      },
      {
        registry: "quay.io",
        images: [{ repository: "coreos/etcd", wanted: [{ reference: "latest" }], filter: none }],
        patterns: [],
        constraints: [],
        tlsVerify: false,
        certDirectory: "",
        filter: none,
      },
    ]);
  });

  test("reads our own keys", async () => {
    const [registry] = await parse(`
a:
  include: ^1
  newest: 3
  images:
    x: [{ref: "1", to: other/y:2}, "3"]
    z: {exclude: [rc, beta], semver: ">1", tags: []}
`);
    expect(registry).toMatchObject({
      filter: { include: ["^1"], exclude: [], newest: 3 },
      images: [
        { wanted: [{ reference: "1", to: "other/y:2" }, { reference: "3" }] },
        { wanted: [], filter: { include: [], exclude: ["rc", "beta"], semver: ">1" } },
      ],
    });
  });

  test.each(["", "\n", "# nothing\n", "null", "~"])("takes %j for nothing", async (text) => {
    expect(await parse(text)).toEqual([]);
  });

  test("takes null for nothing, as the original does", async () => {
    const text =
      "a: {images: {x: null, y: [~], z: ['null']}, credentials: ~, tls-verify: null}\nb: ~";
    const [registry, other] = await parse(text);
    expect(registry?.images.map(({ wanted }) => wanted)).toEqual([[], [], [{ reference: "null" }]]);
    expect(registry).not.toHaveProperty("credentials");
    expect(registry).not.toHaveProperty("tlsVerify");
    expect(other).toMatchObject({ registry: "b", images: [] });
  });

  test("reads the first of several documents, and says so", async () => {
    const said: string[] = [];
    const file = await parse("a: {images: {x: []}}\n---\nb: {}", (message) => said.push(message));
    expect(file.map(({ registry }) => registry)).toEqual(["a"]);
    expect(said).toEqual(["The file holds several documents, of which only the first one counts"]);
  });

  test.each([
    [
      "a: {images: {x: {tag: [1]}}}",
      'a: images: x: there is no key "tag" here, only tags, include, exclude, semver, newest',
    ],
    [
      "a: {images: {x: [{ref: '1', tag: y}]}}",
      'a: images: x: there is no key "tag" here, only ref, to',
    ],
    ["a: 3", "a: is not a mapping"],
    ["[]", "the file: is not a mapping"],
    ["a: {images: {x: latest}}", "a: images: x: is not a list"],
    ["a: {images: [x]}", "a: images: is not a mapping"],
    ["a: {images-by-semver: {x: [1]}}", "a: images-by-semver: x: is not a plain value"],
    ["a: {tls-verify: maybe}", "a: tls-verify: is neither true nor false"],
    ["a: {newest: -1}", 'a: newest: "-1" is no number of images'],
    ["a: {images: {x: [{to: y}]}}", 'a: images: x: an image needs a "ref", its tag or digest'],
    ["a: {credentials: [x]}", "a: credentials: is not a mapping"],
  ])("refuses %s", async (text, message) => {
    expect(await rejection(parse(text))).toMatchObject({ code: "config", message });
  });
});
