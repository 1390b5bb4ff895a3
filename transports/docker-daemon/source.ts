// Source: reading an image from an engine.
//
// The engine packs an image as `docker save` does, and says only at the end what it consists of. So its
// archive is kept in the temporary directory, and read there.

import type { ByteStream } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { during } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { BlobReading, ImageSource, RawManifest, Signature } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { Archive } from "../shared/archive.ts";
import { type DockerTarImage, DockerTarReader } from "../shared/docker-tar-reader.ts";
import { Spool } from "../shared/spool.ts";
import { openEngine } from "./engine.ts";

/** Fetches an image from the engine. Fails with `refused` if it has none of this name. */
export async function openSource(name: ImageName, context: TransportContext): Promise<ImageSource> {
  await using opening = new AsyncDisposableStack();
  const archive = opening.use(await fetchImage(name, context));
  const reader = await DockerTarReader.open(archive);
  const image = await reader.readImage({ by: "itself" }, context.signal);
  return new DockerDaemonSource(name, image, opening.move());
}

async function fetchImage(name: ImageName, context: TransportContext): Promise<Archive> {
  await using engine = await openEngine(context);
  // Once it is open the file needs no name: a run that is killed leaves nothing.
  await using spool = await during("loading image from docker engine", async () => {
    await engine.greet();
    return await Spool.keep(await engine.exportImage(name.text), context.temporaryDirectory);
  });
  return await Archive.open(spool.path, context);
}

class DockerDaemonSource implements ImageSource {
  readonly name: ImageName;
  readonly concurrent = true;
  readonly nearby = true;
  readonly #image: DockerTarImage;
  readonly #kept: AsyncDisposable;

  constructor(name: ImageName, image: DockerTarImage, kept: AsyncDisposable) {
    this.name = name;
    this.#image = image;
    this.#kept = kept;
  }

  async readManifest(): Promise<RawManifest> {
    return this.#image.manifest;
  }

  async readSignatures(): Promise<readonly Signature[]> {
    return [];
  }

  async openBlob({ digest }: Descriptor, reading: BlobReading = {}): Promise<ByteStream> {
    return this.#image.openBlob(digest, ...(reading.signal === undefined ? [] : [reading.signal]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kept[Symbol.asyncDispose]();
  }
}
