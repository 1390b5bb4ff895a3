// Schema 1: images of the first registries are read and written as the original does it.

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { original, testWith } from "../support/needs.ts";
import { type PeerRegistry, registryProgram, startPeerRegistry } from "../support/peers.ts";
import { hexOf, sampleImage, writeDirectory } from "../support/sample-images.ts";
import { schema1Image, writeSchema1Directory } from "../support/sample-schema1.ts";
import { Scene } from "../support/scene.ts";
import { treeOf } from "../support/trees.ts";

const bothTest = testWith(registryProgram, original());
const originalTest = testWith(original());
const registryTest = testWith(registryProgram);

const emptyLayer = "a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4";
const signedType = "application/vnd.docker.distribution.manifest.v1+prettyjws";

describe("copy of schema 1", () => {
  for (const format of ["v2s2", "oci"]) {
    originalTest(`converts to ${format} to the byte as the original does`, async () => {
      await using scene = new Scene();
      const image = schema1Image({ odd: false });
      writeSchema1Directory(scene.at("old"), image);
      await scene.copy(`--format=${format}`, "dir:old", "dir:ours");
      await scene.originalCopy(`--format=${format}`, "dir:old", "dir:theirs");
      const { [emptyLayer]: unnamed, ...theirs } = treeOf(scene.at("theirs"));
      expect(treeOf(scene.at("ours"))).toEqual(theirs);
      const manifest = json(scene, "ours", "manifest.json");
      const config = json(scene, "ours", hexOf(manifest.config.digest));
      expect(config.rootfs.diff_ids).toEqual(image.diffIds);
    });
  }

  bothTest(
    "reads what the original wrote to a registry, and the original what we did",
    async () => {
      await using scene = new Scene();
      await using registry = await oldRegistry(scene);
      writeDirectory(scene.at("new"), sampleImage({ odd: false }));
      const [ours, theirs] = ["ours", "theirs"].map(
        (name) => `docker://${registry.host}/${name}/x:1`,
      );
      await scene.copy("--format=v2s1", "dir:new", ours ?? "");
      await scene.originalCopy("--format=v2s1", "dir:new", theirs ?? "");
      // The registry signs anew what it gives out, and the two have different names.
      const [written, expected] = await Promise.all(
        ["ours", "theirs"].map(async (name) => {
          const { signatures, name: own, ...manifest } = await manifestAt(registry, `${name}/x`);
          expect(own).toBe(`${name}/x`);
          return manifest;
        }),
      );
      expect(written).toEqual(expected);
      for (const format of ["v2s2", "oci"]) {
        await scene.copy(`--format=${format}`, theirs ?? "", `dir:${format}-1`);
        await scene.originalCopy(`--format=${format}`, ours ?? "", `dir:${format}-2`);
        const { [emptyLayer]: unnamed, ...read } = treeOf(scene.at(`${format}-2`));
        expect(treeOf(scene.at(`${format}-1`))).toEqual(read);
      }
    },
  );

  originalTest(
    "writes the manifest to a directory as the original does, but for the key",
    async () => {
      await using scene = new Scene();
      for (const format of ["docker", "oci"] as const) {
        writeDirectory(scene.at(format), sampleImage({ format, odd: false }));
        await scene.copy("--format=v2s1", `dir:${format}`, `dir:${format}-1`);
        await scene.originalCopy("--format=v2s1", `dir:${format}`, `dir:${format}-2`);
        const [ours, theirs] = [1, 2].map((number) => {
          const tree = { ...treeOf(scene.at(`${format}-${number}`)), "manifest.json": "" };
          const text = readFileSync(scene.at(`${format}-${number}`, "manifest.json"), "utf8");
          return { tree, payload: text.slice(0, text.indexOf(',"signatures":')) };
        });
        expect(ours).toEqual(theirs);
      }
    },
  );

  registryTest("is taken by a registry that verifies signatures, under another name", async () => {
    await using scene = new Scene();
    await using registry = await oldRegistry(scene);
    writeSchema1Directory(scene.at("old"), schema1Image());
    await scene.copy("dir:old", `docker://${registry.host}/a/b:2`);
    expect(await manifestAt(registry, "a/b", "2")).toMatchObject({ name: "a/b", tag: "2" });
    await scene.copy(`docker://${registry.host}/a/b:2`, `docker://${registry.host}/c/d:3`);
    expect(await manifestAt(registry, "c/d", "3")).toMatchObject({ name: "c/d", tag: "3" });
    // What was cut or changed on its way is refused there, so what was taken is whole.
    await scene.copy(`docker://${registry.host}/c/d:3`, "dir:signed");
    const text = readFileSync(scene.at("signed", "manifest.json"), "utf8");
    const broken = text.replace('"tag":"3"', '"tag":"4"');
    const put = (body: string) =>
      fetch(`http://${registry.host}/v2/c/d/manifests/4`, {
        method: "PUT",
        headers: { "content-type": signedType },
        body,
      });
    expect((await put(broken)).status).toBe(400);
    expect((await put(text)).status).toBe(201);
  });

  registryTest("comes back by the digest of what was signed", async () => {
    await using scene = new Scene();
    await using registry = await oldRegistry(scene);
    writeSchema1Directory(scene.at("old"), schema1Image());
    await scene.copy("--digestfile=digest", "dir:old", `docker://${registry.host}/a/b:2`);
    const digest = readFileSync(scene.at("digest"), "utf8");
    await scene.copy("--digestfile=again", `docker://${registry.host}/a/b@${digest}`, "dir:back");
    expect(readFileSync(scene.at("again"), "utf8")).toBe(digest);
    await scene.copy("--preserve-digests", `docker://${registry.host}/a/b@${digest}`, "oci:kept:1");
    expect(readdirSync(scene.at("kept/blobs/sha256"))).toContain(hexOf(digest));
  });

  test("stays as it is where digests are to stay, but not under another name", async () => {
    await using scene = new Scene();
    writeSchema1Directory(scene.at("old"), schema1Image());
    await scene.copy("--preserve-digests", "dir:old", "dir:same");
    expect(treeOf(scene.at("same"))).toEqual(treeOf(scene.at("old")));
  });

  registryTest("is not renamed where digests are to stay", async () => {
    await using scene = new Scene();
    await using registry = await oldRegistry(scene);
    writeSchema1Directory(scene.at("old"), schema1Image());
    const name = `${registry.host}/a/b:2`;
    const flags = ["--preserve-digests", "--dest-tls-verify=false"];
    const { code, stderr } = await scene.dray("copy", ...flags, "dir:old", `docker://${name}`);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `Copying a schema1 image with an embedded Docker reference to docker://${name} (Docker reference ${name}) would change the manifest, which we cannot do: \\"Instructed to preserve digests\\"`,
    );
  });
});

function oldRegistry(scene: Scene): Promise<PeerRegistry> {
  return startPeerRegistry({ directory: scene.at(".old-registry"), schema1: true });
}

async function manifestAt({ host }: PeerRegistry, repository: string, tag = "1") {
  const headers = { accept: signedType };
  const response = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, { headers });
  expect(response.headers.get("content-type")).toBe(signedType);
  return JSON.parse(await response.text());
}

function json(scene: Scene, ...names: readonly string[]) {
  return JSON.parse(readFileSync(scene.at(...names), "utf8"));
}
