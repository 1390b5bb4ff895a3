// The gate: what a policy keeps out, which policies are none, and what it is asked about.

import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { run } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { startRegistry } from "../support/registry-server.ts";
import { treeOf } from "../support/trees.ts";

const reject = { default: [{ type: "reject" }] };
const accept = { default: [{ type: "insecureAcceptAnything" }] };
const open = ["--src-tls-verify=false", "--dest-tls-verify=false"];

describe("G1: a policy that rejects", () => {
  test("keeps what the destination held before", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage({ format: "oci" }));
    for (const kind of ["dir", "oci"] as const) {
      const destination = await scene.store(kind);
      await destination.fill(sampleImage({ format: "oci", seed: "old" }));
      const before = treeOf(scene.path);
      const result = await withPolicy(scene, reject, "copy", source.image, destination.image);
      expect(result.code).toBe(1);
      expect({ ...treeOf(scene.path), "policy.json": "" }).toEqual({
        ...before,
        "policy.json": "",
      });
    }
  });
});

describe("G1: a policy with scopes", () => {
  test("lets in one repository and not its neighbour", async () => {
    await using scene = new Scene();
    await using registry = startRegistry();
    const one = await scene.storeAt("docker", registry.host);
    const other = await scene.storeAt("docker", registry.host);
    for (const store of [one, other]) await store.fill(sampleImage());
    const scope = one.image.slice("docker://".length, -":1".length);
    const policy = { ...reject, transports: { docker: { [scope]: accept.default } } };
    const first = await withPolicy(scene, policy, "copy", ...open, one.image, "dir:one");
    expect(first).toMatchObject({ code: 0 });
    const second = await withPolicy(scene, policy, "copy", ...open, other.image, "dir:other");
    expect(second.code).toBe(1);
    expect(existsSync(scene.at("other"))).toBe(false);
  });

  test("decides about directories by where they really are", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    const policy = { ...reject, transports: { dir: { [scene.path]: accept.default } } };
    expect(await withPolicy(scene, policy, "copy", source.image, "dir:there")).toMatchObject({
      code: 0,
    });
  });
});

describe("G4 and G5: a policy that cannot be read or decided", () => {
  test.each([
    [
      "a signature that nobody checks yet",
      { default: [{ type: "signedBy", keyType: "GPGKeys", keyPath: "/no/such/key" }] },
    ],
    [
      "sigstore without a key file",
      { default: [{ type: "sigstoreSigned", keyPath: "/no/such/key" }] },
    ],
    ["an unknown requirement", { default: [{ type: "hope" }] }],
    ["no requirement", { default: [] }],
    ["no default", { transports: {} }],
    ["an unknown key", { ...accept, defaults: [] }],
  ])("refuses with %s", async (_, policy) => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    const result = await withPolicy(scene, policy, "copy", source.image, "dir:there");
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(/^time="[^"]+" level=fatal msg="[^\n]+"\n/);
    expect(existsSync(scene.at("there"))).toBe(false);
  });

  test.each([
    [
      "a repeated key",
      '{"default":[{"type":"insecureAcceptAnything"}],"default":[{"type":"reject"}]}',
    ],
    [
      "a repeated key in disguise",
      '{"default":[{"type":"reject"}],"def\\u0061ult":[{"type":"insecureAcceptAnything"}]}',
    ],
    ["something after its end", '{"default":[{"type":"insecureAcceptAnything"}]} {}'],
    ["nothing", ""],
  ])("refuses a file with %s", async (_, text) => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    const result = await withPolicy(scene, text, "copy", source.image, "dir:there");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("Error loading trust policy: invalid policy in ");
    expect(existsSync(scene.at("there"))).toBe(false);
  });

  test("--policy that is missing is an error", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    const args = ["--policy=/no/such/policy.json", "copy", source.image, "dir:there"];
    const result = await run(args, { cwd: scene.path });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(
      "Error loading trust policy: open /no/such/policy.json: no such file or directory",
    );
    expect(existsSync(scene.at("there"))).toBe(false);
  });

  test("--require-signed refuses where no rule asks for a signature", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    const result = await withPolicy(
      scene,
      accept,
      "--require-signed",
      "copy",
      source.image,
      "dir:there",
    );
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("No signature verification policy found for image dir:");
    const both = await scene.dray("--require-signed", "copy", source.image, "dir:there");
    expect(both.stderr).toContain("--insecure-policy and --require-signed are mutually exclusive");
    expect(existsSync(scene.at("there"))).toBe(false);
  });

  test("inspect asks no policy", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    expect(await withPolicy(scene, reject, "inspect", source.image)).toMatchObject({ code: 0 });
  });
});

describe("G2: a tag that moves", () => {
  test("is judged and carried as it was first seen, with one look", async () => {
    await using scene = new Scene();
    let looks = 0;
    const [first, second] = [sampleImage(), sampleImage({ seed: "second" })];
    await using registry = startRegistry({
      intercept: async ({ method, target }, usual) => {
        if (method !== "GET" || !target.endsWith("/manifests/1")) return await usual();
        looks += 1;
        const { bytes, mediaType } = looks === 1 ? first.manifest : second.manifest;
        return new Response(Buffer.from(bytes), { headers: { "content-type": mediaType } });
      },
    });
    const source = await scene.storeAt("docker", registry.host);
    await source.fill(second);
    await source.fill(first);
    await scene.copy(source.image, "dir:there");
    expect(looks).toBe(1);
  });
});

function withPolicy(scene: Scene, policy: object | string, ...args: readonly string[]) {
  const file = scene.at("policy.json");
  writeFileSync(file, typeof policy === "string" ? policy : JSON.stringify(policy));
  return run([`--policy=${file}`, ...args], { cwd: scene.path });
}
