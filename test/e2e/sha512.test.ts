// SHA-512: images whose parts go by other digests than most, wherever a digest is taken.

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { registryProgram } from "../support/peers.ts";
import { startRegistry } from "../support/registry-server.ts";
import { addRehashed, rehashed, writeRehashedDirectory } from "../support/rehashed.ts";
import { hexOf, sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { treeOf } from "../support/trees.ts";

const image = rehashed(sampleImage({ format: "oci" }));

describe("SHA-512", () => {
  test("names the files of directories and layouts, there and back", async () => {
    await using scene = new Scene();
    writeRehashedDirectory(scene.at("from"), image);
    await scene.copy("dir:from", "oci:layout:1");
    const files = readdirSync(scene.at("layout/blobs/sha512"));
    const blobs = [image.config, ...image.layers].map(({ digest }) => hexOf(digest));
    expect(files.toSorted()).toEqual(blobs.toSorted());
    await scene.copy("oci:layout:1", "dir:back");
    expect(treeOf(scene.at("back"))).toEqual(treeOf(scene.at("from")));
  });

  testWith(registryProgram)(
    "goes through a registry, mounts and conversions included",
    async () => {
      await using scene = new Scene();
      const host = await scene.registry();
      writeRehashedDirectory(scene.at("from"), image);
      await scene.copy("dir:from", `docker://${host}/a/b:1`);
      await scene.copy(`docker://${host}/a/b:1`, `docker://${host}/c/d:1`);
      await scene.copy(`docker://${host}/c/d:1`, "dir:back");
      expect(treeOf(scene.at("back"))).toEqual(treeOf(scene.at("from")));
      await scene.copy("--format=v2s2", "dir:from", `docker://${host}/e/f:1`);
      await scene.copy("--format=v2s1", "dir:from", "dir:old");
      const old = JSON.parse(readFileSync(scene.at("old/manifest.json"), "utf8"));
      expect(old.fsLayers.at(-1)).toEqual({ blobSum: image.layers[0]?.digest });
      await scene.copy("--format=oci", "dir:old", "dir:new");
      const { layers } = JSON.parse(readFileSync(scene.at("new/manifest.json"), "utf8"));
      expect(layers).toMatchObject(image.layers.map(({ digest }) => ({ digest })));
    },
  );

  test("keeps a config that is stored under another type", async () => {
    await using scene = new Scene();
    writeRehashedDirectory(scene.at("from"), image);
    await scene.copy("--format=v2s2", "dir:from", "dir:docker");
    const { config } = JSON.parse(readFileSync(scene.at("docker/manifest.json"), "utf8"));
    expect(config.digest).toBe(image.config.digest);
    expect(readFileSync(scene.at("docker", `sha512-${hexOf(config.digest)}`))).toEqual(
      Buffer.from(image.config.bytes),
    );
  });

  test("pins what is read and what is written", async () => {
    await using scene = new Scene();
    await using registry = startRegistry();
    addRehashed(registry.repository("a/b"), image);
    const name = `docker://${registry.host}/a/b@${image.manifest.digest}`;
    const target = `docker://${registry.host}/c/d@${image.manifest.digest}`;
    await scene.copy(name, "dir:read");
    expect(readFileSync(scene.at("read/manifest.json"))).toEqual(Buffer.from(image.manifest.bytes));
    // Whoever pins nothing knows it by the usual digest; the content is the same.
    await scene.copy("--digestfile=digest", "dir:read", target);
    expect(readFileSync(scene.at("digest"), "utf8")).toBe(image.manifest.digest);
    expect(registry.repository("c/d").manifests.has(image.manifest.digest)).toBe(true);
    const inspected = await scene.dray("inspect", "--tls-verify=false", "--no-tags", target);
    expect(JSON.parse(inspected.stdout).Digest).toBe(image.manifest.digest);
  });

  test.each([
    ["read", (host: string, digest: string) => [`docker://${host}/a/b@${digest}`, "dir:out"]],
    ["written", (host: string, digest: string) => ["dir:from", `docker://${host}/c/d@${digest}`]],
  ])("C1 is not what is %s if the digest is another's", async (_, names) => {
    await using scene = new Scene();
    await using registry = startRegistry();
    writeRehashedDirectory(scene.at("from"), image);
    const repository = registry.repository("a/b");
    addRehashed(repository, image);
    const digest = `sha512:${"0".repeat(128)}`;
    const { bytes, mediaType } = image.manifest;
    repository.manifests.set(digest, { bytes, mediaType });
    const open = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    const { code, stderr } = await scene.dray("copy", ...open, ...names(registry.host, digest));
    expect(code).toBe(1);
    expect(stderr).toMatch(/would not match destination reference|does not match provided/);
    expect(registry.repository("c/d").manifests.size).toBe(0);
  });

  test("names the images of a list, which stays as it is", async () => {
    await using scene = new Scene();
    await using registry = startRegistry();
    const list = rehashed(sampleList({ attested: false }));
    addRehashed(registry.repository("a/b"), list);
    const [from, to] = ["a/b", "c/d"].map(
      (name) => `docker://${registry.host}/${name}@${list.manifest.digest}`,
    );
    await scene.copy("--all", from ?? "", to ?? "");
    const { manifests } = registry.repository("c/d");
    for (const { manifest } of [list, ...list.images]) {
      expect(Buffer.from(manifests.get(manifest.digest)?.bytes ?? [])).toEqual(
        Buffer.from(manifest.bytes),
      );
    }
    await scene.copy("--all", from ?? "", "dir:all");
    expect(readFileSync(scene.at("all/manifest.json"))).toEqual(Buffer.from(list.manifest.bytes));
    await scene.copy("--all", "dir:all", "oci:layout:1");
    for (const { manifest } of list.images) {
      expect(readdirSync(scene.at("layout/blobs/sha512"))).toContain(hexOf(manifest.digest));
    }
    // What is rewritten goes by the usual digest, since nobody has asked for another.
    await scene.copy("--all", "--format=v2s2", "dir:all", "dir:rewritten");
    const rewritten = JSON.parse(readFileSync(scene.at("rewritten/manifest.json"), "utf8"));
    for (const { digest } of rewritten.manifests) expect(digest).toMatch(/^sha256:/);
  });
});
