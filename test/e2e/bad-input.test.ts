// Bad input: one clear sentence, the right exit code, no stack trace, and nothing half-written.

import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { addSample } from "../support/push.ts";
import {
  type RegistryServer,
  type SeenRequest,
  startRegistry,
} from "../support/registry-server.ts";
import type { RunResult } from "../support/run.ts";
import { type SampleImage, hexOf, sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import type { StoreKind } from "../support/stores.ts";
import { treeOf } from "../support/trees.ts";

const digest = `sha256:${"0".repeat(64)}`;
const open = "--src-tls-verify=false";

describe("a name that means nothing", () => {
  test.each([
    [
      "no transport",
      "nowhere",
      'Invalid image name "nowhere", expected colon-separated transport:reference',
    ],
    ["an unknown transport", "bogus:x", 'Invalid image name "bogus:x", unknown transport "bogus"'],
    ["no slashes", "docker:x", "docker: image reference x does not start with //"],
    [
      "upper case",
      "docker://Busybox",
      "invalid reference format: repository name must be lowercase",
    ],
    ["blanks", "docker://a b", "invalid reference format"],
    ["nothing", "docker://", "invalid reference format"],
    [
      "a tag and a digest",
      `docker://a:1@${digest}`,
      "Docker references with both a tag and digest are currently not supported",
    ],
    ["a short digest", "docker://a@sha256:00", "invalid reference format"],
    [
      "a digest of another alphabet",
      `docker://a@sha256:${"Z".repeat(64)}`,
      "invalid reference format",
    ],
    ["a path as a tag", "docker://a:../../etc", "invalid reference format"],
    ["an odd name in a layout", "oci:x:-y", "Invalid image -y"],
    ["no number in a layout", "oci:x:@y", "Invalid source index @y: not an integer"],
    [
      "a negative number in a layout",
      "oci:x:@-1",
      "Invalid source index @-1: must not be negative",
    ],
  ])("is refused for %s", async (_, name, sentence) => {
    await using scene = new Scene();
    const result = await scene.dray("copy", name, "dir:there");
    expectRefusal(result, `Invalid source name ${name}: ${sentence}`);
    const turned = await scene.dray("copy", "dir:x", name);
    expectRefusal(turned, `Invalid destination name ${name}: ${sentence}`);
    expect(treeOf(scene.path)).toEqual({});
  });
});

describe("a command line that means nothing", () => {
  test.each([
    ["an unknown flag", ["copy", "--bogus", "dir:x", "dir:y"], "unknown flag: --bogus"],
    [
      "an unknown short flag",
      ["copy", "-z", "dir:x", "dir:y"],
      "unknown shorthand flag: 'z' in -z",
    ],
    ["no value", ["inspect", "dir:x", "--format"], "flag needs an argument: --format"],
    [
      "no boolean",
      ["copy", "--src-tls-verify=maybe", "dir:x", "dir:y"],
      'invalid argument "maybe" for "--src-tls-verify" flag',
    ],
    ["one image too few", ["copy", "dir:x"], "Exactly two arguments expected"],
    ["one image too many", ["inspect", "dir:x", "dir:y"], "Exactly one argument expected"],
    [
      "two kinds of credentials",
      ["copy", "--src-creds=a:b", "--src-no-creds", "dir:x", "dir:y"],
      "creds and no-creds cannot be specified at the same time",
    ],
    [
      "an unknown format",
      ["copy", "--format=xx", "dir:x", "dir:y"],
      "unknown format \"xx\". Choose one of the supported formats: 'oci', 'v2s1', or 'v2s2'",
    ],
    [
      "an unknown way with lists",
      ["copy", "--multi-arch=xx", "dir:x", "dir:y"],
      'unknown multi-arch option "xx". Choose one of the supported options',
    ],
    [
      "both ways with lists",
      ["copy", "--all", "--multi-arch=all", "dir:x", "dir:y"],
      "Cannot use --all and --multi-arch flags together",
    ],
    ["an unknown command", ["cpoy", "dir:x", "dir:y"], "Unrecognized command `"],
  ])("is refused for %s", async (_, args, sentence) => {
    await using scene = new Scene();
    const image = await scene.store("dir");
    await image.fill(sampleImage());
    mkdirSync(scene.at("x"));
    const before = treeOf(scene.path);
    expectRefusal(await scene.dray(...args), sentence);
    expect(treeOf(scene.path)).toEqual(before);
  });
});

describe("a source that is not there", () => {
  test.each([
    ["no directory", "dir:nowhere", /no such file or directory/],
    ["no layout", "oci:nowhere:1", /no such file or directory/],
    [
      "no manifest in a directory",
      "dir:empty",
      /open .*empty\/manifest\.json: no such file or directory/,
    ],
    ["no index in a layout", "oci:empty:1", /open .*empty\/index\.json: no such file or directory/],
    ["a parent that is missing", "dir:no/such/path", /no such file or directory/],
  ])("is told for %s", async (_, name, sentence) => {
    await using scene = new Scene();
    mkdirSync(scene.at("empty"));
    const result = await scene.dray("copy", name, "dir:there");
    expectRefusal(result, sentence);
    expect(treeOf(scene.path)).toEqual({ empty: "directory" });
  });

  test("exits with 2 for a name that a layout does not have", async () => {
    await using scene = new Scene();
    const store = await scene.store("oci");
    await store.fill(sampleImage());
    const result = await scene.dray("copy", `${store.image}x`, "dir:there");
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('no descriptor found for reference \\"1x\\"');
    expect(treeOf(scene.at("there"))).toEqual({});
  });
});

describe("a registry", () => {
  test("that cannot be reached is named with its address", async () => {
    await using scene = new Scene();
    const result = await scene.dray("copy", "docker://127.0.0.1:1/a/b:1", "dir:there");
    expectRefusal(
      result,
      /pinging container registry 127\.0\.0\.1:1: Get \\"https:\/\/127\.0\.0\.1:1\/v2\/\\": dial tcp 127\.0\.0\.1:1: connect: connection refused/,
    );
    expect(treeOf(scene.at("there"))).toEqual({});
  });

  test("whose name does not exist is named", async () => {
    await using scene = new Scene();
    const result = await scene.dray("copy", "docker://no-such-host.invalid/a/b:1", "dir:there");
    expectRefusal(result, /no-such-host\.invalid/);
  });

  test.each(["localhost:99999", "999.1.1.1", "xn--a.com"])(
    "is refused where nobody can have its address: %s",
    async (host) => {
      await using scene = new Scene();
      for (const args of [
        ["copy", `docker://${host}/a/b:1`, "dir:there"],
        ["list-tags", "--tls-verify=false", `docker://${host}/a/b`],
        ["login", "--username=u", "--password=p", host],
      ]) {
        expectRefusal(await scene.dray(...args), `"${host}" is not the address of a registry`);
      }
      expect(treeOf(scene.at("there"))).toEqual({});
    },
  );

  const json = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] });

  test.each([
    [401, json("UNAUTHORIZED", "who are you"), /unauthorized: who are you/, 1],
    [403, json("DENIED", "not for you"), /denied: not for you/, 1],
    [404, json("MANIFEST_UNKNOWN", "manifest unknown"), /manifest unknown/, 2],
    [404, json("NAME_UNKNOWN", "no such repository"), /no such repository/, 1],
    [404, "<html>nothing here</html>", /404/, 1],
    [418, "tea", /418|tea/, 1],
  ])("that answers %d %p is quoted", async (status, body, sentence, code) => {
    await using scene = new Scene();
    await using registry = answering("/manifests/", () => new Response(body, { status }));
    const result = await copyFrom(scene, registry);
    expect(result.code).toBe(code);
    expectRefusal(result, sentence, code);
    expect(treeOf(scene.at("there"))).toEqual({});
  });

  test.concurrent.each([500, 502, 503])("that only answers %d is given up on", async (status) => {
    await using scene = new Scene();
    await using registry = answering("/manifests/", () => new Response("", { status }));
    const result = await copyFrom(scene, registry);
    expectRefusal(result, new RegExp(`received unexpected HTTP status: ${status} `));
    expect(treeOf(scene.at("there"))).toEqual({});
  });

  test("that asks to come back in an hour is told about, not waited for", async () => {
    await using scene = new Scene();
    const headers = { "retry-after": "3600" };
    await using registry = answering(
      "/manifests/",
      () => new Response("", { status: 429, headers }),
    );
    const result = await copyFrom(scene, registry);
    expectRefusal(result, /3600|1h|hour/);
    expect(result.wallMs).toBeLessThan(5000);
  });

  test.each(["/manifests/", "/blobs/"])(
    "that answers %s with a page is suspected to be a portal",
    async (path) => {
      await using scene = new Scene();
      const headers = { "content-type": "text/html; charset=utf-8" };
      const page = "<html><h1>Please log in to the guest network</h1></html>";
      await using registry = answering(path, () => new Response(page, { headers }));
      const result = await copyFrom(scene, registry);
      expectRefusal(result, /text\/html/);
      expect(result.stderr).toContain(registry.host);
      expect(treeOf(scene.at("there"))).toEqual({});
    },
  );

  test("O1: cannot draw on the terminal with its error text", async () => {
    await using scene = new Scene();
    const nasty = "\u001b[2Jgone\r\ntime=now level=info msg=fine \u202e";
    const body = JSON.stringify({ errors: [{ code: "DENIED", message: nasty }] });
    await using registry = answering("/manifests/", () => new Response(body, { status: 403 }));
    const result = await copyFrom(scene, registry);
    expectRefusal(result, /gone/);
    expect(result.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });
});

describe("a blob that is not what was promised", () => {
  const damages: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array])[] = [
    ["changed", (bytes) => bytes.with(100, (bytes[100] ?? 0) ^ 1)],
    ["cut short", (bytes) => bytes.subarray(0, -1)],
    ["longer", (bytes) => Buffer.concat([bytes, Uint8Array.of(0)])],
    ["empty", () => new Uint8Array()],
  ];

  for (const [what, damage] of damages) {
    for (const kind of ["docker", "dir", "oci"] as const) {
      test(`C2: is refused when a ${kind}: source has it ${what}`, async () => {
        await using scene = new Scene();
        const image = sampleImage({ format: "oci" });
        const damaged = damagedImage(image, damage);
        await using registry = damagedRegistry(image, damage);
        const source = await scene.storeAt(kind, registry.host);
        await source.fill(kind === "docker" ? image : damaged);
        for (const to of ["dir", "oci"] as const) {
          const name = `there-${to}`;
          const result = await scene.dray("copy", open, source.image, `${to}:${scene.at(name)}`);
          expectRefusal(result, new RegExp(hexOf(image.layers[1]?.digest ?? "")));
          expect(treeOf(scene.at(name))).toEqual({});
        }
      });
    }
  }
});

describe("a destination that cannot be written", () => {
  test.each([
    ["a file in its place", "dir:file"],
    ["a file in its place", "oci:file:1"],
    ["a file as its parent", "dir:file/below"],
    ["a missing parent", "dir:no/such/parent"],
    ["a file system that takes nothing", "dir:/proc/there"],
    ["a file system that takes nothing", "oci:/proc/there:1"],
  ])("is named when there is %s: %s", async (_, name) => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    writeFileSync(scene.at("file"), "precious");
    const before = treeOf(scene.path);
    const result = await scene.dray("copy", source.image, name);
    expectRefusal(result, /file|parent|proc/);
    expect(treeOf(scene.path)).toEqual(before);
  });

  test("keeps a directory that holds something else", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    mkdirSync(scene.at("home"));
    writeFileSync(scene.at("home", "thesis.txt"), "years of work");
    const before = treeOf(scene.path);
    const result = await scene.dray("copy", source.image, "dir:home");
    expectRefusal(
      result,
      /not a containers image directory, don't want to overwrite important data/,
    );
    expect(treeOf(scene.path)).toEqual(before);
  });

  const diskTest = testWith("root", "mount", "umount");

  for (const kind of ["dir", "oci"] as const satisfies readonly StoreKind[]) {
    diskTest(`F9, row 40: leaves nothing on a full disk in ${kind}:`, async () => {
      await using scene = new Scene();
      const source = await scene.store("dir");
      await source.fill(sampleImage({ format: "oci", ballastBytes: 6_000_000 }));
      await using disk = smallDisk(scene.at("small"));
      const result = await scene.dray("copy", source.image, `${kind}:${disk.path}/there`);
      expectRefusal(result, /no space left on device/);
      expect(result.stderr).toContain(disk.path);
      expect(treeOf(disk.path)).toEqual({});
    });
  }
});

/** One fatal line, perhaps with a hint after it, and no sign of how the program is built. */
function expectRefusal(result: RunResult, sentence: string | RegExp, code = 1): void {
  expect(result.code).toBe(code);
  const fatal = result.stderr.split("\n").filter((line) => line.includes("level=fatal"));
  expect(fatal.length).toBe(1);
  const [line = ""] = fatal;
  if (typeof sentence === "string") expect(line).toContain(sentence.replaceAll('"', '\\"'));
  else expect(line).toMatch(sentence);
  expect(result.stderr + result.stdout).not.toMatch(/^\s+at .*[(:]\d+|\.ts:\d+|\$bunfs|undefined/m);
}

function answering(path: string, answer: () => Response): RegistryServer {
  return startRegistry({
    intercept: async ({ target }, usual) => {
      const hit = path === "/v2/" ? target === path : target.includes(path);
      return hit ? answer() : await usual();
    },
  });
}

async function copyFrom(scene: Scene, registry: RegistryServer): Promise<RunResult> {
  addSample(registry.repository("a/b"), "1", sampleImage());
  return await scene.dray("copy", open, `docker://${registry.host}/a/b:1`, "dir:there");
}

/** The second layer has other bytes than its name says. */
function damagedImage(image: SampleImage, damage: (bytes: Uint8Array) => Uint8Array): SampleImage {
  const layers = image.layers.map((layer, index) =>
    index === 1 ? { ...layer, bytes: damage(layer.bytes) } : layer,
  );
  return { ...image, layers };
}

function damagedRegistry(
  image: SampleImage,
  damage: (bytes: Uint8Array) => Uint8Array,
): RegistryServer {
  const layer = image.layers[1];
  const isIt = ({ method, target }: SeenRequest) =>
    method === "GET" && layer !== undefined && target.endsWith(layer.digest);
  return startRegistry({
    intercept: async (seen, usual) =>
      layer !== undefined && isIt(seen)
        ? new Response(Buffer.from(damage(layer.bytes)))
        : await usual(),
  });
}

/** A file system of 4 MB, until it is disposed of. */
function smallDisk(path: string): Disposable & { readonly path: string } {
  mkdirSync(path);
  command("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", path);
  return { path, [Symbol.dispose]: () => command("umount", path) };
}

function command(...args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...args], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${args.join(" ")}: ${stderr.toString()}`);
}
