// Source: reading an image from a repository.

import { decompressed } from "../../core/blob/decompress.ts";
import { collect } from "../../core/blob/collect.ts";
import { type ByteStream, streamOf } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestHex, parseDigest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type {
  BlobReading,
  ImageSource,
  KeptLayers,
  RawManifest,
  Signature,
} from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { guessType, parseManifest } from "../../core/manifest/manifest.ts";
import { rebuiltLayer } from "../shared/rebuilt-layer.ts";
import { CommitFiles } from "./commit-files.ts";
import { branchOf, type OstreeName } from "./name.ts";
import type { Commit } from "./objects.ts";
import { Repository } from "./repository.ts";

/** Opens an image of a repository. Fails with `not-found` if it has none of this name. */
export async function openSource(
  name: OstreeName,
  context: TransportContext,
): Promise<ImageSource> {
  const repository = await Repository.open(name.repository);
  const lock = await repository.lock(context);
  try {
    const branch = repository.readBranch(branchOf(name.image));
    if (branch === undefined) {
      throw new Failure("not-found", `No image ${name.image} in ${repository.path}`);
    }
    const image = await repository.readCommit(branch);
    return new OstreeSource(name, { repository, image, lock, context });
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** What an open source reads from. */
interface OpenImage {
  readonly repository: Repository;
  readonly image: Commit;
  readonly lock: Disposable;
  readonly context: TransportContext;
}

/** A layer, and where it comes from. */
interface FoundLayer {
  readonly commit: Commit;
  readonly digest: Digest;
  readonly size: number;
}

class OstreeSource implements ImageSource {
  readonly name: OstreeName;
  readonly concurrent = true;
  readonly #open: OpenImage;
  #layers: Promise<readonly FoundLayer[]> | undefined;

  constructor(name: OstreeName, open: OpenImage) {
    this.name = name;
    this.#open = open;
  }

  async readManifest(instance?: Digest): Promise<RawManifest> {
    if (instance !== undefined) {
      throw new Failure("not-found", `Manifest lists are not supported by "ostree:"`);
    }
    const bytes = await this.#file("manifest.json", limits.manifestBytes);
    if (bytes === undefined) {
      throw new Failure(
        "corrupt",
        `Image ${this.name.image} of ${this.name.repository} has no manifest`,
      );
    }
    return { bytes, mediaType: guessType(bytes) ?? "" };
  }

  async readSignatures(): Promise<readonly Signature[]> {
    const stated = Number(this.#open.image.metadata.get("signatures") ?? "0");
    if (!Number.isSafeInteger(stated) || stated < 0 || stated > limits.signatures) {
      throw new Failure(
        "corrupt",
        `Image ${this.name.image} has an impossible number of signatures`,
      );
    }
    const signatures: Signature[] = [];
    for (let number = 1; number <= stated; number += 1) {
      const signature = await this.#file(`signature-${number}`, limits.signatureBytes);
      if (signature === undefined) {
        throw new Failure("corrupt", `Image ${this.name.image} has lost its signature ${number}`);
      }
      signatures.push(signature);
    }
    return signatures;
  }

  async readLayers(): Promise<KeptLayers> {
    const layers = await this.#allLayers();
    return {
      image: this.name.image,
      layers: layers.map(({ digest, size }) => ({ digest, size })),
    };
  }

  async openBlob({ digest }: Descriptor, reading: BlobReading = {}): Promise<ByteStream> {
    const { repository, context } = this.#open;
    const signals = [context.signal, ...(reading.signal === undefined ? [] : [reading.signal])];
    const layer = (await this.#allLayers()).find((each) => each.digest === digest);
    if (layer !== undefined) {
      const packed = Buffer.from(layer.commit.metadata.get("tarsplit.output") ?? "", "base64");
      const tarSplit = decompressed("gzip", "Tar-split")(streamOf(packed));
      const files = new CommitFiles(repository, layer.commit.tree, ...signals);
      return rebuiltLayer({ tarSplit, files });
    }
    const { tree } = await this.#blobCommit(digest);
    const content = await new CommitFiles(repository, tree, ...signals).open("content");
    if (content !== undefined) return content;
    throw new Failure("corrupt", `Blob ${digest} has no content in ${repository.path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open.lock[Symbol.dispose]();
  }

  async #file(name: string, limit: number): Promise<Uint8Array | undefined> {
    const { repository, image, context } = this.#open;
    const stream = await new CommitFiles(repository, image.tree, context.signal).open(name);
    return stream === undefined ? undefined : collect(stream, limit);
  }

  #allLayers(): Promise<readonly FoundLayer[]> {
    this.#layers ??= this.#findLayers();
    return this.#layers;
  }

  async #findLayers(): Promise<readonly FoundLayer[]> {
    const manifest = parseManifest(await this.readManifest());
    if (manifest.kind !== "image") {
      throw new Failure("unsupported", `Manifest lists are not supported by "ostree:"`);
    }
    const found: FoundLayer[] = [];
    for (const { digest } of manifest.layers) found.push(await this.#layer(digest));
    return found;
  }

  async #layer(stored: Digest): Promise<FoundLayer> {
    const commit = await this.#blobCommit(stored);
    const size = Number(commit.metadata.get("docker.uncompressed_size") ?? "");
    const digest = parseDigest(commit.metadata.get("docker.uncompressed_digest") ?? "");
    if (Number.isSafeInteger(size) && size >= 0) return { commit, digest, size };
    throw new Failure("corrupt", `Layer ${stored} has no size in ${this.name.repository}`);
  }

  async #blobCommit(digest: Digest): Promise<Commit> {
    const { repository } = this.#open;
    const branch = repository.readBranch(branchOf(digestHex(digest)));
    if (branch !== undefined) return repository.readCommit(branch);
    throw new Failure("corrupt", `Blob ${digest} is not in ${repository.path}`);
  }
}
