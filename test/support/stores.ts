// Stores: the places an image can be kept, filled and looked into without the program under test.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pushSample } from "./push.ts";
import { type Sample, hexOf, mediaTypes, writeDirectory, writeLayout } from "./sample-images.ts";

export type StoreKind = "docker" | "dir" | "oci";

/** One image, or the place where one is going to be. */
export interface Store {
  /** As the command line wants it. */
  readonly image: string;
  /** Puts a sample there. */
  fill(sample: Sample): Promise<void>;
  /** Returns the top manifest, as stored. */
  manifest(): Promise<Uint8Array>;
  /** Returns the manifest of an image in a list. */
  instance(digest: string): Promise<Uint8Array>;
  /** Returns a config or a layer. */
  blob(digest: string): Promise<Uint8Array>;
}

/** Where stores are made. */
export interface StorePlace {
  readonly directory: string;
  /** The host of a plain registry; asked for only if the store is one. */
  registry(): Promise<string>;
}

/** Returns a store of a kind, told apart from its neighbours by `name`. */
export async function storeOf(kind: StoreKind, name: string, place: StorePlace): Promise<Store> {
  switch (kind) {
    case "docker":
      return registryStore(await place.registry(), name);
    case "dir":
      return directoryStore(join(place.directory, name));
    case "oci":
      return layoutStore(join(place.directory, name));
  }
}

function registryStore(host: string, name: string): Store {
  const repository = `sample/${name}`;
  const registry = `http://${host}`;
  const read = async (what: string): Promise<Uint8Array> => {
    const accept = Object.values(mediaTypes).flatMap(({ manifest, list }) => [manifest, list]);
    const headers = { accept: accept.join(", ") };
    const response = await fetch(`${registry}/v2/${repository}/${what}`, { headers });
    if (!response.ok) throw new Error(`GET ${response.url}: ${response.status}`);
    return await response.bytes();
  };
  return {
    image: `docker://${host}/${repository}:1`,
    fill: (sample) => pushSample({ registry, repository, tag: "1" }, sample),
    manifest: () => read("manifests/1"),
    instance: (digest) => read(`manifests/${digest}`),
    blob: (digest) => read(`blobs/${digest}`),
  };
}

function directoryStore(path: string): Store {
  const read = async (name: string) => readFileSync(join(path, name));
  return {
    image: `dir:${path}`,
    fill: async (sample) => writeDirectory(path, sample),
    manifest: () => read("manifest.json"),
    instance: (digest) => read(`${hexOf(digest)}.manifest.json`),
    blob: (digest) => read(hexOf(digest)),
  };
}

function layoutStore(path: string): Store {
  const read = async (digest: string) => readFileSync(join(path, "blobs/sha256", hexOf(digest)));
  return {
    image: `oci:${path}:1`,
    fill: async (sample) => writeLayout(path, { "1": sample }),
    manifest: async () => {
      const index: { manifests: readonly { digest: string }[] } = JSON.parse(
        readFileSync(join(path, "index.json"), "utf8"),
      );
      return await read(index.manifests[0]?.digest ?? "");
    },
    instance: read,
    blob: read,
  };
}
