// Docker tar writer: images on their way into an archive as `docker save` writes it.

import { collect } from "../../core/blob/collect.ts";
import { type ByteStream, streamOf } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestHex, Digester, digestOf } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { BlobRole, StoredBlob } from "../../core/image/destination.ts";
import { limits } from "../../core/limits.ts";
import { type DockerTarItem, encodeItems, itemsFile } from "./docker-tar-items.ts";
import { encodeRepositories, legacyLayers, repositoriesFile } from "./docker-tar-legacy.ts";
import type { TarWriter } from "./tar-writer.ts";

/** Content on its way into an archive; an OutgoingBlob is one. */
export interface DockerTarBlob {
  /** Absent where only the stream can tell. */
  readonly digest?: Digest | undefined;
  /** In bytes; absent where only the stream can tell. */
  readonly size?: number | undefined;
  open(): ByteStream;
}

/** An image whose blobs are in the archive. */
export interface DockerTarParts {
  readonly config: Digest;
  /** Base first. */
  readonly layers: readonly Digest[];
}

/**
 * Writes images, one after the other: the blobs of each, then what it consists of. The tables of contents
 * come last, with `finish`.
 */
export class DockerTarWriter {
  readonly #tar: TarWriter;
  readonly #stored = new Map<Digest, StoredBlob>();
  readonly #configs = new Map<Digest, Uint8Array>();
  readonly #legacyIds = new Set<string>();
  readonly #items = new Map<Digest, DockerTarItem>();
  readonly #topLayers = new Map<string, string>();

  /** The archive is ended by `finish`; its output stays the caller's. */
  constructor(tar: TarWriter) {
    this.#tar = tar;
  }

  /** Returns what the archive holds of a blob already. */
  find({ digest, size }: Pick<Descriptor, "digest" | "size">): StoredBlob | undefined {
    const stored = this.#stored.get(digest);
    return stored === undefined || stored.size !== (size ?? stored.size)
      ? undefined
      : { ...stored, by: "presence" };
  }

  /** Adds a blob, unless it is there. After a failure nothing of it is, as `TarWriter.addFile` has it. */
  async putBlob(
    blob: DockerTarBlob,
    role: BlobRole,
    ...signals: readonly AbortSignal[]
  ): Promise<StoredBlob> {
    const present = blob.digest && this.#stored.get(blob.digest);
    if (present !== undefined) return { ...present, by: "presence" };
    const stored =
      role === "config"
        ? await this.#putConfig(blob, ...signals)
        : await this.#putLayer(blob, ...signals);
    this.#stored.set(stored.digest, { ...stored, by: "sending" });
    return stored;
  }

  /**
   * Adds an image under its names, in full and with tags; earlier images lose them. An image that is there
   * already gets more of them.
   */
  async putImage(parts: DockerTarParts, tags: readonly string[]): Promise<void> {
    const config = this.#configs.get(parts.config);
    const absent = parts.layers.find((layer) => !this.#stored.has(layer));
    if (config === undefined || absent !== undefined) {
      throw new Failure(
        "corrupt",
        `Manifest names the blob ${absent ?? parts.config}, which was not written`,
      );
    }
    const legacy = legacyLayers(parts.layers, config);
    for (const layer of legacy) await this.#putLegacy(layer.id, layer.digest, layer.json);
    for (const [digest, item] of this.#items) {
      this.#items.set(digest, { ...item, tags: item.tags.filter((tag) => !tags.includes(tag)) });
    }
    const earlier = this.#items.get(parts.config)?.tags ?? [];
    this.#items.set(parts.config, {
      config: configFile(parts.config),
      tags: [...new Set([...earlier, ...tags])],
      layers: parts.layers.map(layerFile),
    });
    const top = legacy.at(-1)?.id;
    for (const tag of tags) {
      this.#topLayers.delete(tag);
      if (top !== undefined) this.#topLayers.set(tag, top);
    }
  }

  /** Adds the tables of contents, and ends the archive. */
  async finish(): Promise<void> {
    await this.#put(itemsFile, encodeItems([...this.#items.values()]));
    await this.#put(repositoriesFile, encodeRepositories(this.#topLayers));
    await this.#tar.finish();
  }

  /** A config is kept in memory too: what is said of its image depends on it. */
  async #putConfig(blob: DockerTarBlob, ...signals: readonly AbortSignal[]): Promise<StoredBlob> {
    const bytes = await collect(blob.open(), limits.configBytes);
    for (const signal of signals) signal.throwIfAborted();
    const digest = blob.digest ?? digestOf(bytes);
    await this.#put(configFile(digest), bytes);
    this.#configs.set(digest, bytes);
    return { digest, size: bytes.length, by: "sending" };
  }

  async #putLayer(blob: DockerTarBlob, ...signals: readonly AbortSignal[]): Promise<StoredBlob> {
    const { digest, size } = blob;
    if (digest !== undefined) {
      const file = { name: layerFile(digest), size, mode };
      const written = await this.#tar.addFile(file, blob.open(), ...signals);
      return { digest, size: written, by: "sending" };
    }
    return this.#putNameless(blob, ...signals);
  }

  /** Layers that are compressed in different ways may turn out to be the same. */
  async #putNameless(blob: DockerTarBlob, ...signals: readonly AbortSignal[]): Promise<StoredBlob> {
    const digester = new Digester();
    let digest: Digest | undefined;
    let present: StoredBlob | undefined;
    const name = (): string => {
      digest = digester.digest();
      present = this.#stored.get(digest);
      if (present !== undefined) throw new Failure("bug", `Blob ${digest} is in the archive twice`);
      return layerFile(digest);
    };
    try {
      const file = { name, size: blob.size, mode };
      const size = await this.#tar.addFile(file, digested(blob.open(), digester), ...signals);
      if (digest === undefined) throw new Failure("bug", "A layer was written without a name");
      return { digest, size, by: "sending" };
    } catch (error) {
      if (present !== undefined) return { ...present, by: "presence" };
      throw error;
    }
  }

  async #putLegacy(id: string, layer: Digest, json: Uint8Array): Promise<void> {
    if (this.#legacyIds.has(id)) return;
    this.#legacyIds.add(id);
    await this.#tar.addLink(`${id}/layer.tar`, `../${layerFile(layer)}`);
    await this.#put(`${id}/VERSION`, legacyVersion);
    await this.#put(`${id}/json`, json);
  }

  async #put(name: string, bytes: Uint8Array): Promise<void> {
    await this.#tar.addFile({ name, size: bytes.length, mode }, streamOf(bytes));
  }
}

/** Nobody changes what is named for its content. */
const mode = 0o444;

const legacyVersion = new TextEncoder().encode("1.0");

function layerFile(digest: Digest): string {
  return `${digestHex(digest)}.tar`;
}

function configFile(digest: Digest): string {
  return `${digestHex(digest)}.json`;
}

async function* digested(bytes: ByteStream, digester: Digester): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    digester.update(chunk);
    yield chunk;
  }
}
