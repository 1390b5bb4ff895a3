// copy: images move between registries, directories and layouts, and arrive as they were.

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { registryProgram } from "../support/peers.ts";
import {
  type Sample,
  type SampleImage,
  sampleImage,
  sampleList,
} from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import type { Store, StoreKind } from "../support/stores.ts";

const kinds: readonly StoreKind[] = ["docker", "dir", "oci"];
const routes = kinds.flatMap((from) => kinds.map((to) => ({ from, to })));

describe("copy", () => {
  for (const { from, to } of routes) {
    const routeTest = testWith(...([from, to].includes("docker") ? [registryProgram] : []));

    routeTest(`moves an OCI image from ${from}: to ${to}:, byte for byte`, async () => {
      await using scene = new Scene();
      const image = sampleImage({ format: "oci", layers: ["gzip", "zstd", "gzip"] });
      const [source, destination] = await filled(scene, from, to, image);
      await scene.copy(source.image, destination.image);
      await expectImage(destination, image);
    });

    routeTest(`moves a whole index from ${from}: to ${to}:, byte for byte`, async () => {
      await using scene = new Scene();
      const list = sampleList({ format: "oci" });
      const [source, destination] = await filled(scene, from, to, list);
      await scene.copy("--all", source.image, destination.image);
      expect(text(await destination.manifest())).toBe(text(list.manifest.bytes));
      for (const image of list.images) {
        const manifest = await destination.instance(image.manifest.digest);
        expect(text(manifest)).toBe(text(image.manifest.bytes));
        await expectBlobs(destination, image);
      }
    });

    routeTest(`moves a Docker image from ${from}: to ${to}:`, async () => {
      await using scene = new Scene();
      const image = sampleImage();
      const [source, destination] = await filled(scene, from, to, image);
      await scene.copy(source.image, destination.image);
      // A layout holds OCI images only, everything else takes what comes.
      if (to !== "oci") return await expectImage(destination, image);
      expect(json(await destination.manifest())).toMatchObject({
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        layers: image.layers.map(({ digest }) => ({ digest })),
      });
    });

    routeTest(`takes this machine's image out of a list from ${from}: to ${to}:`, async () => {
      await using scene = new Scene();
      const list = sampleList({ format: "oci" });
      const [source, destination] = await filled(scene, from, to, list);
      const wish = ["--override-os=linux", "--override-arch=arm64"];
      await scene.copy(...wish, source.image, destination.image);
      await expectImage(destination, imageAt(list.images, 1));
    });
  }

  const formats = [
    { format: "oci", from: "docker" as const, type: "application/vnd.oci.image.manifest.v1+json" },
    {
      format: "v2s2",
      from: "oci" as const,
      type: "application/vnd.docker.distribution.manifest.v2+json",
    },
  ];

  test.each(formats)("converts with --format $format", async ({ format, from, type }) => {
    await using scene = new Scene();
    const image = sampleImage({ format: from });
    const [source, destination] = await filled(scene, "dir", "dir", image);
    await scene.copy(`--format=${format}`, source.image, destination.image);
    const manifest = json(await destination.manifest());
    expect(manifest).toMatchObject({
      mediaType: type,
      layers: image.layers.map(({ digest }) => ({ digest })),
    });
    for (const { digest, bytes } of image.layers) {
      expect(await destination.blob(digest)).toEqual(Buffer.from(bytes));
    }
  });

  test.each(formats)(
    "converts a list with --all --format $format",
    async ({ format, from, type }) => {
      await using scene = new Scene();
      const list = sampleList({ format: from, attested: false });
      const [source, destination] = await filled(scene, "dir", "dir", list);
      await scene.copy("--all", `--format=${format}`, source.image, destination.image);
      const converted = json(await destination.manifest());
      expect(converted.manifests.length).toBe(3);
      for (const { digest, mediaType } of converted.manifests) {
        expect(mediaType).toBe(type);
        expect(json(await destination.instance(digest))).toMatchObject({ mediaType: type });
      }
    },
  );

  test("--preserve-digests keeps the bytes, even where the destination would rather have others", async () => {
    await using scene = new Scene();
    const image = sampleImage();
    const [source, destination] = await filled(scene, "dir", "oci", image);
    await scene.copy("--preserve-digests", source.image, destination.image);
    await expectImage(destination, image);
  });

  test("--multi-arch=index-only copies the list and none of its images", async () => {
    await using scene = new Scene();
    const list = sampleList();
    const [source, destination] = await filled(scene, "oci", "dir", list);
    const { stdout } = await scene.copy("--multi-arch=index-only", source.image, destination.image);
    expect(text(await destination.manifest())).toBe(text(list.manifest.bytes));
    expect(existsSync(scene.at("dir-2", "version"))).toBe(true);
    expect(stdout).toBe(
      lines(
        "Getting image list signatures",
        "Copying 0 images generated from 5 images in list",
        "Writing manifest list to image destination",
        "Storing list signatures",
      ),
    );
  });

  test("--digestfile holds the digest of what was written, and nothing else", async () => {
    await using scene = new Scene();
    const image = sampleImage();
    const [source, destination] = await filled(scene, "dir", "oci", image);
    await scene.copy(`--digestfile=${scene.at("digest")}`, source.image, destination.image);
    const written = await destination.manifest();
    expect(readFileSync(scene.at("digest"), "utf8")).toBe(digest(written));
    expect(statSync(scene.at("digest")).mode & 0o777).toBe(0o644);
  });

  test("says nothing with --quiet", async () => {
    await using scene = new Scene();
    const [source, destination] = await filled(scene, "dir", "oci", sampleImage());
    expect(await scene.copy("--quiet", source.image, destination.image)).toMatchObject({
      stdout: "",
      stderr: "",
    });
  });

  test("prints the original's lines for one image, in an order that parallel layers allow", async () => {
    await using scene = new Scene();
    const image = sampleImage();
    const [source, destination] = await filled(scene, "dir", "dir", image);
    const { stdout, stderr } = await scene.copy(source.image, destination.image);
    expect(stderr).toBe("");
    const printed = stdout.split("\n");
    expect(printed.slice(1, 4).toSorted()).toEqual(
      image.layers.map((layer) => `Copying blob ${layer.digest}`).toSorted(),
    );
    expect([printed[0], ...printed.slice(4)]).toEqual([
      "Getting image source signatures",
      `Copying config ${image.config.digest}`,
      "Writing manifest to image destination",
      "",
    ]);
  });

  test("prints the original's lines for a list", async () => {
    await using scene = new Scene();
    const list = sampleList({ format: "docker", layers: ["gzip"] });
    const [source, destination] = await filled(scene, "oci", "dir", list);
    const { stdout } = await scene.copy("--all", source.image, destination.image);
    const images = list.images.flatMap(({ manifest, config, layers }, index) => [
      `Copying image ${manifest.digest} (${index + 1}/3)`,
      "Getting image source signatures",
      ...layers.map((layer) => `Copying blob ${layer.digest}`),
      `Copying config ${config.digest}`,
      "Writing manifest to image destination",
    ]);
    expect(stdout).toBe(
      lines(
        "Getting image list signatures",
        "Copying 3 images generated from 3 images in list",
        ...images,
        "Writing manifest list to image destination",
        "Storing list signatures",
      ),
    );
  });

  test("compresses what is uncompressed for a layout, and decompresses for dir: when asked", async () => {
    await using scene = new Scene();
    const image = sampleImage({ format: "oci", layers: ["none"] });
    const [source, layout] = await filled(scene, "dir", "oci", image);
    await scene.copy(source.image, layout.image);
    const [stored] = json(await layout.manifest()).layers;
    expect(stored.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+gzip");
    const unpacked = Bun.gunzipSync(Buffer.from(await layout.blob(stored.digest)));
    expect(digest(unpacked)).toBe(image.diffIds[0] ?? "");

    const plain = await scene.store("dir");
    await scene.copy("--dest-decompress", layout.image, plain.image);
    const [expanded] = json(await plain.manifest()).layers;
    expect(expanded.digest).toBe(image.diffIds[0]);
  });

  test("copies again over what is there, old or new", async () => {
    await using scene = new Scene();
    for (const kind of ["dir", "oci"] as const) {
      const [source, destination] = await filled(
        scene,
        "dir",
        kind,
        sampleImage({ format: "oci" }),
      );
      const [other] = await filled(scene, "dir", kind, sampleImage({ format: "oci", seed: "new" }));
      await scene.copy(source.image, destination.image);
      await scene.copy(source.image, destination.image);
      await scene.copy(other.image, destination.image);
      await scene.copy(destination.image, `dir:${scene.at(`again-${kind}`)}`);
      const again = readFileSync(scene.at(`again-${kind}`, "manifest.json"));
      expect(text(again)).toBe(text(await other.manifest()));
    }
  });
});

async function filled(
  scene: Scene,
  from: StoreKind,
  to: StoreKind,
  sample: Sample,
): Promise<readonly [source: Store, destination: Store]> {
  const source = await scene.store(from);
  await source.fill(sample);
  return [source, await scene.store(to)];
}

async function expectImage(store: Store, image: SampleImage): Promise<void> {
  expect(text(await store.manifest())).toBe(text(image.manifest.bytes));
  await expectBlobs(store, image);
}

async function expectBlobs(store: Store, { config, layers }: SampleImage): Promise<void> {
  for (const blob of [config, ...layers])
    expect(digest(await store.blob(blob.digest))).toBe(blob.digest);
}

function imageAt(images: readonly SampleImage[], index: number): SampleImage {
  const image = images[index];
  if (image === undefined) throw new Error(`there is no image ${index}`);
  return image;
}

function digest(bytes: Uint8Array): string {
  return `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function json(bytes: Uint8Array) {
  return JSON.parse(text(bytes));
}

function lines(...all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
