// Source: reading an image from an archive.

import type { ByteStream } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { BlobReading, ImageSource, RawManifest, Signature } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import type { Archive } from "../shared/archive.ts";
import { type DockerTarImage, DockerTarReader } from "../shared/docker-tar-reader.ts";
import type { DockerArchiveName } from "./name.ts";
import { openArchive } from "./open-archive.ts";

/** Opens an archive for reading. Which image is meant shows when its manifest is read. */
export async function openSource(
  name: DockerArchiveName,
  context: TransportContext,
): Promise<ImageSource> {
  await using opening = new AsyncDisposableStack();
  const archive = opening.use(await openArchive(name.path, context));
  const source = new DockerArchiveSource(name, {
    archive,
    reader: await DockerTarReader.open(archive),
    signal: context.signal,
  });
  opening.move();
  return source;
}

/** What an open source reads from. */
interface OpenArchive {
  readonly archive: Archive;
  readonly reader: DockerTarReader;
  readonly signal: AbortSignal;
}

class DockerArchiveSource implements ImageSource {
  readonly name: DockerArchiveName;
  readonly concurrent = true;
  readonly nearby = true;
  readonly #open: OpenArchive;
  #image: Promise<DockerTarImage> | undefined;

  constructor(name: DockerArchiveName, open: OpenArchive) {
    this.name = name;
    this.#open = open;
  }

  async readManifest(): Promise<RawManifest> {
    return (await this.#chosen()).manifest;
  }

  async readSignatures(): Promise<readonly Signature[]> {
    return [];
  }

  async openBlob({ digest }: Descriptor, reading: BlobReading = {}): Promise<ByteStream> {
    const signals = reading.signal === undefined ? [] : [reading.signal];
    return (await this.#chosen()).openBlob(digest, this.#open.signal, ...signals);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.archive[Symbol.asyncDispose]();
  }

  #chosen(): Promise<DockerTarImage> {
    const { reader, signal } = this.#open;
    this.#image ??= reader.readImage(this.name.wanted, signal);
    return this.#image;
  }
}
