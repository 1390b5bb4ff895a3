// Stored registry: what docker-registry keeps on disk, written and read without asking it.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blobsOf, manifestsOf, type Sample } from "./sample-images.ts";

/** The files of a registry that `startPeerRegistry` runs, or will run, in a directory. */
export class StoredRegistry {
  readonly #root: string;

  constructor(directory: string) {
    this.#root = join(directory, "storage", "docker", "registry", "v2");
  }

  /** Puts a sample into a repository. */
  add(repository: string, tag: string, sample: Sample): void {
    const at = (...names: readonly string[]) => join("repositories", repository, ...names);
    for (const { digest, bytes } of [...blobsOf(sample), ...manifestsOf(sample)]) {
      this.#write(this.#blob(digest), bytes);
    }
    for (const { digest } of blobsOf(sample)) this.#link(at("_layers"), digest);
    for (const { digest } of manifestsOf(sample)) this.#link(at("_manifests", "revisions"), digest);
    const { digest } = sample.manifest;
    this.#link(at("_manifests", "tags", tag, "index"), digest);
    this.#write(at("_manifests", "tags", tag, "current", "link"), digest);
  }

  /** Returns what each tag of each repository below a path leads to. */
  tags(below: string): Readonly<Record<string, string>> {
    const found: [string, string][] = [];
    for (const repository of this.#names("repositories", below)) {
      const tags = join("repositories", below, repository, "_manifests", "tags");
      for (const tag of this.#names(tags)) {
        const digest = readFileSync(join(this.#root, tags, tag, "current", "link"), "utf8");
        found.push([`${repository}:${tag}`, digest]);
      }
    }
    return Object.fromEntries(found.toSorted());
  }

  /** Returns how large a blob or a manifest is. */
  sizeOf(digest: string): number {
    return statSync(join(this.#root, this.#blob(digest))).size;
  }

  /** Returns the digests of all blobs and manifests. */
  blobs(): readonly string[] {
    const algorithm = join("blobs", "sha256");
    return this.#names(algorithm)
      .flatMap((start) => this.#names(algorithm, start))
      .toSorted();
  }

  #names(...path: readonly string[]): readonly string[] {
    const directory = join(this.#root, ...path);
    return existsSync(directory) ? readdirSync(directory) : [];
  }

  #blob(digest: string): string {
    const hex = digest.slice("sha256:".length);
    return join("blobs", "sha256", hex.slice(0, 2), hex, "data");
  }

  #link(directory: string, digest: string): void {
    this.#write(join(directory, ...digest.split(":"), "link"), digest);
  }

  #write(path: string, content: string | Uint8Array): void {
    const full = join(this.#root, path);
    mkdirSync(join(full, ".."), { recursive: true });
    writeFileSync(full, content);
  }
}
