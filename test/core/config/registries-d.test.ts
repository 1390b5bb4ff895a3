// Registries directory: what several files say about signatures, and for which images.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  readRegistriesDirectory,
  registriesDirectoryOf,
  defaultLookaside,
  signatureStorageFor,
} from "../../../core/config/registries-d.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import type { Environment } from "../../../core/environment.ts";
import { rejection } from "../../support/rejection.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-registries-d-"));
});
afterAll(() => rmSync(root, { recursive: true }));

let directories = 0;
function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = join(root, String(directories++));
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

describe("readRegistriesDirectory", () => {
  test("puts all files together, old names of settings included", async () => {
    const directory = directoryWith({
      "a.yaml": "default-docker:\n  sigstore: file:///old\n  sigstore-staging: file:///staging\n",
      "b.yaml":
        "docker:\n  r.example/a:\n    sigstore: file:///old\n    lookaside: https://new\n    use-sigstore-attachments: yes\n  r.example/b:\n",
      "c.yaml": "unknown: 1\n",
      "d.yaml": "",
      "e.yml": "nonsense: [",
    });
    symlinkSync(join(root, "nowhere"), join(directory, "f.yaml"));
    expect(await readRegistriesDirectory(directory)).toEqual({
      fallback: { lookaside: "file:///old", lookasideStaging: "file:///staging" },
      namespaces: new Map([
        ["r.example/a", { lookaside: "https://new", sigstoreAttachments: true }],
        ["r.example/b", {}],
      ]),
    });
  });

  test("does without a directory", async () => {
    expect(await readRegistriesDirectory(join(root, "none"))).toEqual({
      fallback: {},
      namespaces: new Map(),
    });
  });

  test.each([
    ["docker: 1", '"docker" is no mapping'],
    ["default-docker: [1]", '"default-docker" is no mapping'],
    ["docker: {a: b}", '"a" is no mapping'],
    ["- a", "the file is no mapping"],
    ["docker: {a: {lookaside: [b]}}", '"lookaside" of "a" is no text'],
    [
      "default-docker: {use-sigstore-attachments: 1}",
      '"use-sigstore-attachments" of "default-docker" is neither true nor false',
    ],
    ["a: b: c", /^yaml: Nested mappings/],
    ["docker: {}\ndocker: {}", /^yaml: Map keys must be unique/],
  ])("refuses %j", async (text, message) => {
    const directory = directoryWith({ "a.yaml": text });
    const failure = await rejection(readRegistriesDirectory(directory));
    const prefix = `parsing ${join(directory, "a.yaml")}: `;
    expect(failure.code).toBe("config");
    expect(failure.message).toStartWith(prefix);
    expect(failure.message.slice(prefix.length)).toMatch(message);
  });

  test.each([
    ["default-docker: {}", '"default-docker"'],
    ["docker: {n: {}}", '"docker" namespace "n"'],
  ])("refuses %j in two files", async (text, what) => {
    const directory = directoryWith({ "a.yaml": text, "b.yaml": text });
    const [a, b] = ["a.yaml", "b.yaml"].map((name) => JSON.stringify(join(directory, name)));
    expect(await rejection(readRegistriesDirectory(directory))).toMatchObject({
      code: "config",
      message: `Error parsing signature storage configuration: ${what} defined both in ${b} and ${a}`,
    });
  });

  test("refuses what cannot be read", async () => {
    const directory = directoryWith({});
    mkdirSync(join(directory, "a.yaml"));
    expect(await rejection(readRegistriesDirectory(directory))).toMatchObject({
      code: "config",
      message: `read ${join(directory, "a.yaml")}: is a directory`,
    });
  });
});

describe("signatureStorageFor", () => {
  test("takes each setting from the narrowest place that has it", async () => {
    const directory = directoryWith({
      "a.yaml": `
default-docker: {lookaside: all, lookaside-staging: all, use-sigstore-attachments: true}
docker:
  "*.example": {lookaside: domain}
  r.example: {lookaside: host}
  r.example/a: {lookaside: path, use-sigstore-attachments: false}
  r.example/a/b: {lookaside-staging: repository}
  r.example/a/b:1: {lookaside: image}
`,
    });
    const storage = await readRegistriesDirectory(directory);
    const forName = (name: string) => {
      const found = signatureStorageFor(storage, parseDockerName(name));
      return [found.lookaside, found.lookasideStaging, found.sigstoreAttachments];
    };
    expect(forName("r.example/a/b:1")).toEqual(["image", undefined, false]);
    expect(forName("r.example/a/b:2")).toEqual(["path", "repository", false]);
    expect(forName("r.example/a:1")).toEqual(["path", undefined, false]);
    expect(forName("r.example/ab:1")).toEqual(["host", undefined, true]);
    expect(forName("s.example/a:1")).toEqual(["domain", undefined, true]);
    expect(forName("busybox:1")).toEqual(["all", "all", true]);
  });

  test("has nothing to say where nobody did", () => {
    const nothing = { namespaces: new Map(), fallback: {} };
    expect(signatureStorageFor(nothing, parseDockerName("busybox:1"))).toEqual({});
  });
});

test.each([
  [0, "", "/root", "file:///var/lib/containers/sigstore"],
  [1000, "", "/home/a b", "file:///home/a%20b/.local/share/containers/sigstore"],
  [1000, "", "", undefined],
  // Root of a user namespace, and nowhere else.
  [0, "1000", "/home/a", "file:///home/a/.local/share/containers/sigstore"],
])(
  "defaultLookaside of user %p, outside %j, at home in %j is %j",
  (userId, outside, home, expected) => {
    const variables = outside === "" ? {} : { _CONTAINERS_ROOTLESS_UID: outside };
    const environment = { variables, home, userId, os: "linux", architecture: "amd64" };
    expect(defaultLookaside(environment)).toBe(expected);
  },
);

describe("registriesDirectoryOf", () => {
  test("takes the user's directory if there is one", async () => {
    const environment = (home: string): Environment => ({
      variables: { XDG_CONFIG_HOME: "/elsewhere" },
      home,
      userId: 1000,
      os: "linux",
      architecture: "amd64",
    });
    const usual = "/etc/containers/registries.d";
    const own = join(root, "home/.config/containers/registries.d");
    expect(await registriesDirectoryOf(environment(join(root, "home")))).toBe(usual);
    mkdirSync(own, { recursive: true });
    expect(await registriesDirectoryOf(environment(join(root, "home")))).toBe(own);
    expect(await registriesDirectoryOf(environment(join(root, "home")), "/named")).toBe("/named");
    expect(await registriesDirectoryOf(environment(""))).toBe(usual);
  });
});
