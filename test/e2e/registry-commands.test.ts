// inspect, list-tags, delete and manifest-digest: what they say is what the original says.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { original, testWith } from "../support/needs.ts";
import { registryProgram } from "../support/peers.ts";
import { pushSample } from "../support/push.ts";
import { sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { treeOf } from "../support/trees.ts";

const open = "--tls-verify=false";

describe("inspect", () => {
  const inspectTest = testWith(registryProgram, original());

  inspectTest("agrees with the original on everything it knows", async () => {
    await using scene = new Scene();
    const host = await scene.registry();
    const registry = `http://${host}`;
    const repository = "a/b";
    await pushSample({ registry, repository, tag: "docker" }, sampleImage());
    await pushSample({ registry, repository, tag: "oci" }, sampleImage({ format: "oci" }));
    await pushSample({ registry, repository, tag: "index" }, sampleList());
    for (const tag of ["docker", "oci", "index"]) {
      const image = `docker://${host}/a/b:${tag}`;
      for (const flags of [[], ["--no-tags"], ["--config"]]) {
        const args = ["inspect", open, ...flags, image];
        const [ours, theirs] = [await scene.dray(...args), await scene.original(...args)];
        expect(ours).toMatchObject({ code: 0, stderr: "" });
        // Old releases say less.
        expect(JSON.parse(ours.stdout)).toMatchObject(JSON.parse(theirs.stdout));
      }
      for (const flags of [
        ["--raw"],
        ["--config", "--raw"],
        ["--format={{.Name}} {{.Digest}} {{.Architecture}} {{.Created}}"],
        ["--format={{range .Layers}}{{println .}}{{end}}"],
      ]) {
        const args = ["inspect", open, ...flags, image];
        const [ours, theirs] = [await scene.dray(...args), await scene.original(...args)];
        expect(ours.stdout).toBe(theirs.stdout);
      }
    }
  });

  test("gives a manifest larger than a pipe whole", async () => {
    await using scene = new Scene();
    const layers = Array.from({ length: 800 }, () => "gzip" as const);
    const image = sampleImage({ layers, ballastBytes: 0, odd: false });
    const store = await scene.store("dir");
    await store.fill(image);
    const { stdout } = await scene.dray("inspect", "--raw", store.image);
    expect(stdout.length).toBeGreaterThan(100_000);
    expect(stdout).toBe(new TextDecoder().decode(image.manifest.bytes));
  });

  testWith(registryProgram)("exits with 2 where the image does not exist", async () => {
    await using scene = new Scene();
    const registry = `http://${await scene.registry()}`;
    await pushSample({ registry, repository: "a/b", tag: "1" }, sampleImage());
    const missing = `docker://${await scene.registry()}/a/b:2`;
    const inspected = await scene.dray("inspect", open, missing);
    expect(inspected.code).toBe(2);
    expect(inspected.stderr).toContain("manifest unknown");
    const copied = await scene.dray("copy", "--src-tls-verify=false", missing, "dir:there");
    expect(copied.code).toBe(2);
    expect(treeOf(scene.at("there"))).toEqual({});
  });
});

describe("list-tags", () => {
  testWith(registryProgram, original())("prints what the original prints", async () => {
    await using scene = new Scene();
    const host = await scene.registry();
    const image = sampleImage({ layers: [] });
    for (const tag of ["v1", "latest", "A_b.c-d"]) {
      await pushSample({ registry: `http://${host}`, repository: "a/b", tag }, image);
    }
    const args = ["list-tags", open, `docker://${host}/a/b`];
    expect((await scene.dray(...args)).stdout).toBe((await scene.original(...args)).stdout);
    const missing = await scene.dray("list-tags", open, `docker://${host}/no/such`);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("repository name not known to registry");
  });
});

describe("delete", () => {
  testWith(registryProgram)("deletes from a registry, once", async () => {
    await using scene = new Scene();
    const host = await scene.registry();
    const target = { registry: `http://${host}`, repository: "a/b", tag: "1" };
    await pushSample(target, sampleImage());
    const image = `docker://${host}/a/b:1`;
    expect(await scene.dray("delete", open, image)).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "",
    });
    const again = await scene.dray("delete", open, image);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(`Unable to delete ${host}/a/b:1. Image may not exist`);
  });

  test("deletes one of two images from a layout, and only what nobody else needs", async () => {
    await using scene = new Scene();
    const [a, b] = [sampleImage({ format: "oci" }), sampleImage({ format: "oci", seed: "other" })];
    const source = await scene.store("dir");
    await source.fill(a);
    await scene.copy(source.image, "oci:layout:a");
    await scene.copy(source.image, "oci:alone:a");
    await source.fill(b);
    await scene.copy(source.image, "oci:layout:b");
    expect(await scene.dray("delete", "oci:layout:b")).toMatchObject({ code: 0, stdout: "" });
    const left = { ...treeOf(scene.at("layout")), "index.json": "" };
    expect(left).toEqual({ ...treeOf(scene.at("alone")), "index.json": "" });
    const gone = await scene.dray("copy", "oci:layout:b", "dir:there");
    expect(gone.code).toBe(2);
  });
});

describe("manifest-digest", () => {
  test("is the digest of the file", async () => {
    await using scene = new Scene();
    const image = sampleImage();
    const store = await scene.store("dir");
    await store.fill(image);
    await scene.copy(store.image, "dir:there");
    const { code, stdout } = await scene.dray("manifest-digest", "there/manifest.json");
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${image.manifest.digest}\n` });
    expect(readFileSync(scene.at("there/manifest.json"))).toEqual(
      Buffer.from(image.manifest.bytes),
    );
  });
});
