import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { digestHex, digestOf } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import type { SignatureStorage } from "../../../core/image/registry-access.ts";
import { limits } from "../../../core/limits.ts";
import { connect } from "../../../transports/docker/connection.ts";
import {
  mayHaveSignatures,
  readLookaside,
  removeLookaside,
  whyNotWritten,
  writeLookaside,
} from "../../../transports/docker/lookaside.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

const name = parseDockerName("r.example:5000/team/app:1");
const digest = digestOf(Buffer.from("manifest"));
const directory = `team/app@sha256=${digestHex(digest)}`;
const bytes = (text: string) => Buffer.from(text);

/** Reads what is kept at a place. */
async function readAt(
  storage: SignatureStorage,
  logged: string[] = [],
): Promise<readonly string[]> {
  const context = dockerContext({ log: (line) => logged.push(line) });
  await using client = await connect(name, "pull", context);
  const signatures = await readLookaside({ name, digest, storage }, { client, log: context.log });
  return signatures.map((each) => Buffer.from(each).toString());
}

function fill(workspace: Workspace, files: Readonly<Record<string, string>>): string {
  mkdirSync(workspace.at(directory), { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(workspace.at(directory, file), text);
  }
  return pathToFileURL(workspace.path).href;
}

describe("mayHaveSignatures", () => {
  const may = (storage: SignatureStorage, isList = false) =>
    mayHaveSignatures({ name, digest, storage }, isList);

  test("knows which manifests have files, and which repositories", () => {
    using workspace = new Workspace();
    const lookaside = fill(workspace, { "signature-1": "a" });
    const other = { name, digest: digestOf(Buffer.from("other")), storage: { lookaside } };
    expect(may({ lookaside })).toBe(true);
    expect(mayHaveSignatures(other, false)).toBe(false);
    expect(mayHaveSignatures(other, true)).toBe(true);
    const elsewhere = { ...other, name: parseDockerName("r.example:5000/team/ap:1") };
    expect(mayHaveSignatures(elsewhere, true)).toBe(false);
  });

  test("finds none where nothing is, and asks no server", () => {
    expect(may({})).toBe(false);
    expect(may({ lookaside: "file:///proc/none" }, true)).toBe(false);
    expect(may({ lookaside: "file:///proc/none" })).toBe(false);
    expect(may({ lookaside: "https://sigs.example" })).toBe(true);
  });
});

describe("readLookaside", () => {
  test.each(["", "/", "///"])(
    "reads files up to the first that is missing, below BASE%s",
    async (end) => {
      using workspace = new Workspace();
      const base = fill(workspace, { "signature-1": "a", "signature-2": "b", "signature-4": "d" });
      expect(await readAt({ lookaside: base + end })).toEqual(["a", "b"]);
    },
  );

  test("reads where signatures are read, and not where they are written", async () => {
    using workspace = new Workspace();
    const base = fill(workspace, { "signature-1": "a" });
    expect(await readAt({ lookaside: base, lookasideStaging: "file:///proc/none" })).toEqual(["a"]);
    expect(await readAt({ lookasideStaging: base })).toEqual([]);
  });

  test.each([
    ["nothing", "file:///proc/no-signatures"],
    ["a file", "file:///dev/null"],
  ])("finds none below %s", async (_, lookaside) => {
    expect(await readAt({ lookaside })).toEqual([]);
  });

  test("G4: fails, rather than find none, where something cannot be read", async () => {
    using workspace = new Workspace();
    const base = fill(workspace, {});
    mkdirSync(workspace.at(directory, "signature-1"));
    expect(await rejection(readAt({ lookaside: base }))).toMatchObject({
      code: "io",
      message: expect.stringMatching(/^reading signature from file:.*: is a directory$/),
    });
    using loop = new Workspace();
    const looped = fill(loop, {});
    symlinkSync("signature-1", loop.at(directory, "signature-1"));
    expect((await rejection(readAt({ lookaside: looped }))).code).toBe("io");
  });

  test("P1: has enough of signatures at some point", async () => {
    using workspace = new Workspace();
    const files = Array.from({ length: limits.signatures }, (_, index) => `signature-${index + 1}`);
    const base = fill(workspace, Object.fromEntries(files.map((file) => [file, file])));
    expect((await rejection(readAt({ lookaside: base }))).message).toEndWith(
      "server provided 128 signatures, assuming that's unreasonable and a server error",
    );
    writeFileSync(
      workspace.at(directory, "signature-1"),
      new Uint8Array(limits.signatureBytes + 1),
    );
    expect((await rejection(readAt({ lookaside: base }))).message).toContain("exceeded maximum");
  });

  test.each([
    ["ftp://sigs.example", "Unsupported scheme when reading signature from URL"],
    ["no url", 'Invalid signature storage URL "no url"'],
    ["file://host/path", /./],
  ])("refuses to read from %p", async (lookaside, message) => {
    expect((await rejection(readAt({ lookaside })).catch((error) => error)).message).toMatch(
      message,
    );
  });
});

describe("readLookaside from a server", () => {
  interface Answer {
    readonly status?: number;
    readonly body?: string;
    readonly headers?: Record<string, string>;
  }

  async function readFrom(
    answer: (path: string, asked: number, origin: string) => Answer,
    suffix = "/sigs",
  ) {
    const seen: { readonly line: string; readonly headers: Record<string, string> }[] = [];
    await using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        const { pathname, origin } = new URL(request.url);
        const headersSeen = Object.fromEntries(request.headers);
        seen.push({ line: `${request.method} ${pathname}`, headers: headersSeen });
        const { status = 200, body = "", headers = {} } = answer(pathname, seen.length, origin);
        return new Response(body, { status, headers });
      },
    });
    const logged: string[] = [];
    const reading = readAt({ lookaside: `http://127.0.0.1:${server.port}${suffix}` }, logged);
    const read = await reading.catch((error: Error) => error.message);
    return { read, seen, logged };
  }
  const missing: Answer = { status: 404 };

  test("asks for one after the other, with no secret", async () => {
    const { read, seen } = await readFrom((path) =>
      path.endsWith("-3") ? missing : { body: path.slice(-1) },
    );
    expect(read).toEqual(["1", "2"]);
    expect(seen.map(({ line }) => line)).toEqual(
      [1, 2, 3].map((number) => `GET /sigs/${directory}/signature-${number}`),
    );
    for (const { headers } of seen) {
      expect(headers).not.toHaveProperty("authorization");
      expect(headers["user-agent"]).toBe("test");
    }
  });

  test("follows redirects", async () => {
    const { read } = await readFrom((path, _, origin) => {
      if (path.startsWith("/sigs/")) {
        return path.endsWith("-1")
          ? { status: 302, headers: { Location: `${origin}/else` } }
          : missing;
      }
      return { body: "moved" };
    });
    expect(read).toEqual(["moved"]);
  });

  test("N5: is led nowhere that a stranger may not lead to", async () => {
    const { read } = await readFrom(() => ({
      status: 302,
      headers: { Location: "http://169.254.169.254/latest" },
    }));
    expect(read).toContain("a metadata address");
  });

  test("tries again what may pass", async () => {
    const { read, seen } = await readFrom((path, asked) => {
      if (asked === 1) return { status: 503 };
      return path.endsWith("-1") ? { body: "late" } : missing;
    });
    expect(read).toEqual(["late"]);
    expect(seen).toHaveLength(3);
  });

  test("G4: fails, rather than find none, on any other answer", async () => {
    for (const status of [400, 401, 403, 410]) {
      const { read } = await readFrom(() => ({ status }));
      expect(read).toMatch(
        new RegExp(
          `^reading signature from http://127.*: received unexpected HTTP status: ${status}`,
        ),
      );
    }
  });

  test("warns of pages", async () => {
    const { read, logged } = await readFrom((path) =>
      path.endsWith("-1")
        ? { body: "<html>", headers: { "Content-Type": "text/html; charset=utf-8" } }
        : missing,
    );
    expect(read).toEqual(["<html>"]);
    expect(logged.filter((line) => line.startsWith("warn"))).toEqual([
      expect.stringContaining("has Content-Type text/html, unexpected for a signature"),
    ]);
  });
});

test.each<[SignatureStorage, string | undefined]>([
  [{ lookaside: "file:///sigs" }, undefined],
  [{ lookaside: "https://s.example", lookasideStaging: "file:///sigs" }, undefined],
  [{ lookaside: "/no/scheme" }, 'Unsupported scheme when writing signature to "/no/scheme"'],
  [
    { lookaside: "ftp://s.example" },
    'Unsupported scheme when writing signature to "ftp://s.example"',
  ],
  [
    { lookaside: "http://s.example" },
    "Writing directly to a http lookaside URL is not supported. Configure a lookaside-staging: location",
  ],
])("whyNotWritten says of %j: %p", (storage, why) => {
  expect(whyNotWritten(storage)).toBe(why);
});

describe("writeLookaside", () => {
  test("writes signatures, these and no others", async () => {
    using workspace = new Workspace();
    const lookaside = pathToFileURL(workspace.at("new")).href;
    const place = { name, digest, storage: { lookaside } };
    const old = process.umask(0o022);
    try {
      await writeLookaside(place, ["a", "b", "c"].map(bytes));
      await writeLookaside(place, ["d"].map(bytes));
    } finally {
      process.umask(old);
    }
    expect(await readAt({ lookaside })).toEqual(["d"]);
    expect(Object.keys(treeOf(workspace.at("new", directory)))).toEqual(["signature-1"]);
    expect(statSync(workspace.at("new", directory, "signature-1")).mode & 0o777).toBe(0o644);
    expect(statSync(workspace.at("new", directory)).mode & 0o777).toBe(0o755);
  });

  test("writes where signatures are written, and not where they are read", async () => {
    using workspace = new Workspace();
    const storage = {
      lookaside: "https://sigs.example",
      lookasideStaging: pathToFileURL(workspace.path).href,
    };
    await writeLookaside({ name, digest, storage }, [bytes("a")]);
    expect(await readAt({ lookaside: storage.lookasideStaging })).toEqual(["a"]);
  });

  test("keeps apart what belongs to other manifests and repositories", async () => {
    using workspace = new Workspace();
    const storage = { lookaside: pathToFileURL(workspace.path).href };
    const other = { name: parseDockerName("r.example/team/other:1"), digest, storage };
    const another = { name, digest: digestOf(bytes("x"), "sha512"), storage };
    for (const place of [other, another]) await writeLookaside(place, [bytes("x")]);
    expect(await readAt(storage)).toEqual([]);
  });

  test.each<SignatureStorage>([
    { lookaside: "https://sigs.example" },
    { lookaside: "ftp://x" },
    {},
  ])("fails where none can be written: %j", async (storage) => {
    const failure = await rejection(writeLookaside({ name, digest, storage }, [bytes("a")]));
    expect(failure).toMatchObject({ code: "unsupported", message: String(whyNotWritten(storage)) });
  });

  test("fails where the disk does", async () => {
    if (process.getuid?.() === 0) return;
    using workspace = new Workspace();
    chmodSync(workspace.path, 0o500);
    const storage = { lookaside: pathToFileURL(workspace.path).href };
    expect(await rejection(writeLookaside({ name, digest, storage }, [bytes("a")]))).toMatchObject({
      code: "io",
    });
  });
});

describe("removeLookaside", () => {
  test("removes all signatures, and nothing else", async () => {
    using workspace = new Workspace();
    const lookaside = fill(workspace, { "signature-1": "a", "signature-2": "b", other: "c" });
    removeLookaside({ name, digest, storage: { lookaside } });
    expect(Object.keys(treeOf(workspace.at(directory)))).toEqual(["other"]);
    removeLookaside({ name, digest, storage: { lookaside } });
  });

  test("fails where none could have been written", () => {
    const storage = { lookaside: "https://sigs.example" };
    expect(failureOf(() => removeLookaside({ name, digest, storage }))).toMatchObject({
      code: "unsupported",
    });
  });
});
