// Earlier images: what an archive holds before another image joins it.

import type { Descriptor } from "../../core/content/descriptor.ts";
import { parseDockerName } from "../../core/content/docker-name.ts";
import { verified } from "../../core/blob/verify.ts";
import { during } from "../../core/failure.ts";
import type { BlobRole, StoredBlob } from "../../core/image/destination.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import type { Archive } from "../shared/archive.ts";
import { type DockerTarImage, DockerTarReader } from "../shared/docker-tar-reader.ts";
import type { DockerTarWriter } from "../shared/docker-tar-writer.ts";
import { taggedName } from "./name.ts";
import { openArchive } from "./open-archive.ts";

/**
 * The images of an archive that is about to be replaced by one that holds more. They are carried over into
 * that one; their layers end up uncompressed there. Disposing closes the archive.
 */
export class EarlierImages implements AsyncDisposable {
  readonly #archive: Archive;
  readonly #images: readonly DockerTarImage[];
  readonly #signal: AbortSignal;

  private constructor(archive: Archive, images: readonly DockerTarImage[], signal: AbortSignal) {
    this.#archive = archive;
    this.#images = images;
    this.#signal = signal;
  }

  /** Opens the archive at `path`. Fails with `corrupt` if not all of its images are whole. */
  static async open(path: string, context: TransportContext): Promise<EarlierImages> {
    await using opening = new AsyncDisposableStack();
    const archive = opening.use(await openArchive(path, context));
    const reader = await DockerTarReader.open(archive);
    const images: DockerTarImage[] = [];
    for (const position of reader.items.keys()) {
      images.push(await reader.readImage({ by: "position", position }, context.signal));
    }
    opening.move();
    return new EarlierImages(archive, images, context.signal);
  }

  /** Returns what `carryBlob` would carry over, unless that turns out to be damaged. */
  findBlob({ digest, size }: Pick<Descriptor, "digest" | "size">): StoredBlob | undefined {
    const blobs = this.#images.flatMap(({ config, layers }) => [config, ...layers]);
    const blob = blobs.find((each) => each.digest === digest && each.size === (size ?? each.size));
    if (blob?.size === undefined) return undefined;
    return { digest, size: blob.size, by: "presence" };
  }

  /** Carries one blob over if it is here; undefined if it is not. */
  async carryBlob(
    wanted: Pick<Descriptor, "digest" | "size">,
    role: BlobRole,
    writer: DockerTarWriter,
  ): Promise<StoredBlob | undefined> {
    for (const image of this.#images) {
      const blob = [image.config, ...image.layers].find(({ digest }) => digest === wanted.digest);
      if (blob === undefined || blob.size !== (wanted.size ?? blob.size)) continue;
      await this.#carry(image, blob, role, writer);
      return writer.find(blob);
    }
    return undefined;
  }

  /** Carries all images over, but those whose every name is among `taken`. */
  async carryAll(writer: DockerTarWriter, taken: readonly string[]): Promise<void> {
    for (const image of this.#images) {
      const tags = await during(`keeping an image of ${this.#archive.path}`, () =>
        image.item.tags.map((tag) => taggedName(parseDockerName(tag))),
      );
      const left = tags.filter((tag) => !taken.includes(tag));
      if (tags.length > 0 && left.length === 0) continue;
      await this.#carry(image, image.config, "config", writer);
      for (const layer of image.layers) await this.#carry(image, layer, "layer", writer);
      const layers = image.layers.map(({ digest }) => digest);
      await writer.putImage({ config: image.config.digest, layers }, left);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#archive[Symbol.asyncDispose]();
  }

  /** Verified: other images are going to rely on it. */
  async #carry(
    image: DockerTarImage,
    blob: Descriptor,
    role: BlobRole,
    writer: DockerTarWriter,
  ): Promise<void> {
    const open = () => verified(blob)(image.openBlob(blob.digest, this.#signal));
    await during(`keeping blob ${blob.digest} of ${this.#archive.path}`, () =>
      writer.putBlob({ digest: blob.digest, size: blob.size, open }, role),
    );
  }
}
