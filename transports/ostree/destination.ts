// Destination: writing an image to a repository.
//
// Each layer and the config become commits of their own, on branches named for their digests, as soon as they
// are there and right. What makes them an image is the branch of its name, which comes last.

import { detectCompression, decompressed, magicBytes } from "../../core/blob/decompress.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, Digester, digestHex } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  DestinationTraits,
  ImageDestination,
  OutgoingBlob,
  OutgoingManifest,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { Signature } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { manifestDigest } from "../../core/manifest/manifest.ts";
import { FileObject } from "./file-object.ts";
import { writeLayer, type WrittenTree } from "./layer-objects.ts";
import { kinds } from "./layer-tree.ts";
import { branchOf, type OstreeName } from "./name.ts";
import type { Checksum, FileMeta } from "./objects.ts";
import { openProbe, type OstreeProbe } from "./probe.ts";
import type { Repository } from "./repository.ts";
import { StagedObjects } from "./staged-objects.ts";

/** Opens a repository for writing, which has to be there. */
export async function openDestination(
  name: OstreeName,
  context: TransportContext,
): Promise<ImageDestination> {
  const probe = await openProbe(name, context);
  const lock = await probe.repository.lock(context);
  try {
    probe.repository.removeLeftovers();
    return new OstreeDestination(probe, context, lock);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

class OstreeDestination implements ImageDestination {
  readonly name: OstreeName;
  readonly traits: DestinationTraits;
  readonly #probe: OstreeProbe;
  readonly #repository: Repository;
  readonly #context: TransportContext;
  readonly #lock: Disposable;
  #manifest: Uint8Array | undefined;
  #signatures: readonly Signature[] = [];

  constructor(probe: OstreeProbe, context: TransportContext, lock: Disposable) {
    this.name = probe.name;
    this.traits = probe.traits;
    this.#probe = probe;
    this.#repository = probe.repository;
    this.#context = context;
    this.#lock = lock;
  }

  reuseBlob(wanted: Descriptor, role: BlobRole): Promise<StoredBlob | undefined> {
    return this.#probe.findBlob(wanted, role);
  }

  async putBlob(blob: OutgoingBlob, role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    const signals = [this.#context.signal, ...(signal === undefined ? [] : [signal])];
    const meter = new Meter(signals);
    using staged = new StagedObjects(this.#repository);
    const written =
      role === "layer"
        ? await putLayer(blob, meter, staged)
        : await putConfig(meter.through(blob.open()), staged);
    const digest = blob.digest ?? meter.digest();
    const metadata = new Map([["docker.size", String(meter.size)], ...written.metadata]);
    const commit = staged.writeCommit({ ...written, metadata });
    staged.publish();
    this.#repository.writeBranch(branchOf(digestHex(digest)), commit);
    return { digest, size: meter.size, by: "sending" };
  }

  async putManifest(manifest: OutgoingManifest, instance?: Digest): Promise<void> {
    if (instance !== undefined) {
      throw new Failure("unsupported", `Manifest lists are not supported by "ostree:"`);
    }
    this.#manifest = manifest.bytes;
  }

  async putSignatures(signatures: readonly Signature[]): Promise<void> {
    this.#signatures = signatures;
  }

  async commit(): Promise<void> {
    const manifest = this.#manifest;
    if (manifest === undefined) throw new Failure("bug", "An image has no manifest");
    using staged = new StagedObjects(this.#repository);
    const files = [
      ["manifest.json", putFile(manifest, staged)] as const,
      ...this.#signatures.map(
        (signature, index) => [`signature-${index + 1}`, putFile(signature, staged)] as const,
      ),
    ];
    const commit = staged.writeCommit({
      tree: staged.writeTree({ files, directories: [] }),
      meta: staged.writeMeta(topMeta),
      metadata: new Map([
        ["docker.manifest", new TextDecoder().decode(manifest)],
        ["signatures", String(this.#signatures.length)],
        ["docker.digest", manifestDigest(manifest)],
      ]),
    });
    staged.publish();
    this.#repository.writeBranch(branchOf(this.name.image), commit);
    this.#repository.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lock[Symbol.dispose]();
  }
}

function putFile(bytes: Uint8Array, staged: StagedObjects): Checksum {
  using file = new FileObject(staged, fileMeta, bytes.length);
  if (bytes.length > 0) file.write(bytes);
  return file.complete().checksum;
}

async function putLayer(
  blob: OutgoingBlob,
  meter: Meter,
  staged: StagedObjects,
): Promise<WrittenTree> {
  await using start = await blob.peek(magicBytes);
  const compression = detectCompression(start.start);
  // Awaited here: what was looked at stays open until then.
  return await writeLayer(decompressed(compression)(meter.through(start.blob.open())), staged);
}

async function putConfig(content: ByteStream, staged: StagedObjects): Promise<WrittenTree> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of content) {
    parts.push(part);
    size += part.length;
    if (size > limits.configBytes) throw new Failure("corrupt", "Config is too large");
  }
  const files = [["content", putFile(Buffer.concat(parts), staged)] as const];
  return {
    tree: staged.writeTree({ files, directories: [] }),
    meta: staged.writeMeta(topMeta),
    metadata: [],
  };
}

const topMeta: FileMeta = { uid: 0, gid: 0, mode: kinds.directory | 0o755, xattrs: [] };
const fileMeta: FileMeta = { uid: 0, gid: 0, mode: kinds.regular | 0o644, xattrs: [] };

/** Measures a blob on its way. */
class Meter {
  readonly #digester = new Digester();
  readonly #signals: readonly AbortSignal[];
  #size = 0;

  constructor(signals: readonly AbortSignal[]) {
    this.#signals = signals;
  }

  /** In bytes, when all have passed. */
  get size(): number {
    return this.#size;
  }

  /** Of all bytes that have passed. May be called once. */
  digest(): Digest {
    return this.#digester.digest();
  }

  async *through(content: ByteStream): AsyncGenerator<Uint8Array> {
    for await (const bytes of content) {
      for (const signal of this.#signals) signal.throwIfAborted();
      this.#digester.update(bytes);
      this.#size += bytes.length;
      yield bytes;
    }
  }
}
