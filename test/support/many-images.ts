// Many images: repositories whose images share layers, as a mirror has to move them.

import { addSample } from "./push.ts";
import type { RegistryServer } from "./registry-server.ts";
import { type SampleImage, sampleImage } from "./sample-images.ts";

/** How many there are to be, and how large. */
export interface ManyWish {
  readonly repositories: number;
  readonly tags: number;
  /** How many different images the others are built upon. */
  readonly bases: number;
}

/** Returns one image that has the layers of a base and one of its own. */
export function imageOn(base: SampleImage, seed: string): SampleImage {
  const own = sampleImage({ seed, format: "oci", layers: ["gzip"], ballastBytes: 400, odd: false });
  const layers = [...base.layers, ...own.layers];
  const descriptorOf = ({ mediaType, digest, bytes }: SampleImage["config"]) => {
    return { mediaType, digest, size: bytes.length };
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: own.manifest.mediaType,
    config: descriptorOf(own.config),
    layers: layers.map(descriptorOf),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  return {
    ...own,
    layers,
    diffIds: [...base.diffIds, ...own.diffIds],
    manifest: { mediaType: own.manifest.mediaType, bytes, digest },
  };
}

/** One of many images, and what it is called. */
export interface NamedSample {
  readonly repository: string;
  readonly tag: string;
  readonly image: SampleImage;
}

/** Returns images in repositories `team/r0`, `team/r1`, …, with tags `1.0`, `1.1`, … */
export function manyImages(wish: ManyWish): readonly NamedSample[] {
  const bases = Array.from({ length: wish.bases }, (_, index) =>
    sampleImage({
      seed: `base ${index}`,
      format: "oci",
      layers: ["gzip", "gzip"],
      ballastBytes: 4000,
      odd: false,
    }),
  );
  return Array.from({ length: wish.repositories * wish.tags }, (_, index) => {
    const [number, tag] = [Math.floor(index / wish.tags), index % wish.tags];
    const base = bases[number % wish.bases];
    if (base === undefined) throw new Error("there has to be a base");
    return {
      repository: `team/r${number}`,
      tag: `1.${tag}`,
      image: imageOn(base, `${number} ${tag}`),
    };
  });
}

/** Fills a registry with such images, and returns the file that names them. */
export function fillWithMany(registry: RegistryServer, wish: ManyWish): string {
  const images = manyImages(wish);
  for (const { repository, tag, image } of images) {
    addSample(registry.repository(repository), tag, image);
  }
  const names = [...new Set(images.map(({ repository }) => `    ${repository}: []`))];
  return [`${registry.host}:`, "  tls-verify: false", "  images:", ...names, ""].join("\n");
}
