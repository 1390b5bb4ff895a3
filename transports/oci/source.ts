// Source: reading an image from an OCI layout.

import { existsSync } from "node:fs";
import type { ByteStream } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { Digest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { BlobReading, ImageSource, RawManifest, Signature } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { guessType } from "../../core/manifest/manifest.ts";
import { fileStream, readSmallFile } from "../shared/file-stream.ts";
import { type LayoutIndex, selectEntry } from "./index-json.ts";
import { Layout } from "./layout.ts";
import type { OciName } from "./name.ts";

/** Opens a layout for reading. Fails with `not-found` if it has no image of that name. */
export async function openSource(name: OciName, context: TransportContext): Promise<ImageSource> {
  const layout = new Layout(name.path, context);
  const index = await layout.readIndex();
  const { digest } = selectEntry(index, name.wanted);
  return new OciSource(name, { layout, index, digest, signal: context.signal });
}

/** What an open source reads from. */
interface OpenLayout {
  readonly layout: Layout;
  readonly index: LayoutIndex;
  /** The digest that the index has for the top-level manifest. */
  readonly digest: Digest;
  readonly signal: AbortSignal;
}

class OciSource implements ImageSource {
  readonly name: OciName;
  readonly concurrent = true;
  readonly #open: OpenLayout;

  constructor(name: OciName, open: OpenLayout) {
    this.name = name;
    this.#open = open;
  }

  async readManifest(instance?: Digest): Promise<RawManifest> {
    const { layout, index } = this.#open;
    const digest = instance ?? this.#open.digest;
    const bytes = await readSmallFile(layout.blobPath(digest), limits.manifestBytes);
    const listed = index.entries.find((entry) => entry.digest === digest)?.mediaType ?? "";
    return { bytes, mediaType: listed === "" ? (guessType(bytes) ?? "") : listed };
  }

  async readSignatures(): Promise<readonly Signature[]> {
    return [];
  }

  async openBlob(blob: Descriptor, reading: BlobReading = {}): Promise<ByteStream> {
    const path = this.#open.layout.blobPath(blob.digest);
    const [url] = blob.urls ?? [];
    if (url !== undefined && !existsSync(path)) throw foreign(blob.digest, path, url);
    const signals = reading.signal === undefined ? [] : [reading.signal];
    return fileStream(path, this.#open.signal, ...signals);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Addresses in an image are the author's choice, and nobody asked us to go there. */
function foreign(digest: Digest, path: string, url: string): Failure {
  const where = JSON.stringify(url.slice(0, limits.shownCharacters));
  return new Failure("unsupported", `open ${path}: no such file or directory`, {
    hint: `blob ${digest} is a foreign layer kept at ${where}, which is not fetched`,
  });
}
