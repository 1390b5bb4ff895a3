// Uploads in pieces, and tags without their images, at real registries and at one that is strict.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { testWith } from "../support/needs.ts";
import { registryProgram, startPeerRegistry } from "../support/peers.ts";
import { startRegistry } from "../support/registry-server.ts";
import { run, succeed } from "../support/run.ts";
import { sampleImage, writeDirectory } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { treeOf } from "../support/trees.ts";
import { Workspace } from "../support/workspace.ts";

setDefaultTimeout(180_000);

const copying = [
  "--insecure-policy",
  "copy",
  "-q",
  "--src-tls-verify=false",
  "--dest-tls-verify=false",
];

function workspaceWithImage(): Workspace {
  const workspace = new Workspace();
  const layers = ["gzip", "zstd", "gzip"] as const;
  writeDirectory(workspace.at("image"), sampleImage({ seed: "uploads", format: "oci", layers }));
  return workspace;
}

describe("copy in pieces", () => {
  testWith(registryProgram)("is whole in docker-registry", async () => {
    using workspace = workspaceWithImage();
    const cwd = workspace.path;
    await using registry = await startPeerRegistry({ directory: workspace.at("registry") });
    const name = `docker://${registry.host}/a/b:1`;
    await succeed([...copying, "--dest-upload-chunk-size=700", "dir:image", name], { cwd });
    expect(registry.log().match(/http\.request\.method=PATCH/g)?.length).toBeGreaterThan(4);
    await succeed([...copying, name, "dir:back"], { cwd });
    expect(treeOf(workspace.at("back"))).toEqual(treeOf(workspace.at("image")));
  });

  test("keeps to the letter of the specification", async () => {
    using workspace = workspaceWithImage();
    const cwd = workspace.path;
    await using registry = startRegistry({ strictPieces: true });
    const name = `docker://${registry.host}/a/b:1`;
    await succeed([...copying, "--dest-upload-chunk-size", "1k", "dir:image", name], { cwd });
    await succeed([...copying, name, "dir:back"], { cwd });
    expect(treeOf(workspace.at("back"))).toEqual(treeOf(workspace.at("image")));
  });

  test("says what a size looks like", async () => {
    using workspace = new Workspace();
    const { code, stderr } = await run(
      [...copying, "--dest-upload-chunk-size=much", "dir:a", "dir:b"],
      { cwd: workspace.path },
    );
    expect(code).toBe(1);
    expect(stderr).toContain("write a number of bytes, or one with k, M or G behind it");
  });
});

describe("delete --tag-only", () => {
  const remove = ["delete", "--tls-verify=false", "--tag-only"];

  test("removes one of two tags", async () => {
    using workspace = workspaceWithImage();
    const cwd = workspace.path;
    await using registry = startRegistry();
    for (const tag of ["1", "2"]) {
      await succeed([...copying, "dir:image", `docker://${registry.host}/a/b:${tag}`], { cwd });
    }
    await succeed([...remove, `docker://${registry.host}/a/b:1`], { cwd });
    expect([...registry.repository("a/b").tags.keys()]).toEqual(["2"]);
    expect(registry.repository("a/b").manifests.size).toBe(1);
  });

  testWith(registryProgram)(
    "says that docker-registry cannot do it, and deletes nothing",
    async () => {
      using workspace = workspaceWithImage();
      const cwd = workspace.path;
      await using registry = await startPeerRegistry({ directory: workspace.at("registry") });
      const name = `docker://${registry.host}/a/b:1`;
      await succeed([...copying, "dir:image", name], { cwd });
      const { code, stderr } = await run([...remove, name], { cwd });
      expect(code).toBe(1);
      expect(stderr).toContain("cannot remove a tag and keep its image, nothing was deleted");
      expect(stderr).toContain("hint: without --tag-only, the image is deleted");
      await succeed([...copying, name, "dir:still-there"], { cwd });
    },
  );
});

describe("a registry that refuses layers", () => {
  // The runtime waited on for uploads that had been given up, in one run of six.
  test("keeps no run from ending", async () => {
    await using scene = new Scene();
    await using registry = startRegistry({
      intercept: async ({ method, request }, usual) => {
        if (method !== "PATCH") return await usual();
        const reader = request.body?.getReader();
        await reader?.read();
        await reader?.cancel();
        return new Response("no", { status: 403 });
      },
    });
    const source = await scene.store("dir");
    await source.fill(sampleImage({ seed: "refused", ballastBytes: 300_000 }));
    for (let count = 0; count < 16; count++) {
      const began = performance.now();
      const to = `docker://${registry.host}/refused/image:1`;
      const { code } = await scene.dray("copy", "--dest-tls-verify=false", source.image, to);
      expect(code).toBe(1);
      expect(performance.now() - began).toBeLessThan(10_000);
    }
  });
});
