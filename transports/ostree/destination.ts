// Destination: writing an image to a repository.
//
// Each layer and the config become commits of their own, on branches named for their digests, as soon as they
// are there and right. What makes them an image is the branch of its name, which comes last.

import { Crc64 } from "../../core/blob/crc64.ts";
import { detectCompression, decompressed, magicBytes } from "../../core/blob/decompress.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import { type TarEntry, tarEntries } from "../../core/blob/tar-reader.ts";
import { TarSplitEncoder } from "../../core/blob/tar-split.ts";
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
import { checkLayerEntry } from "../shared/layer-entry.ts";
import { RecordingInput } from "../shared/recording-input.ts";
import { FileObject, writeLink } from "./file-object.ts";
import { kinds, LayerTree, metaOf, textIn } from "./layer-tree.ts";
import { branchOf, type OstreeName } from "./name.ts";
import type { Checksum, FileMeta } from "./objects.ts";
import { openProbe, type OstreeProbe } from "./probe.ts";
import type { Repository } from "./repository.ts";

/** Opens a repository for writing, which has to be there. */
export async function openDestination(
  name: OstreeName,
  context: TransportContext,
): Promise<ImageDestination> {
  const probe = await openProbe(name, context);
  return new OstreeDestination(probe, context, await probe.repository.lock(context));
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
    const written =
      role === "layer"
        ? await this.#putLayer(blob, meter)
        : await this.#putConfig(meter.through(blob.open()));
    const digest = blob.digest ?? meter.digest();
    const metadata = new Map([["docker.size", String(meter.size)], ...written.metadata]);
    const commit = this.#repository.writeCommit({ ...written, metadata });
    this.#repository.sync();
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
    const files = [
      ["manifest.json", this.#putFile(manifest)] as const,
      ...this.#signatures.map(
        (signature, index) => [`signature-${index + 1}`, this.#putFile(signature)] as const,
      ),
    ];
    const commit = this.#repository.writeCommit({
      tree: this.#repository.writeTree({ files, directories: [] }),
      meta: this.#repository.writeMeta(topMeta),
      metadata: new Map([
        ["docker.manifest", new TextDecoder().decode(manifest)],
        ["signatures", String(this.#signatures.length)],
        ["docker.digest", manifestDigest(manifest)],
      ]),
    });
    this.#repository.sync();
    this.#repository.writeBranch(branchOf(this.name.image), commit);
    this.#repository.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lock[Symbol.dispose]();
  }

  #putFile(bytes: Uint8Array): Checksum {
    using file = new FileObject(this.#repository, fileMeta, bytes.length);
    if (bytes.length > 0) file.write(bytes);
    return file.complete().checksum;
  }

  async #putConfig(content: ByteStream): Promise<WrittenTree> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of content) {
      parts.push(part);
      size += part.length;
      if (size > limits.configBytes) throw new Failure("corrupt", "Config is too large");
    }
    const files = [["content", this.#putFile(Buffer.concat(parts))] as const];
    return {
      tree: this.#repository.writeTree({ files, directories: [] }),
      meta: this.#repository.writeMeta(topMeta),
      metadata: [],
    };
  }

  async #putLayer(blob: OutgoingBlob, meter: Meter): Promise<WrittenTree> {
    await using start = await blob.peek(magicBytes);
    const compression = detectCompression(start.start);
    const content = decompressed(compression)(meter.through(start.blob.open()));
    const encoder = new TarSplitEncoder();
    const tree = new LayerTree();
    const packed: Uint8Array[] = [];
    await using input = new RecordingInput(content, encoder);
    for await (const entry of tarEntries(input, { asEngines: true })) {
      checkLayerEntry(entry);
      const checksum = await this.#putEntry(entry, tree, input);
      encoder.file(entry.nameBytes, checksum && { size: entry.size, checksum });
      pack(encoder, "enough", packed);
    }
    const digest = await input.end();
    pack(encoder, "all", packed);
    return {
      ...tree.write(this.#repository),
      metadata: [
        ["docker.uncompressed_size", String(input.position)],
        ["docker.uncompressed_digest", digest],
        ["tarsplit.output", Buffer.concat(packed).toString("base64")],
      ],
    };
  }

  /** Puts an entry into the tree, and returns the checksum of content that can be taken back from there. */
  async #putEntry(
    entry: TarEntry,
    tree: LayerTree,
    input: RecordingInput,
  ): Promise<Uint8Array | undefined> {
    switch (entry.kind) {
      case "directory":
        tree.addDirectory(entry);
        return undefined;
      case "hard-link":
        tree.addHardLink(entry);
        return undefined;
      case "symbolic-link": {
        const target = textIn(entry.linkBytes, entry.link);
        tree.addFile(entry, writeLink(this.#repository, metaOf(entry, kinds.symbolicLink), target));
        return undefined;
      }
      case "file": {
        const crc = new Crc64();
        using file = new FileObject(this.#repository, metaOf(entry, kinds.regular), entry.size);
        for (let left = entry.size; left > 0;) {
          const found = input.content(left);
          const bytes = found instanceof Promise ? await found : found;
          crc.update(bytes);
          file.write(bytes);
          left -= bytes.length;
        }
        tree.addFile(entry, file.complete());
        return crc.digest();
      }
      case "character-device":
      case "block-device":
      case "fifo":
      case "other":
        // Left out, as the original does: the tar-split knows of them.
        tree.addParents(entry);
        return undefined;
    }
  }
}

/** What a commit of a blob is made of. */
interface WrittenTree {
  readonly tree: Checksum;
  readonly meta: Checksum;
  readonly metadata: readonly (readonly [string, string])[];
}

const topMeta: FileMeta = { uid: 0, gid: 0, mode: kinds.directory | 0o755, xattrs: [] };
const fileMeta: FileMeta = { uid: 0, gid: 0, mode: kinds.regular | 0o644, xattrs: [] };

/** Appends what an encoder has gathered, as one more member of a gzip file. */
function pack(encoder: TarSplitEncoder, all: "all" | "enough", packed: Uint8Array[]): void {
  const lines = encoder.take(all) ?? (all === "all" && packed.length === 0 ? nothing : undefined);
  if (lines !== undefined) packed.push(Bun.gzipSync(lines, { level: 1 }));
}

const nothing = new Uint8Array();

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
