import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";

import { testWith } from "../support/needs.ts";
import { sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const list = sampleList({ seed: "lists" });
const docker = sampleList({ seed: "lists", format: "docker" });
const some = "--multi-arch=linux/amd64, linux/arm/v7";

describe("--multi-arch OS/ARCH", () => {
  test("copies some images, and the list as it is", async () => {
    await using scene = new Scene();
    const source = await scene.store("oci");
    const destination = await scene.store("dir");
    await source.fill(list);
    const { stdout } = await scene.copy(some, source.image, destination.image);
    expect(stdout).toContain("Copying 2 images generated from 5 images in list\n");
    expect(await destination.manifest()).toEqual(list.manifest.bytes);
    const there = [];
    for (const { manifest } of list.images) {
      there.push(
        await destination.instance(manifest.digest).then(
          () => true,
          () => false,
        ),
      );
    }
    expect(there).toEqual([true, false, true, false, false]);
  });

  testWith("docker-registry")("to a registry needs --strip-removed-platforms", async () => {
    await using scene = new Scene();
    const source = await scene.store("oci");
    await source.fill(docker);
    const name = `docker://${await scene.registry()}/some:1`;
    const sparse = await scene.dray("copy", "--dest-tls-verify=false", some, source.image, name);
    expect(sparse.code).toBe(1);
    expect(sparse.stderr).toContain("blob unknown to registry");
    expect(sparse.stderr).toContain("hint: the destination wants all images of a list: ");
    const digestFile = scene.at("digest");
    const flags = ["--strip-removed-platforms", `--digestfile=${digestFile}`];
    await scene.copy(some, ...flags, source.image, name);
    const { stdout } = await scene.dray("inspect", "--raw", "--tls-verify=false", name);
    const whole = JSON.parse(new TextDecoder().decode(docker.manifest.bytes));
    const { manifests } = whole;
    expect(JSON.parse(stdout)).toEqual({ ...whole, manifests: [manifests[0], manifests[2]] });
    const digest = `sha256:${Bun.CryptoHasher.hash("sha256", stdout, "hex")}`;
    expect(readFileSync(digestFile, "utf8")).toBe(digest);
  });

  test("says what there is", async () => {
    await using scene = new Scene();
    const source = await scene.store("oci");
    await source.fill(list);
    const result = await scene.dray("copy", "--multi-arch=linux/s390x", source.image, "dir:there");
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain(
      "preparing instances for copy: no instances found for platform linux/s390x",
    );
    expect(result.stderr).toContain("hint: it has linux/amd64, linux/arm64/v8, linux/arm/v7");
  });
});
