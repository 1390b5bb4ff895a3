// Bench images: what the benchmark copies, kept as a directory, as a layout and in a registry.

import { linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BigLayer, bigLayer } from "../test/support/big-layer.ts";
import { pushBlob, pushManifest } from "../test/support/push.ts";
import {
  type SampleBlob,
  type SampleImage,
  hexOf,
  imageOf,
  indexOf,
  mediaTypes,
  sampleConfig,
  sampleImage,
} from "../test/support/sample-images.ts";
import { type TarEntry, tarOf } from "../test/support/tar-bytes.ts";

/** One image, ready to be copied from where it is kept. */
export interface BenchImage {
  readonly dir: string;
  readonly oci: string;
  readonly docker: string;
  /** Where an archive of it may be put, as `docker save` writes them. */
  readonly archive: string;
  /** A directory in which a store may be made that has it. */
  readonly store: string;
}

/** The images by the name of their row. */
export const benchImages = {
  "3 MB": (place) => keep(place, sampleImage({ format: "oci", ballastBytes: 1_000_000 })),
  "50 MB": (place) => keep(place, realImage(50_000_000)),
  "40 layers": (place) =>
    keep(
      place,
      sampleImage({
        format: "oci",
        layers: Array.from({ length: 40 }, () => "gzip" as const),
        ballastBytes: 400_000,
      }),
    ),
  "1 GB": (place) => keepBig(place, 4, 256_000_000),
} as const satisfies Readonly<Record<string, (place: BenchPlace) => Promise<BenchImage>>>;

export type BenchImageName = keyof typeof benchImages;

/** Where images are kept: an empty directory, and a repository of a registry. */
export interface BenchPlace {
  readonly directory: string;
  readonly host: string;
  readonly repository: string;
}

/** An image whose layers hold real files, which compress as real files do. */
function realImage(compressedBytes: number): SampleImage {
  const quarter = compressedBytes / 4;
  const files = filesBelow(["/usr/bin", "/usr/lib", "/usr/share"]);
  const layers: SampleBlob[] = [];
  const diffIds: string[] = [];
  while (layers.length < 4) {
    const entries: TarEntry[] = [];
    // Real files come down to two fifths of their size, near enough.
    for (let size = 0; size < quarter * 2.5;) {
      const { done, value } = files.next();
      if (done === true) break;
      entries.push({ path: value.slice(1), body: readFileSync(value), mode: 0o755 });
      size += lstatSync(value).size;
    }
    const tar = tarOf(entries);
    const bytes = Bun.gzipSync(Buffer.from(tar));
    layers.push({ mediaType: mediaTypes.oci.gzip, bytes, digest: digest(bytes) });
    diffIds.push(digest(tar));
  }
  return imageOf("oci", sampleConfig("oci", diffIds), layers, diffIds);
}

/** In an order that is the same on every run; links are not followed. */
function* filesBelow(roots: readonly string[]): Generator<string> {
  for (const root of roots) {
    const entries = readdirSync(root, { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(root, entry.name);
      if (entry.isDirectory()) yield* filesBelow([path]);
      else if (entry.isFile() && lstatSync(path).size < 4_000_000) yield path;
    }
  }
}

/** Returns an archive of real files, of about this size. */
export function realArchive(bytes: number): Uint8Array {
  const entries: TarEntry[] = [];
  let size = 0;
  for (const path of filesBelow(["/usr/bin", "/usr/lib", "/usr/share"])) {
    if (size > bytes) break;
    entries.push({ path: path.slice(1), body: readFileSync(path), mode: 0o755 });
    size += lstatSync(path).size;
  }
  return tarOf(entries);
}

async function keep(place: BenchPlace, image: SampleImage): Promise<BenchImage> {
  return await keepFiles(place, image, ({ bytes }, path) => writeFileSync(path, bytes));
}

/** Layers of this size exist only while they are written. */
async function keepBig(place: BenchPlace, count: number, bytes: number): Promise<BenchImage> {
  const layers = Array.from({ length: count }, (_, index) => bigLayer(bytes, `bench ${index}`));
  const diffIds = layers.map(({ diffId }) => diffId);
  const image = imageOf(
    "oci",
    sampleConfig("oci", diffIds),
    layers.map(({ digest, size }) => ({
      mediaType: mediaTypes.oci.gzip,
      digest,
      size,
      bytes: new Uint8Array(),
    })),
    diffIds,
  );
  return await keepFiles(place, image, (blob, path) => {
    const layer = layers.find(({ digest }) => digest === blob.digest);
    if (layer === undefined) writeFileSync(path, blob.bytes);
    else writeLayer(path, layer);
  });
}

function writeLayer(path: string, layer: BigLayer): void {
  writeFileSync(path, "");
  for (const chunk of layer.read()) writeFileSync(path, chunk, { flag: "a" });
}

/** Writes each blob once; the layout links to the same files, and the registry is sent them. */
async function keepFiles(
  { directory, host, repository }: BenchPlace,
  image: SampleImage,
  write: (blob: SampleBlob, path: string) => void,
): Promise<BenchImage> {
  const dir = join(directory, "dir");
  const oci = join(directory, "oci");
  const blobs = join(oci, "blobs", "sha256");
  mkdirSync(dir, { recursive: true });
  mkdirSync(blobs, { recursive: true });
  const target = { registry: `http://${host}`, repository, tag: "1" };
  for (const blob of [...image.layers, image.config]) {
    const path = join(dir, hexOf(blob.digest));
    write(blob, path);
    linkSync(path, join(blobs, hexOf(blob.digest)));
    await pushBlob(target, blob, Bun.file(path));
  }
  await pushManifest(target, image.manifest, "1");
  writeFileSync(join(dir, "manifest.json"), image.manifest.bytes);
  writeFileSync(join(dir, "version"), "Directory Transport Version: 1.1\n");
  writeFileSync(join(blobs, hexOf(image.manifest.digest)), image.manifest.bytes);
  writeFileSync(join(oci, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(oci, "index.json"), indexOf({ "1": image }));
  return {
    dir: `dir:${dir}`,
    oci: `oci:${oci}:1`,
    docker: `docker://${host}/${repository}:1`,
    archive: `docker-archive:${join(directory, "archive.tar")}:bench/image:1`,
    store: join(directory, "store"),
  };
}

function digest(bytes: Uint8Array): string {
  return `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
}
