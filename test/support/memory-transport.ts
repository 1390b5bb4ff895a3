// Memory transport: keeps images in a few maps, and keeps the contracts.

import { collect } from "../../core/blob/collect.ts";
import { type ByteStream, streamOf } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestOf, parseDigest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  DestinationTraits,
  ImageDestination,
  OutgoingBlob,
  OutgoingManifest,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { ImageName } from "../../core/image/name.ts";
import type {
  ImageSource,
  RawManifest,
  Referrer,
  Signature,
  SignedManifest,
} from "../../core/image/source.ts";
import type { ImageReference, Transport } from "../../core/image/transport.ts";
import { blobsOf, manifestsOf, type Sample } from "./sample-images.ts";

/** An image as it is kept. The top level goes by the empty name, instances by their digests. */
interface KeptImage {
  readonly manifests: ReadonlyMap<string, RawManifest>;
  readonly signatures: ReadonlyMap<string, readonly Signature[]>;
}

/** How a memory transport is to behave. */
export interface MemoryWish {
  readonly traits?: Partial<DestinationTraits>;
  /** Whether several blobs may be read at a time; they may if absent. */
  readonly concurrent?: boolean;
  /** Whether bundles are to be looked for though no policy asks for them; they are not if absent. */
  readonly offersBundles?: boolean;
  /** How many bytes come at a time; a blob comes as one piece if absent. */
  readonly chunkBytes?: number;
}

/** The transport `memory:NAME`. What a test puts in by hand may be as wrong as it likes. */
export class MemoryTransport implements Transport {
  readonly name = "memory";
  readonly images = new Map<string, KeptImage>();
  readonly blobs = new Map<Digest, Uint8Array>();
  /** What is about manifests, by the digests of these. */
  readonly referrers = new Map<Digest, readonly Uint8Array[]>();
  /** How often somebody has looked for referrers. */
  sought = 0;
  readonly wish: MemoryWish;

  constructor(wish: MemoryWish = {}) {
    this.wish = wish;
  }

  /** Keeps a sample with all it consists of, under a name. */
  add(name: string, sample: Sample, signatures: readonly Signature[] = []): void {
    for (const { digest, bytes } of blobsOf(sample)) this.blobs.set(parseDigest(digest), bytes);
    const all = manifestsOf(sample).map(({ digest, bytes, mediaType }) => {
      return [digest, { bytes, mediaType }] as const;
    });
    const { bytes, mediaType } = sample.manifest;
    this.images.set(name, {
      manifests: new Map([...all, ["", { bytes, mediaType }]]),
      signatures: new Map([["", signatures]]),
    });
  }

  parseReference(text: string): ImageReference {
    const name: ImageName = {
      transport: "memory",
      text,
      policyIdentity: text,
      policyNamespaces: [],
    };
    return {
      ...name,
      openSource: async () => new MemorySource(name, this),
      openDestination: async () => new MemoryDestination(name, this),
      openProbe: async () => ({
        name,
        traits: traitsOf(this.wish),
        findBlob: async (wanted) => findBlob(this, wanted),
        [Symbol.asyncDispose]: async () => {},
      }),
      deleteImage: async () => void this.images.delete(text),
    };
  }

  checkPolicyScope(): void {}
}

class MemorySource implements ImageSource {
  readonly name: ImageName;
  readonly concurrent: boolean;
  readonly #kept: MemoryTransport;

  constructor(name: ImageName, kept: MemoryTransport) {
    this.name = name;
    this.concurrent = kept.wish.concurrent ?? true;
    this.#kept = kept;
  }

  async readManifest(instance?: Digest): Promise<RawManifest> {
    const manifest = this.#kept.images.get(this.name.text)?.manifests.get(instance ?? "");
    if (manifest === undefined) throw new Failure("not-found", `No image ${this.name.text}`);
    return manifest;
  }

  async readSignatures({ instance }: SignedManifest): Promise<readonly Signature[]> {
    return this.#kept.images.get(this.name.text)?.signatures.get(instance ?? "") ?? [];
  }

  async readReferrers(digest: Digest): Promise<readonly RawManifest[]> {
    this.#kept.sought += 1;
    const found = this.#kept.referrers.get(digest) ?? [];
    return found.map((bytes) => ({ bytes, mediaType: "" }));
  }

  async offersBundles(): Promise<boolean> {
    return this.#kept.wish.offersBundles ?? false;
  }

  async openBlob({ digest }: Descriptor): Promise<ByteStream> {
    const bytes = this.#kept.blobs.get(digest);
    if (bytes === undefined) throw new Failure("io", `No blob ${digest}`);
    return streamOf(...pieces(bytes, this.#kept.wish.chunkBytes ?? bytes.length));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = size === 0 ? 0 : Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, index) => bytes.slice(index * size, (index + 1) * size));
}

function traitsOf({ traits }: MemoryWish): DestinationTraits {
  return {
    manifestTypes: [],
    layers: "preserve",
    keepsForeignUrls: false,
    holdsLists: true,
    concurrent: true,
    ...traits,
  };
}

function findBlob(kept: MemoryTransport, { digest, size }: Descriptor): StoredBlob | undefined {
  const found = kept.blobs.get(digest);
  if (found === undefined || (size ?? found.length) !== found.length) return undefined;
  return { digest, size: found.length, by: "presence" };
}

class MemoryDestination implements ImageDestination {
  readonly name: ImageName;
  readonly traits: DestinationTraits;
  readonly #kept: MemoryTransport;
  readonly #manifests = new Map<string, RawManifest>();
  readonly #signatures = new Map<string, readonly Signature[]>();

  constructor(name: ImageName, kept: MemoryTransport) {
    this.name = name;
    this.traits = traitsOf(kept.wish);
    this.#kept = kept;
  }

  async reuseBlob(wanted: Descriptor): Promise<StoredBlob | undefined> {
    return findBlob(this.#kept, wanted);
  }

  async putBlob(blob: OutgoingBlob, _role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    const bytes = await collect(blob.open(), Infinity);
    signal?.throwIfAborted();
    const digest = blob.digest ?? digestOf(bytes);
    this.#kept.blobs.set(digest, bytes);
    return { digest, size: bytes.length, by: "sending" };
  }

  async putManifest({ bytes, mediaType }: OutgoingManifest, instance?: Digest): Promise<void> {
    const { manifestTypes } = this.traits;
    if (manifestTypes.length > 0 && !manifestTypes.includes(mediaType)) {
      throw new Failure("unsupported", `Manifest type ${mediaType} is not taken here`);
    }
    this.#manifests.set(instance ?? "", { bytes, mediaType });
  }

  async putSignatures(
    signatures: readonly Signature[],
    { instance }: SignedManifest,
  ): Promise<void> {
    this.#signatures.set(instance ?? "", signatures);
  }

  async putReferrers(referrers: readonly Referrer[], { digest }: SignedManifest): Promise<void> {
    for (const { manifest, blobs } of referrers) {
      for (const blob of blobs) this.#kept.blobs.set(blob.digest, blob.bytes);
      const earlier = this.#kept.referrers.get(digest) ?? [];
      this.#kept.referrers.set(digest, [...earlier, manifest.bytes]);
    }
  }

  async commit(): Promise<void> {
    this.#kept.images.set(this.name.text, {
      manifests: this.#manifests,
      signatures: this.#signatures,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
