import { describe, expect, test } from "bun:test";
import type { AuthFileFormat } from "../../../core/config/auth-file-places.ts";
import {
  credentialsIn,
  entriesFor,
  helperFor,
  parseAuthFile,
  readAuthFile,
} from "../../../core/config/auth-file.ts";
import { keyOfRepository } from "../../../core/config/auth-key.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const parse = (document: unknown, format: AuthFileFormat = "containers") =>
  parseAuthFile(typeof document === "string" ? document : JSON.stringify(document), {
    path: "f.json",
    format,
  });
const holding = (...keys: string[]) =>
  parse({ auths: Object.fromEntries(keys.map((key) => [key, { auth: base64(`${key}:p`) }])) });

describe("entriesFor", () => {
  // The whole table stands for one question: whose credentials is a registry shown?
  test.each([
    ["example.com", "a/b", ["example.com"], "example.com"],
    ["example.com", "a/b", ["example.com", "example.com/a"], "example.com/a"],
    ["example.com", "a/b", ["example.com", "example.com/a", "example.com/a/b"], "example.com/a/b"],
    ["example.com", "a/b", ["example.com/a/b/c"], undefined],
    ["example.com", "ab/c", ["example.com/a"], undefined],
    ["example.com", "a", ["example.com/a/"], undefined],
    ["example.com.evil.test", "a", ["example.com"], undefined],
    ["evil-example.com", "a", ["example.com"], undefined],
    ["example.com", "a", ["sub.example.com", "com", "*.com", "*"], undefined],
    ["sub.example.com", "a", ["example.com"], undefined],
    ["example.com:444", "a", ["example.com"], undefined],
    ["example.com", "a", ["example.com:443"], undefined],
    ["example.com:444", "a", ["example.com:444", "example.com"], "example.com:444"],
    ["example.com:444", "a", ["example.com:4"], undefined],
    ["example.com", "a", ["https://example.com/v1/"], "https://example.com/v1/"],
    ["example.com", "a", ["https://example.com.evil.test/"], undefined],
    ["example.com", "a", ["https://example.com:444/"], undefined],
    ["example.com", "a", ["https://evil.test/example.com"], undefined],
    ["example.com", "a", ["https://x@example.com/"], undefined],
    ["docker.io", "library/x", ["https://index.docker.io/v1/"], "https://index.docker.io/v1/"],
    ["docker.io", "library/x", ["registry-1.docker.io"], "registry-1.docker.io"],
    ["docker.io", "library/x", ["docker.io/library", "index.docker.io"], "docker.io/library"],
    ["docker.io.evil.test", "x", ["docker.io", "https://index.docker.io/v1/"], undefined],
    ["constructor", "__proto__", ["x"], undefined],
  ])("N9: for %s/%s, of %j, takes %p", (host, repository, keys, taken) => {
    const [entry] = entriesFor(holding(...keys), keyOfRepository(host, repository));
    expect(entry?.key).toBe(taken as string);
  });

  test("knows registries only in files of the old format, with or without a path", () => {
    const entry = { auth: base64("u:p") };
    const file = parse({ "example.com/v1/": entry, "http://r.example/v1/": entry }, "legacy");
    expect(entriesFor(file, keyOfRepository("example.com", "a"))[0]?.key).toBe("example.com/v1/");
    expect(entriesFor(file, keyOfRepository("r.example", "a")).length).toBe(1);
    const parts = parse({ "example.com/a": entry, "example.com": entry }, "legacy");
    expect(entriesFor(parts, keyOfRepository("example.com", "a"))[0]?.key).toBe("example.com");
  });
});

describe("helperFor", () => {
  const file = parse({
    credHelpers: { "example.com": "one", "https://index.docker.io/v1/": "hub", "a.example/b": "x" },
  });
  test.each([
    ["example.com", { helper: "one", server: "example.com" }],
    ["docker.io", { helper: "hub", server: "https://index.docker.io/v1/" }],
    ["example.com:444", undefined],
    ["example.com.evil.test", undefined],
    ["a.example", undefined],
    ["constructor", undefined],
  ])("N9: names for %s %j", (host, expected) => {
    expect(helperFor(file, keyOfRepository(host, "b"))).toEqual(expected);
  });
});

describe("credentialsIn", () => {
  const read = (auth: string, identityToken = "") =>
    credentialsIn({ key: "k", auth, identityToken });

  test.each([
    ["u:p", { username: "u", password: "p" }],
    ["u:p:q", { username: "u", password: "p:q" }],
    ["u:p\0\0", { username: "u", password: "p" }],
    ["u:", { username: "u", password: "" }],
    [":p", { username: "", password: "p" }],
    ["ü:pä", { username: "ü", password: "pä" }],
  ])("reads %j", (text, expected) => {
    expect(read(base64(text))).toEqual({ kind: "basic", ...expected });
  });

  test("finds nothing in an entry whose content is elsewhere, and half an entry is malformed", () => {
    expect(read("")).toBeUndefined();
    expect(read(base64(":"))).toBeUndefined();
    expect(read("", "token")).toBeUndefined();
    expect(read(base64("no colon"))).toBe("malformed");
    expect(read(base64("no colon"), "token")).toBe("malformed");
  });

  test("prefers a token that others are made from", () => {
    const found = read(base64("u:p"), "identity");
    expect(found).toMatchObject({ kind: "identity", username: "u", password: "p" });
    if (typeof found !== "object" || found.kind !== "identity") throw new Error("no identity");
    expect(found.token.value).toBe("identity");
  });

  test.each(["!!", "am86czNjcmV0=", "am8-czNjcmV0", "am8", "====", "secret"])(
    "O2: refuses %s without quoting it",
    (text) => {
      expect(failureOf(() => read(text))).toMatchObject({
        code: "config",
        message: "illegal base64 data",
      });
    },
  );
});

describe("parseAuthFile", () => {
  test("reads member names in any letter case, and passes over what it does not know", () => {
    const file = parse(
      '{"AUTHS":{"a":{"AUTH":"x","email":"me"},"b":{},"c":null},"HttpHeaders":{}}',
    );
    expect(file.entries.map(({ key, auth }) => [key, auth])).toEqual([
      ["a", "x"],
      ["b", ""],
      ["c", ""],
    ]);
    expect(file.store).toBeUndefined();
    expect(parse({ credsStore: "desktop" }).store).toBe("desktop");
  });

  test("P4: takes hostile keys for keys", () => {
    const file = parse('{"auths":{"__proto__":{"auth":"x"},"constructor":{"auth":"y"}}}');
    expect(file.entries.map(({ key }) => key)).toEqual(["__proto__", "constructor"]);
  });

  test.each([
    ["", "unexpected end of JSON input"],
    ["{", "unexpected end of JSON input"],
    ["[]", "it is no JSON object"],
    ['{"auths":[]}', '"auths" is no JSON object'],
    ['{"auths":{"a":7}}', 'the entry "a" is no JSON object'],
    ['{"auths":{"a":{"auth":7}}}', '"auth" of the entry "a" is no text'],
    ['{"credHelpers":{"a":7}}', 'the helper of "a" is no text'],
    ["{} x", "invalid character 'x' after top-level value"],
  ])("fails on %s", (text, message) => {
    expect(failureOf(() => parse(text))).toMatchObject({
      code: "config",
      message: `unmarshaling JSON at "f.json": ${message}`,
    });
  });
});

describe("readAuthFile", () => {
  test("knows a missing file from one that cannot be read", async () => {
    using workspace = new Workspace();
    const place = (path: string) => ({ path, format: "containers" }) as const;
    expect(await readAuthFile(place(workspace.at("none.json")))).toBeUndefined();
    const failure = await rejection(readAuthFile(place(workspace.path)));
    expect(failure.message).toBe(
      `reading JSON file "${workspace.path}": read ${workspace.path}: is a directory`,
    );
  });
});
