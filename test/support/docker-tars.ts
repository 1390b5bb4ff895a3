// Docker tars: archives as `docker save` writes them, made by hand, so that each can be wrong in one way.

import { digestOf, type Digest } from "../../core/content/digest.ts";
import {
  imageOf,
  mediaTypes,
  type SampleBlob,
  sampleConfig,
  type SampleImage,
} from "./sample-images.ts";
import { type TarEntry, tarOf } from "./tar-bytes.ts";

/** What an archive is to be like; absent is what any archive has. */
export interface DockerTarWish {
  /** Members of the only item of `manifest.json` that are to differ. */
  readonly item?: object;
  /** All of `manifest.json`, as a value or as text. */
  readonly items?: unknown;
  readonly config?: string;
  /** Entries in place of those of the same name, and further ones. */
  readonly entries?: readonly TarEntry[];
  /** Names of entries to leave out. */
  readonly without?: readonly string[];
}

/** The two layers that archives have, and what they are known by. */
export const [one, two] = ["one", "two"].map((text) => {
  const bytes = tarOf([{ path: text, body: bytesOf(text) }]);
  return { bytes, digest: digestOf(bytes) };
}) as [TarLayer, TarLayer];

interface TarLayer {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
}

/** Returns the text of a config that names these layers. */
export function configOf(...diffIds: readonly string[]): string {
  const rootfs = { type: "layers", diff_ids: diffIds };
  return JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs });
}

/** Returns an archive that is all right but for what is wished: `x:1`, of the layers `one` and `two`. */
export function dockerTar(wish: DockerTarWish = {}): Uint8Array {
  const { item = {}, config = configOf(one.digest, two.digest), entries = [] } = wish;
  const usual = {
    Config: "c.json",
    RepoTags: ["docker.io/library/x:1"],
    Layers: ["1/layer.tar", "2/layer.tar"],
  };
  const items = wish.items === undefined ? [{ ...usual, ...item }] : wish.items;
  const table = typeof items === "string" ? items : JSON.stringify(items);
  const all: readonly TarEntry[] = [
    { path: "1/layer.tar", body: one.bytes },
    { path: "2/layer.tar", body: two.bytes },
    { path: "c.json", body: bytesOf(config) },
    { path: "manifest.json", body: bytesOf(table) },
  ];
  const replaced = [...entries.map(({ path }) => path), ...(wish.without ?? [])];
  return tarOf([...all.filter(({ path }) => !replaced.includes(path)), ...entries]);
}

/** Returns the image of these layers, uncompressed ones, with the manifest that readers make up for it. */
export function madeUpImage(layers: readonly SampleBlob[]): SampleImage {
  const diffIds = layers.map(({ digest }) => digest);
  const named = layers.map((layer) => ({ ...layer, mediaType: mediaTypes.docker.gzip }));
  const image = imageOf("docker", sampleConfig("docker", diffIds), named, diffIds);
  const indented = new TextDecoder().decode(image.manifest.bytes);
  const bytes = bytesOf(JSON.stringify(JSON.parse(indented)));
  return { ...image, manifest: { ...image.manifest, bytes, digest: digestOf(bytes) } };
}

/** Returns a symbolic link. */
export function link(path: string, target: string): TarEntry {
  return { path, kind: "symlink", target };
}

/** Returns text as a file has it. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
