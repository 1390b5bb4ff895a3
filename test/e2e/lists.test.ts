import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";

import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { randomBytes } from "../support/random.ts";
import { executable, run } from "../support/run.ts";
import {
  mediaTypes,
  sampleImage,
  type SampleList,
  sampleList,
  writeDirectory,
} from "../support/sample-images.ts";
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

describe("lists and the original", () => {
  const flags = [
    ["--all"],
    ["--all", "--format=oci"],
    ["--all", "--format=v2s2"],
    ["--multi-arch=index-only", "--format=oci"],
    ["--override-arch=arm", "--override-variant=v7"],
    ["--override-arch=arm64"],
  ];

  for (const seed of [1, 2, 3, 4]) {
    testWith("newer:skopeo")(`come to the same, bytes and words: seed ${seed}`, async () => {
      await using scene = new Scene();
      writeDirectory(scene.at("list"), randomList(seed));
      for (const each of flags) {
        const ends: string[] = [];
        for (const program of [newerProgram("skopeo"), executable]) {
          const global = each.filter((flag) => flag.startsWith("--override"));
          const own = each.filter((flag) => !flag.startsWith("--override"));
          const words = ["--insecure-policy", ...global, "copy", "-q", ...own];
          const result = await run([...words, "dir:list", `dir:${scene.at("there")}`], {
            cwd: scene.path,
            program,
          });
          const fatal = /level=fatal msg="(.*)"/.exec(result.stderr)?.[1] ?? "";
          ends.push(
            result.code === 0 ? readFileSync(scene.at("there/manifest.json"), "utf8") : fatal,
          );
          rmSync(scene.at("there"), { recursive: true, force: true });
        }
        expect([each, ends[1]]).toEqual([each, ends[0]]);
      }
    });
  }
});

/** Lists with all that entries may say, in any order, as nobody would write them. */
function randomList(seed: number): SampleList {
  const dice = [...randomBytes(`lists/${seed}`, 128)];
  const roll = (sides: number) => (dice.pop() ?? 0) % sides;
  const format = seed % 2 === 0 ? "docker" : "oci";
  const platforms = [
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm", variant: "v7" },
    { os: "linux", architecture: "arm64" },
    { os: "linux", architecture: "arm64", variant: "v8" },
    { os: "windows", architecture: "amd64", "os.version": "10.0.1", "os.features": ["win32k"] },
    { os: "unknown", architecture: "unknown" },
    undefined,
  ];
  const images = Array.from({ length: 2 + roll(4) }, (_, index) =>
    sampleImage({
      seed: `${seed}/${index}`,
      format,
      layers: [format === "oci" && roll(2) === 0 ? "zstd" : "gzip"],
    }),
  );
  const manifests = images.map(({ manifest: { mediaType, digest, bytes } }) => {
    const platform = platforms[roll(platforms.length)];
    return {
      mediaType,
      digest,
      size: bytes.length,
      ...(roll(3) === 0 && { urls: ["http://example.com/"] }),
      ...(format === "oci" && roll(2) === 0 && { annotations: { b: "<&>", a: "ü" } }),
      ...(platform !== undefined && { platform }),
      ...(roll(4) === 0 && { unknown: 1 }),
    };
  });
  const mediaType = mediaTypes[format].list;
  const index = { schemaVersion: 2, mediaType, manifests };
  const bytes = new TextEncoder().encode(JSON.stringify(index, undefined, roll(2) * 3));
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  return { kind: "list", images, manifest: { mediaType, bytes, digest } };
}
