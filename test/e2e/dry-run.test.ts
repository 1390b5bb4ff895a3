// Dry runs: what they say is what then happens, and until then nothing does.

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { forecastSchema } from "../../core/copy/forecast-schema.ts";
import { deletionSchema } from "../../core/copy/deletion-schema.ts";
import { schemaFaults } from "../support/json-schema-check.ts";
import { addSample } from "../support/push.ts";
import { type RegistryServer, startRegistry } from "../support/registry-server.ts";
import {
  blobsOf,
  type Sample,
  sampleImage,
  sampleList,
  writeDirectory,
} from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { startScriptedEngine } from "../support/scripted-engine.ts";
import { treeOf } from "../support/trees.ts";

const image = sampleImage({ seed: "dry run", format: "docker", layers: ["gzip", "gzip"] });
const plain = sampleImage({ seed: "plain", format: "docker", layers: ["none", "gzip"] });
const list = sampleList({ seed: "dry run", format: "oci" });

interface Counted extends AsyncDisposable {
  readonly registry: RegistryServer;
  /** Bytes of blobs that were sent to it, and fetched from it. */
  readonly bytes: { sent: number; read: number };
  /** Methods that were asked of it since the last look. */
  look(): ReadonlySet<string>;
}

function startCounted(): Counted {
  const bytes = { sent: 0, read: 0 };
  const registry: RegistryServer = startRegistry({
    intercept: async ({ method, target, request }, usual) => {
      if (target.includes("/blobs/uploads/") && request.body !== null) {
        bytes.sent += (await request.clone().bytes()).length;
      }
      const response = await usual();
      if (method === "GET" && target.includes("/blobs/")) {
        bytes.read += (await response.clone().bytes()).length;
      }
      return response;
    },
  });
  return {
    registry,
    bytes,
    look() {
      const methods = new Set(registry.requests.map(({ method }) => method));
      registry.forget();
      return methods;
    },
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

const flags = ["--src-tls-verify=false", "--dest-tls-verify=false", "--output", "json"];

/** What a dry run says, which fits its schema. */
async function foreseen(scene: Scene, ...args: readonly string[]) {
  const { code, stdout, stderr } = await scene.dray("copy", "--dry-run", ...flags, ...args);
  expect([code, stderr]).toEqual([0, ""]);
  const forecast = JSON.parse(stdout);
  expect(schemaFaults(forecast, forecastSchema())).toEqual([]);
  return forecast;
}

async function copied(scene: Scene, ...args: readonly string[]) {
  const { code, stdout, stderr } = await scene.dray("copy", "-q", ...flags, ...args);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

interface Told {
  readonly digest: string;
  readonly outcome: string;
  readonly size?: number;
}

const outcomes = (blobs: readonly Told[]) =>
  blobs.map(({ digest, outcome }) => `${outcome} ${digest}`).toSorted();

/** Copies for show and then in earnest, and holds the one against the other. */
async function expectForeseen(scene: Scene, args: readonly string[], look: () => unknown) {
  const before = look();
  const forecast = await foreseen(scene, ...args);
  expect(look()).toEqual(before);
  const result = await copied(scene, ...args);
  const [said] = forecast.copies[0].destinations;
  const [is] = result.copies[0].destinations;
  const blobs: readonly Told[] = said.images.flatMap(
    (each: { readonly blobs: readonly Told[] }) => each.blobs,
  );
  expect(outcomes(blobs)).toEqual(outcomes(is.blobs));
  if (forecast.totals.unknown === 0) {
    expect(said.digest).toBe(is.digest);
    expect(forecast.totals.bytes).toEqual(result.summary.bytes);
  }
  expect(said.mediaType).toBe(is.mediaType);
  expect(forecast.totals.blobs).toEqual(result.summary.blobs);
  return { forecast, result };
}

/** Puts a sample where copies of it come from. */
function source(counted: Counted, sample: Sample): string {
  addSample(counted.registry.repository("from/here"), "1", sample);
  return `docker://${counted.registry.host}/from/here:1`;
}

describe("--dry-run to a registry", () => {
  test.each([
    ["an image", image, []],
    ["an image that is partly there", image, [0]],
    ["an image that is there", image, [0, 1, 2]],
    ["a list", list, []],
    ["a list of which some is there", list, [0, 2, 5]],
  ] as const)("says how many bytes it will see: %s", async (_, sample, there) => {
    await using scene = new Scene();
    await using from = startCounted();
    await using into = startCounted();
    const name = source(from, sample);
    const repository = into.registry.repository("to/there");
    for (const index of there)
      repository.addBlob(blobsOf(sample)[index]?.bytes ?? new Uint8Array());
    const args = ["--all", name, `docker://${into.registry.host}/to/there:1`];
    const forecast = await foreseen(scene, ...args);
    expect([...into.look()].every((method) => method === "GET" || method === "HEAD")).toBe(true);
    expect(into.bytes.sent).toBe(0);
    // The beginnings of layers are looked at, and small layers have no more.
    from.bytes.read = 0;
    expect(repository.manifests.size + repository.uploads.size).toBe(0);
    await copied(scene, ...args);
    expect(into.bytes.sent).toBe(forecast.totals.bytes.sent);
    expect(from.bytes.read).toBe(forecast.totals.bytes.read);
    expect(forecast.totals.unknown).toBe(0);
  });

  test("says what a neighbour gives, without asking for it", async () => {
    await using scene = new Scene();
    await using one = startCounted();
    const name = source(one, image);
    const args = [name, `docker://${one.registry.host}/to/there:1`];
    const forecast = await foreseen(scene, ...args);
    expect([...one.look()].every((method) => method === "GET" || method === "HEAD")).toBe(true);
    expect(forecast.totals.blobs).toEqual({ sent: 0, reused: 0, mounted: 3 });
    const result = await copied(scene, ...args);
    expect(result.summary.blobs).toEqual(forecast.totals.blobs);
    expect(one.bytes.sent).toBe(0);
  });

  test("says which layers would be compressed, and that their size is not known", async () => {
    await using scene = new Scene();
    await using into = startCounted();
    writeDirectory(scene.at("plain"), plain);
    const args = ["dir:plain", `docker://${into.registry.host}/to/there:1`];
    const { forecast } = await expectForeseen(scene, args, () => into.bytes.sent);
    const [{ blobs }] = forecast.copies[0].destinations[0].images;
    expect(blobs.map(({ changes }: { changes: readonly string[] }) => changes)).toEqual([
      ["compress"],
      [],
      [],
    ]);
    expect(forecast.totals.unknown).toBe(1);
  });
});

describe.each([
  ["dir", (scene: Scene) => `dir:${scene.at("to")}`],
  ["oci", (scene: Scene) => `oci:${scene.at("to")}:1`],
  ["oci-archive", (scene: Scene) => `oci-archive:${scene.at("to.tar")}:1`],
  ["docker-archive", (scene: Scene) => `docker-archive:${scene.at("to.tar")}:a/b:1`],
] as const)("--dry-run to %s", (kind, nameIn) => {
  test.each([
    ["an image", image],
    ["an image with an uncompressed layer", plain],
    ["a list", list],
  ] as const)("says what then happens, also the second time: %s", async (_, sample) => {
    if (kind === "docker-archive" && sample.kind === "list") return;
    await using scene = new Scene();
    await using from = startCounted();
    const append = kind === "docker-archive" ? ["--dest-append"] : [];
    const args = ["--all", ...append, source(from, sample), nameIn(scene)];
    const look = () => treeOf(scene.path);
    await expectForeseen(scene, args, look);
    const again = await expectForeseen(scene, args, look);
    if (kind === "dir") expect(again.forecast.totals.blobs.sent).toBe(0);
  });
});

test("--dry-run to docker-daemon loads nothing", async () => {
  await using scene = new Scene();
  await using engine = startScriptedEngine({ keeps: true });
  writeDirectory(scene.at("image"), image);
  const { host } = await engine.context().settings.dockerDaemon!.connection();
  const before = treeOf(engine.workspace.path);
  const args = ["--dest-daemon-host", host, "dir:image", "docker-daemon:a/b:1"];
  await expectForeseen(scene, args, () => before);
});

describe("--dry-run", () => {
  test("shows its plan to people, and changes nothing, not even a directory", async () => {
    await using scene = new Scene();
    writeDirectory(scene.at("image"), image);
    const before = treeOf(scene.path);
    const { code, stdout, stderr } = await scene.dray(
      ...["copy", "--dry-run", "--digestfile", "digest", "dir:image", "oci:there:1"],
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`send `);
    expect(stdout).toEndWith("Nothing was written.\n");
    expect(treeOf(scene.path)).toEqual(before);
    const quiet = await scene.dray("copy", "-q", "--dry-run", "dir:image", "oci:there:1");
    expect([quiet.code, quiet.stdout, quiet.stderr]).toEqual([0, "", ""]);
  });

  test("says that the policy rejects the image, and exits as the copy would", async () => {
    await using scene = new Scene();
    writeDirectory(scene.at("image"), image);
    await Bun.write(scene.at("policy"), '{"default":[{"type":"reject"}]}');
    const { run } = await import("../support/run.ts");
    const args = ["--policy", "policy", "copy", "--dry-run", ...flags, "dir:image", "oci:there:1"];
    const { code, stdout, stderr } = await run(args, { cwd: scene.path });
    expect(code).toBe(1);
    expect(stderr).toContain("Source image rejected");
    const forecast = JSON.parse(stdout);
    expect(schemaFaults(forecast, forecastSchema())).toEqual([]);
    expect(forecast).toMatchObject({
      ok: false,
      copies: [{ policy: [{ verdict: "rejected", refusedBy: "reject" }] }],
    });
    expect(existsSync(scene.at("there"))).toBe(false);
  });

  test.each([
    ["an archive that has images", "docker-archive:full.tar:a:1", "modifying existing images"],
    ["a directory that is none", "dir:.", "don't want to overwrite"],
    ["a registry that is not there", "docker://127.0.0.1:1/a", "connection refused"],
    ["what cannot be written", "tarball:x.tar", "dry run to tarball:x.tar is not possible"],
  ])("fails as the copy would: %s", async (_, to, message) => {
    await using scene = new Scene();
    writeDirectory(scene.at("image"), image);
    for (const name of ["full.tar", "x.tar"]) await Bun.write(scene.at(name), "something");
    const { code, stderr } = await scene.dray("copy", "--dry-run", "dir:image", to);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  test("fails as the copy would: an archive that cannot keep such a manifest", async () => {
    await using scene = new Scene();
    writeDirectory(scene.at("image"), image);
    const args = ["copy", "-q", "--format", "oci", "dir:image", "docker-archive:new.tar:a:1"];
    const [dry, real] = [await scene.dray(...args, "--dry-run"), await scene.dray(...args)];
    expect([dry.code, real.code]).toEqual([1, 1]);
    for (const { stderr } of [dry, real])
      expect(stderr).toContain("need a Docker schema 2 manifest");
    expect(existsSync(scene.at("new.tar"))).toBe(false);
  });

  test("goes to several destinations, and may have standard output to itself", async () => {
    await using scene = new Scene();
    writeDirectory(scene.at("image"), image);
    const before = treeOf(scene.path);
    const forecast = await foreseen(
      scene,
      ...["dir:image", "docker-archive:-:a:1", "--also", "oci:there:1", "--also", "dir:here"],
    );
    expect(forecast.copies[0].destinations).toHaveLength(3);
    const [, layout, directory] = forecast.copies[0].destinations;
    expect(directory.totals.bytes.sent).toBe(forecast.totals.bytes.read);
    expect(layout.ok).toBe(true);
    expect(treeOf(scene.path)).toEqual(before);
  });
});

describe("delete", () => {
  const deleting = ["delete", "--output", "json", "--tls-verify=false"];

  test("--dry-run says what would be taken away, and takes nothing", async () => {
    await using scene = new Scene();
    await using registry = startRegistry();
    addSample(registry.repository("a/b"), "1", image);
    const name = `docker://${registry.host}/a/b:1`;
    const { code, stdout } = await scene.dray(...deleting, "--dry-run", name);
    expect(code).toBe(0);
    const said = JSON.parse(stdout);
    expect(schemaFaults(said, deletionSchema())).toEqual([]);
    const { digest } = image.manifest;
    expect(said).toMatchObject({ dryRun: true, ok: true, image: name, digest });
    expect(registry.repository("a/b").tags.size).toBe(1);
    const people = await scene.dray("delete", "--dry-run", "--tls-verify=false", name);
    expect(people.stdout).toStartWith(`Deleting ${name}, which is ${digest}\n  manifest`);
    expect(people.stdout).toEndWith("Nothing was deleted.\n");
  });

  test("--output json says what was taken away, and why it was not", async () => {
    await using scene = new Scene();
    await scene.copy(...(await made(scene)));
    const done = await scene.dray("delete", "--output", "json", "oci:to:1");
    expect(done.code).toBe(0);
    const said = JSON.parse(done.stdout);
    expect(schemaFaults(said, deletionSchema())).toEqual([]);
    expect(said).toMatchObject({ dryRun: false, ok: true });
    expect(said.removals).toHaveLength(4);
    const again = await scene.dray("delete", "--output", "json", "oci:to:1");
    expect(again.code).toBe(2);
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: false, failure: { code: "not-found" } });
    expect(again.stderr).toContain("no descriptor found");
  });

  test("says nothing by itself, as the original", async () => {
    await using scene = new Scene();
    await scene.copy(...(await made(scene)));
    const { code, stdout, stderr } = await scene.dray("delete", "oci:to:1");
    expect([code, stdout, stderr]).toEqual([0, "", ""]);
  });
});

/** Makes an image in a directory, and returns from where to where it is to be copied. */
async function made(scene: Scene): Promise<readonly string[]> {
  writeDirectory(scene.at("image"), image);
  return ["-q", "dir:image", "oci:to:1"];
}
