// The fault matrix: what the executable does when a registry goes wrong, row by row.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  type FaultName,
  type FaultyRegistry,
  faultyCredentials,
  faults,
  startFaultyRegistry,
} from "../support/faulty-registry.ts";
import type { RunResult } from "../support/run.ts";
import { hexOf, sampleOf } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { treeOf } from "../support/trees.ts";

let registry: FaultyRegistry;

beforeAll(async () => {
  registry = await startFaultyRegistry();
});

afterAll(() => registry[Symbol.asyncDispose]());

/** Silence is lost patience with after so much less time than usual. */
const hurried = "--idle-divisor=40";

describe("reading", () => {
  test.concurrent.each<[row: number, fault: FaultName, what: string]>([
    [1, "cut-half", "a download that is cut half-way"],
    [1, "cut-half-rst", "a download whose connection is reset half-way"],
    [1, "cut-chunk", "a download that is cut in a chunk"],
    [2, "cut-every-2mib", "a download that is cut every 2 MiB"],
    [3, "cut-six-times", "a download that is cut six times early on"],
    [4, "cut-no-range", "a server that starts over instead of going on"],
    [5, "cut-wrong-range", "a server that goes on elsewhere"],
    [7, "flip-once", "a byte that was wrong once"],
    [10, "blob-500", "a blob that could not be had once (500)"],
    [10, "manifest-500", "a manifest that could not be had once (500)"],
    [11, "blob-502", "a gateway that failed once (502)"],
    [11, "blob-503", "a service that was away once (503)"],
    [11, "manifest-504", "a gateway that waited in vain once (504)"],
    [12, "blob-408", "a request that was too slow once (408)"],
    [13, "wait-seconds", "a server that asks for a second's patience"],
    [13, "wait-date", "a server that asks for patience until a date"],
    [16, "reset-first", "a connection that was reset before the answer"],
    [16, "close-first", "a connection that was closed before the answer"],
    [19, "redirect-port", "a blob at another port, asked for with a token"],
    [19, "redirect-port-basic", "a blob at another port, asked for with a password"],
    [20, "redirect-address", "a blob at another address"],
    [22, "token-ends-early", "a token that the server ends early"],
    [29, "gzip-encoded", "a blob that comes encoded"],
  ])("row %d, %s: gets over %s", async (_, fault) => {
    await using scene = new Scene();
    const result = await pull(scene, fault);
    expect(result).toMatchObject({ code: 0 });
    expectPulled(scene);
    // N1: whoever else was asked has seen no secret.
    const strangers = registry.requestsFor(fault).filter(({ host }) => host.startsWith("stranger"));
    expect(strangers.every(({ credential }) => credential === "none")).toBe(true);
  });

  test.concurrent.each<[row: number, fault: FaultName, what: string, sentence: RegExp]>([
    [6, "flip-always", "a byte that is always wrong", /Digest did not match, expected sha256:/],
    [8, "short", "a blob that is too short", /ended after \d+ of \d+ bytes/],
    [8, "short-closed", "a blob that never gets whole", /of \d+ bytes|unexpected EOF/],
    [8, "longer", "a blob that is too long", /is longer than its \d+ bytes/],
    [9, "html-blob", "a page instead of a blob", /text\/html/],
    [9, "html-manifest", "a page instead of a manifest", /text\/html/],
    [14, "wait-long", "an hour's wait", /3600|1h|hour/],
    [15, "wait-forever", "a registry that never has time", /toomanyrequests/],
    [18, "redirect-loop", "a redirect to itself", /redirects/],
    [
      21,
      "realm-elsewhere",
      "a token service on this machine that is not the registry's",
      /token service/,
    ],
    [23, "manifest-5mib", "a manifest of 5 MiB", /exceeded maximum allowed size of 4194304 bytes/],
    [24, "manifests-beside-layers", "a manifest with two meanings", /rejecting ambiguous manifest/],
    [25, "digest-traversal", "a digest that climbs out of the directory", /invalid digest|digest/],
    [25, "digest-upper", "a digest in upper case", /invalid digest|digest/],
    [26, "size-wrong", "a size that is not the blob's", /ended after \d+ of \d+ bytes/],
    [26, "size-negative", "a size below zero", /size/],
    [27, "digest-header-wrong", "a header that names another digest", /digest/],
    [28, "error-escapes", "an error that draws on the terminal", /a\\x1b\[2J/],
  ])("row %d, %s: refuses %s", async (_, fault, __, sentence) => {
    await using scene = new Scene();
    const result = await pull(scene, fault);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr.match(/level=fatal/g)?.length).toBe(1);
    expect(result.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(treeOf(scene.at("there"))).toEqual({});
    expect(result.wallMs).toBeLessThan(120_000);
  });

  test.concurrent.each<[fault: FaultName, what: string, sentence: RegExp]>([
    ["silent-before-headers", "a server that never answers", /timeout awaiting response headers/],
    ["silent-after-headers", "a server that never begins", /no byte for 1\.5 s \(after 0 of \d+/],
    ["silent-after-half", "a server that never goes on", /no byte for 1\.5 s \(after [1-9]\d+ of/],
    ["drip", "a byte a second", /only \d+ bytes in \d+(?:\.\d)? s \(after \d+ of/],
  ])("row 17, %s: does not wait for ever for %s", async (fault, _, sentence) => {
    await using scene = new Scene();
    const result = await pull(scene, fault, hurried);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(sentence);
    expect(treeOf(scene.at("there"))).toEqual({});
    // Without the divisor: silence for a minute, four times at most, is less than five minutes.
    expect(registry.requestsFor(fault, "blob-read").length).toBeLessThanOrEqual(4);
    expect(result.wallMs).toBeLessThan(60_000);
  });

  test.concurrent("row 17, silent-once: gets over a server that fell silent once", async () => {
    await using scene = new Scene();
    const result = await pull(scene, "silent-once", hurried);
    expect(result).toMatchObject({ code: 0 });
    expectPulled(scene);
    const asked = registry
      .requestsFor("silent-once", "blob-read")
      .flatMap(({ range }) => range ?? []);
    expect(asked).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  });

  test("row 17: no help tells of the divisor", async () => {
    await using scene = new Scene();
    for (const words of [["--help"], ["copy", "--help"], ["completion", "bash"]]) {
      const { stdout, stderr } = await scene.dray(...words);
      expect(stdout.length).toBeGreaterThan(100);
      expect(stdout + stderr).not.toContain("divisor");
    }
  });

  test("row 1: asks for the rest, not for all of it again", async () => {
    await using scene = new Scene();
    const before = registry.requestsFor("cut-every-2mib", "blob-read").length;
    await pull(scene, "cut-every-2mib");
    const asked = registry.requestsFor("cut-every-2mib", "blob-read").slice(before);
    const ranges = asked.flatMap(({ range }) => range ?? []);
    const starts = ranges.map((range) => Number(/\d+/.exec(range)?.[0]));
    expect(starts.length).toBeGreaterThanOrEqual(3);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts[0]).toBeGreaterThan(0);
  });

  test("row 18: follows ten redirects and no more", () => {
    expect(registry.requestsFor("redirect-loop", "blob-read").length).toBeLessThanOrEqual(2 * 11);
  });

  test("row 21: never shows the password to the other token service", () => {
    const shown = registry.requests.filter(({ host }) => host === "strangerPort");
    expect(shown.every(({ credential }) => credential === "none")).toBe(true);
  });

  test("row 25: asks for nothing by a digest that is none", () => {
    for (const fault of ["digest-traversal", "digest-upper"] as const) {
      expect(registry.requestsFor(fault, "blob-read")).toEqual([]);
    }
  });

  test("row 42: does not wait for TLS at a port that never speaks it", async () => {
    await using scene = new Scene();
    const image = `docker://${registry.hosts.silentTls}/none/img:t`;
    const result = await scene.dray("copy", "--src-tls-verify=false", image, "dir:there");
    expect(result).toMatchObject({ code: 0 });
    expect(result.wallMs).toBeLessThan(8000);
  });
});

describe("the matrix", () => {
  test("has a test for every fault that the registry can play", () => {
    const tests = readFileSync(import.meta.path, "utf8");
    const forgotten = Object.entries(faults).filter(
      ([name, { row }]) => row > 0 && !tests.includes(`"${name}"`) && name !== "silent-tls",
    );
    expect(forgotten).toEqual([]);
    const rows = new Set<number>(Object.values(faults).map(({ row }) => row));
    const expected = [...Array.from({ length: 37 }, (_, index) => index + 1), 42];
    expect(expected.filter((row) => !rows.has(row))).toEqual([]);
  });
});

describe("writing", () => {
  test.concurrent.each<[row: number, fault: FaultName, what: string]>([
    [30, "upload-start-500", "an upload that could not begin once (500)"],
    [31, "upload-start-429", "an upload that was to begin later (429)"],
    [32, "patch-500", "an upload that failed once (500)"],
    [32, "patch-503", "an upload that failed once (503)"],
    [32, "patch-reset", "an upload whose connection was reset"],
    [33, "commit-500", "a blob that was not taken once (500)"],
    [33, "commit-500-kept", "a blob that was taken although it was said not to be"],
    [34, "put-500", "a manifest that was not taken once (500)"],
    [34, "put-503", "a manifest that was not taken once (503)"],
    [35, "put-429", "a manifest that was to come later (429)"],
    [36, "claims-blobs", "a registry that claims blobs which it lacks"],
  ])("row %d, %s: gets over %s", async (_, fault) => {
    await using scene = new Scene();
    expect(await push(scene, fault)).toMatchObject({ code: 0 });
    const { manifests, blobs } = registry.store(fault);
    expect(manifests.get("t")?.equals(registry.image.manifest)).toBe(true);
    const { digest } = registry.image.members().layers[0] ?? { digest: "" };
    expect(blobs.get(digest)?.equals(registry.image.layer)).toBe(true);
  });

  test("row 37: refuses a registry that stored something else, and names the tag", async () => {
    await using scene = new Scene();
    const result = await push(scene, "put-digest-wrong");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(
      `uploading manifest t to ${registry.hosts.open}/put-digest-wrong/img`,
    );
  });
});

const { username, password } = faultyCredentials;

async function pull(scene: Scene, fault: FaultName, ...more: string[]): Promise<RunResult> {
  const image = `docker://${registry.name(fault)}`;
  // A token of these scenarios may be good for one request only: no two at a time.
  const flags = ["--src-tls-verify=false", "--image-parallel-copies=1"];
  const creds = `--src-creds=${username}:${password}`;
  const result = await scene.dray("--debug", ...more, "copy", ...flags, creds, image, "dir:there");
  // O2: whatever went wrong, nothing secret was said about it.
  expect(result.stderr + result.stdout).not.toContain(password);
  expect(result.stderr + result.stdout).not.toContain("secret-token");
  return result;
}

function expectPulled(scene: Scene): void {
  const { config, layers } = registry.image.members();
  expect(readFileSync(scene.at("there/manifest.json")).equals(registry.image.manifest)).toBe(true);
  for (const { digest } of [config, ...layers]) {
    const bytes = readFileSync(scene.at("there", hexOf(digest)));
    expect(Bun.CryptoHasher.hash("sha256", bytes, "hex")).toBe(hexOf(digest));
  }
}

async function push(scene: Scene, fault: FaultName): Promise<RunResult> {
  const store = await scene.store("dir");
  await store.fill(sampleOf(registry.image));
  const image = `docker://${registry.name(fault)}`;
  return await scene.dray("copy", "--dest-tls-verify=false", store.image, image);
}
