// Sample images: seeded images and lists made in memory, with all in them that is legal and odd.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "./random.ts";
import { type TarEntry, tarOf } from "./tar-bytes.ts";

/** Content and the name it goes by. */
export interface SampleBlob {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** One image: a manifest and what it names. */
export interface SampleImage {
  readonly kind: "image";
  readonly manifest: SampleBlob;
  readonly config: SampleBlob;
  readonly layers: readonly SampleBlob[];
  /** The digests of the layers before compression. */
  readonly diffIds: readonly string[];
}

/** Several images under one name. */
export interface SampleList {
  readonly kind: "list";
  readonly manifest: SampleBlob;
  /** In the order of the list. */
  readonly images: readonly SampleImage[];
}

export type Sample = SampleImage | SampleList;

/** Whose media types a sample speaks. */
export type SampleFormat = "docker" | "oci";

export type SampleCompression = "none" | "gzip" | "zstd";

export interface SamplePlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** What an image is to be like; all of it is optional. */
export interface SampleWish {
  readonly seed?: string;
  readonly format?: SampleFormat;
  readonly platform?: SamplePlatform;
  /** One layer for each, base first. */
  readonly layers?: readonly SampleCompression[];
  /** How many bytes that do not compress each layer carries beside its odd entries. */
  readonly ballastBytes?: number;
  /** Whether the layers hold devices, broken names and the like; else any reader can unpack them. */
  readonly odd?: boolean;
}

/** What a list is to be like. */
export interface SampleListWish extends Omit<SampleWish, "platform"> {
  /** Whether an OCI index has an attestation and an entry without a platform; it has if absent. */
  readonly attested?: boolean;
}

export const mediaTypes = {
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    list: "application/vnd.docker.distribution.manifest.list.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    none: "application/vnd.docker.image.rootfs.diff.tar",
    gzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    zstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
  },
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    list: "application/vnd.oci.image.index.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    none: "application/vnd.oci.image.layer.v1.tar",
    gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
    zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  },
} as const;

const linux = { os: "linux", architecture: "amd64" };

/** Makes an image of several layers; the same wish gives the same bytes. */
export function sampleImage(wish: SampleWish = {}): SampleImage {
  const { seed = "sample", format = "docker", platform = linux } = wish;
  const layers = (wish.layers ?? ["gzip", "gzip", "gzip"]).map((compression, index) => {
    const own = `${seed}/${index}`;
    const ballast = randomBytes(own, wish.ballastBytes ?? 20_000);
    const tar = tarOf([
      ...plainEntries(own, ballast),
      ...(wish.odd === false ? [] : oddEntries(own)),
    ]);
    return { blob: blob(mediaTypes[format][compression], compress(tar, compression)), tar };
  });
  const diffIds = layers.map(({ tar }) => digest(tar));
  const config = blob(
    mediaTypes[format].config,
    json(configOf({ seed, format, platform, diffIds })),
  );
  return imageOf(
    format,
    config,
    layers.map(({ blob }) => blob),
    diffIds,
  );
}

/**
 * Makes a list of images for several platforms.
 *
 * An OCI index also has an attestation, as build tools attach it, and an entry without a platform,
 * unless the wish says otherwise.
 */
export function sampleList(wish: SampleListWish = {}): SampleList {
  const { seed = "sample", format = "oci" } = wish;
  const platforms: readonly SamplePlatform[] = [
    linux,
    { os: "linux", architecture: "arm64", variant: "v8" },
    { os: "linux", architecture: "arm", variant: "v7" },
  ];
  const images = platforms.map((platform) =>
    sampleImage({ ...wish, format, platform, seed: `${seed}/${platform.architecture}` }),
  );
  const entries = images.map(({ manifest }, index) => ({
    ...descriptor(manifest),
    platform: platforms[index],
  }));
  if (format === "docker" || wish.attested === false) return listOf(format, images, entries);
  const [first = sampleImage(wish)] = images;
  const attestation = attestationOf(first, seed);
  const nameless = sampleImage({ ...wish, format, seed: `${seed}/nameless` });
  return listOf(
    format,
    [...images, attestation, nameless],
    [
      ...entries,
      {
        ...descriptor(attestation.manifest),
        annotations: {
          "vnd.docker.reference.digest": first.manifest.digest,
          "vnd.docker.reference.type": "attestation-manifest",
        },
        platform: { architecture: "unknown", os: "unknown" },
      },
      descriptor(nameless.manifest),
    ],
  );
}

/** Returns everything but the manifests: configs and layers, each digest once. */
export function blobsOf(sample: Sample): readonly SampleBlob[] {
  const all =
    sample.kind === "image"
      ? [...sample.layers, sample.config]
      : sample.images.flatMap((image) => blobsOf(image));
  return [...new Map(all.map((each) => [each.digest, each])).values()];
}

/** Returns the manifests, images before the list that names them. */
export function manifestsOf(sample: Sample): readonly SampleBlob[] {
  const images = sample.kind === "image" ? [] : sample.images.map(({ manifest }) => manifest);
  return [...images, sample.manifest];
}

/** Writes samples as an OCI layout, each under its name. */
export function writeLayout(path: string, samples: Readonly<Record<string, Sample>>): void {
  const blobs = join(path, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  for (const sample of Object.values(samples)) {
    for (const { digest, bytes } of [...blobsOf(sample), ...manifestsOf(sample)]) {
      writeFileSync(join(blobs, hexOf(digest)), bytes);
    }
  }
  writeFileSync(join(path, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(path, "index.json"), indexOf(samples));
}

/** Returns the index.json of a layout that holds samples under these names. */
export function indexOf(samples: Readonly<Record<string, Sample>>): string {
  const manifests = Object.entries(samples).map(([name, { manifest }]) => ({
    ...descriptor(manifest),
    annotations: { "org.opencontainers.image.ref.name": name },
  }));
  return JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.oci.list, manifests });
}

/** Writes a sample as the `dir:` transport keeps it. */
export function writeDirectory(path: string, sample: Sample): void {
  mkdirSync(path, { recursive: true });
  for (const { digest, bytes } of blobsOf(sample)) writeFileSync(join(path, hexOf(digest)), bytes);
  if (sample.kind === "list") {
    for (const { manifest } of sample.images) {
      writeFileSync(join(path, `${hexOf(manifest.digest)}.manifest.json`), manifest.bytes);
    }
  }
  writeFileSync(join(path, "manifest.json"), sample.manifest.bytes);
  writeFileSync(join(path, "version"), "Directory Transport Version: 1.1\n");
}

/** Returns the hex digits of a digest: what files are named by. */
export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** Returns an image made of parts that are there, such as layers nobody can hold in memory. */
export function imageOf(
  format: SampleFormat,
  config: SampleBlob,
  layers: readonly (SampleBlob & { readonly size?: number })[],
  diffIds: readonly string[],
): SampleImage {
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes[format].manifest,
    config: descriptor(config),
    layers: layers.map(descriptor),
  };
  // Docker indents its manifests by three: whoever re-encodes one is found out.
  const bytes = json(manifest, format === "docker" ? 3 : undefined);
  return {
    kind: "image",
    manifest: blob(mediaTypes[format].manifest, bytes),
    config,
    layers,
    diffIds,
  };
}

/** Returns an image of layers that are not compressed. */
export function plainImage(format: SampleFormat, layers: readonly SampleBlob[]): SampleImage {
  const diffIds = layers.map(({ digest }) => digest);
  return imageOf(format, sampleConfig(format, diffIds), layers, diffIds);
}

/** Returns a layer, not compressed, whose one file has so many bytes; no file if there are none. */
export function plainLayer(format: SampleFormat, seed: string, size: number): SampleBlob {
  const entries = size === 0 ? [] : [{ path: seed, body: randomBytes(seed, size) }];
  return blob(mediaTypes[format].none, tarOf(entries));
}

/** Returns the sample that consists of these bytes; the manifest says what they are. */
export function sampleOf(bytes: {
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
  readonly layer: Uint8Array;
}): SampleImage {
  return {
    kind: "image",
    manifest: blob(mediaTypes.oci.manifest, bytes.manifest),
    config: blob(mediaTypes.oci.config, bytes.config),
    layers: [blob(mediaTypes.oci.gzip, bytes.layer)],
    diffIds: [],
  };
}

/** Returns a config that names layers by what they are before compression. */
export function sampleConfig(format: SampleFormat, diffIds: readonly string[]): SampleBlob {
  const config = configOf({ seed: "config", format, platform: linux, diffIds });
  return blob(mediaTypes[format].config, json(config));
}

function listOf(
  format: SampleFormat,
  images: readonly SampleImage[],
  manifests: readonly object[],
): SampleList {
  const list = { schemaVersion: 2, mediaType: mediaTypes[format].list, manifests };
  return { kind: "list", manifest: blob(list.mediaType, json(list, 3)), images };
}

/** A manifest that looks like an image and is a statement about another one. */
function attestationOf(subject: SampleImage, seed: string): SampleImage {
  const statement = json({
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: "https://slsa.dev/provenance/v0.2",
    subject: [{ name: "sample", digest: { sha256: hexOf(subject.manifest.digest) } }],
    predicate: { seed },
  });
  const diffIds = [digest(statement)];
  const config = json({
    architecture: "unknown",
    os: "unknown",
    config: {},
    rootfs: { type: "layers", diff_ids: diffIds },
  });
  return imageOf(
    "oci",
    blob(mediaTypes.oci.config, config),
    [blob("application/vnd.in-toto+json", statement)],
    diffIds,
  );
}

interface ConfigWish {
  readonly seed: string;
  readonly format: SampleFormat;
  readonly platform: SamplePlatform;
  readonly diffIds: readonly string[];
}

function configOf({ seed, format, platform, diffIds }: ConfigWish): object {
  return {
    created: "2024-03-01T12:00:00.123456789Z",
    author: "Somebody <somebody@example.com>",
    ...(format === "docker" ? { docker_version: "24.0.7", container: "0".repeat(64) } : {}),
    architecture: platform.architecture,
    os: platform.os,
    // Old releases of the original lose the variant when they convert a config, and so its digest.
    ...(format === "docker" || platform.variant === undefined ? {} : { variant: platform.variant }),
    config: {
      User: "1000:1000",
      ExposedPorts: { "80/tcp": {} },
      Env: ["PATH=/usr/bin:/bin", "NOTE=a < b & c > d"],
      Entrypoint: ["/bin/sh"],
      Cmd: ["-c", "echo ünïcödé"],
      WorkingDir: "/srv",
      Labels: { "org.example.seed": seed, "a.first": "1" },
      StopSignal: "SIGTERM",
    },
    rootfs: { type: "layers", diff_ids: diffIds },
    history: [
      ...diffIds.map((_, index) => ({
        created: "2024-03-01T12:00:00Z",
        created_by: `COPY layer ${index}`,
      })),
      { created: "2024-03-01T12:00:01Z", created_by: 'CMD ["/bin/sh"]', empty_layer: true },
    ],
  };
}

function plainEntries(seed: string, ballast: Uint8Array): readonly TarEntry[] {
  return [
    { path: "etc/", kind: "directory", mode: 0o755 },
    { path: "etc/seed", body: new TextEncoder().encode(`${seed}\n`) },
    { path: "etc/empty" },
    { path: "etc/link", kind: "symlink", target: "seed" },
    { path: "etc/second", kind: "hardLink", target: "etc/seed" },
    { path: `srv/${"long-name/".repeat(30)}ballast`, body: ballast, mtime: 1_700_000_000 },
    { path: "srv/zeros", body: new Uint8Array(200_000) },
  ];
}

function oddEntries(seed: string): readonly TarEntry[] {
  const capability = Uint8Array.from([1, 0, 0, 2, 0, 4, ...new Uint8Array(14)]);
  return [
    { path: Uint8Array.from([0x6e, 0xff, 0xfe, 0x6d]), body: randomBytes(seed, 10) },
    { path: "etc/.wh.gone" },
    { path: "srv/.wh..wh..opq" },
    { path: "dev/null", kind: "characterDevice", device: [1, 3], mode: 0o666 },
    { path: "dev/loop", kind: "blockDevice", device: [7, 0], mode: 0o660 },
    { path: "run/fifo", kind: "fifo" },
    { path: "etc/outside", kind: "symlink", target: `../../${"up/".repeat(50)}etc/passwd` },
    {
      path: "usr/bin/ping",
      mode: 0o4755,
      body: randomBytes(seed, 513),
      pax: {
        "SCHILY.xattr.security.capability": capability,
        "SCHILY.xattr.user.note": "käse",
        mtime: "1700000000.25",
        uid: "3000000",
      },
    },
  ];
}

function compress(tar: Uint8Array, compression: SampleCompression): Uint8Array {
  switch (compression) {
    case "none":
      return tar;
    case "gzip":
      return Bun.gzipSync(Buffer.from(tar));
    case "zstd":
      return Bun.zstdCompressSync(Buffer.from(tar));
  }
}

function descriptor(each: SampleBlob & { readonly size?: number }): object {
  return {
    mediaType: each.mediaType,
    size: each.size ?? each.bytes.length,
    digest: each.digest,
  };
}

function blob(mediaType: string, bytes: Uint8Array): SampleBlob {
  return { mediaType, bytes, digest: digest(bytes) };
}

function digest(bytes: Uint8Array): string {
  return `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
}

function json(value: object, indent?: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, undefined, indent));
}
