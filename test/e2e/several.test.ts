import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

import { addSample } from "../support/push.ts";
import { startRegistry } from "../support/registry-server.ts";
import { run } from "../support/run.ts";
import { blobsOf, sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const image = sampleImage({ seed: "several", ballastBytes: 300_000 });
const list = sampleList({ seed: "several", format: "docker" });
const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];

describe("--also", () => {
  test.each([
    ["an image", image, []],
    ["a list", list, ["--all"]],
  ] as const)("fetches each blob of %s once for all", async (_, sample, flags) => {
    await using scene = new Scene();
    await using registry = startRegistry({ auth: { kind: "bearer" } });
    await using target = startRegistry();
    addSample(registry.repository("from/here"), "1", sample);
    const stores = [
      await scene.store("dir"),
      await scene.store("oci"),
      await scene.storeAt("docker", target.host),
    ];
    const [first = "", ...also] = stores.map((store) => store.image);
    const { stdout } = await scene.copy(
      ...flags,
      ...also.map((name) => `--also=${name}`),
      `docker://${registry.host}/from/here:1`,
      first,
    );
    // The layout converts it.
    for (const store of [stores[0], stores[2]]) {
      expect(await store?.manifest()).toEqual(sample.manifest.bytes);
    }
    for (const { digest, bytes } of blobsOf(sample)) {
      for (const store of [stores[0], stores[2]]) expect(await store?.blob(digest)).toEqual(bytes);
      const gets = registry.lines.filter((line) => line === `GET /v2/from/here/blobs/${digest}`);
      expect(gets).toHaveLength(1);
    }
    for (const store of stores) await scene.original("inspect", "--tls-verify=false", store.image);
    const lines = stdout.split("\n");
    const config = sample.kind === "image" ? sample.config.digest : "";
    expect(lines.filter((line) => line === `Copying config ${config}`).length).toBeLessThan(3);
    expect(lines).toContain("Writing manifest to image destination");
    expect(lines).toContain("[2] Writing manifest to image destination");
    expect(lines).toContain("[3] Writing manifest to image destination");
  });

  test("one that fails costs the others nothing, and the exit code tells", async () => {
    await using scene = new Scene();
    await using registry = startRegistry();
    await using broken = startRegistry({
      intercept: async ({ method, request }, usual) => {
        if (method !== "PATCH" && method !== "PUT") return await usual();
        // In mid-blob.
        const reader = request.body?.getReader();
        await reader?.read();
        await reader?.cancel();
        return new Response("no", { status: 403 });
      },
    });
    addSample(registry.repository("from/here"), "1", image);
    writeFileSync(scene.at("file"), "");
    const [first, last] = [await scene.store("dir"), await scene.store("dir")];
    const digestFile = scene.at("digest");
    const source = `docker://${registry.host}/from/here:1`;
    const result = await scene.dray(
      "copy",
      ...plain,
      `--digestfile=${digestFile}`,
      `--also=docker://${broken.host}/to/there:1`,
      "--also=oci:file:1",
      `--also=${last.image}`,
      source,
      first.image,
    );
    expect(result.code).toBe(3);
    const told = result.stderr.split("\n").filter((line) => line.includes("level="));
    expect(told).toHaveLength(3);
    expect(told[0]).toContain(`level=error msg="copying to docker://${broken.host}/to/there:1: `);
    expect(told[1]).toContain('level=error msg="copying to oci:file:1: initializing destination');
    expect(told[2]).toContain('level=fatal msg="Copying to 2 of 4 destinations failed"');
    expect(result.stderr).toEndWith("hint: the other destinations are complete\n");
    for (const store of [first, last]) {
      expect(await store.manifest()).toEqual(image.manifest.bytes);
    }
    expect(readFileSync(digestFile, "utf8")).toBe(image.manifest.digest);
    for (const { digest } of blobsOf(image)) {
      const gets = registry.lines.filter((line) => line === `GET /v2/from/here/blobs/${digest}`);
      expect(gets).toHaveLength(1);
    }
  });

  test("writes no digest where the first fails, and exits with 1 where all do", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(image);
    for (const name of ["file", "other"]) writeFileSync(scene.at(name), "");
    const flags = ["copy", "--digestfile=digest", source.image, "oci:file:1"];
    const some = await scene.dray(...flags, "--also=dir:there");
    expect(some.code).toBe(3);
    expect(existsSync(scene.at("digest"))).toBe(false);
    expect(existsSync(scene.at("there/manifest.json"))).toBe(true);
    const none = await scene.dray(...flags, "--also=dir:other");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("Copying to 2 of 2 destinations failed");
  });

  test("one of them may be standard output", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(image);
    const { code, stdout, stderr } = await scene.dray(
      "copy",
      "--also=docker-archive:-:a/b:1",
      source.image,
      "dir:there",
    );
    expect(code).toBe(0);
    expect(stdout).toStartWith(image.diffIds[0]?.slice(7) ?? "");
    expect(stderr).toContain("[2] Writing manifest to image destination");
  });

  test("the policy refuses for all of them", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(image);
    const policy = scene.at("policy.json");
    writeFileSync(policy, JSON.stringify({ default: [{ type: "reject" }] }));
    const words = [`--policy=${policy}`, "copy", "--also=oci:b:1", source.image, "dir:a"];
    const { code, stderr } = await run(words, { cwd: scene.path });
    expect(code).toBe(1);
    expect(stderr).toContain("Source image rejected");
    expect([existsSync(scene.at("a")), existsSync(scene.at("b"))]).toEqual([false, false]);
  });
});
