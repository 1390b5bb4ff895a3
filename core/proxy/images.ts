// The images that a client of the proxy has open, and what it may have of them.

import type { ByteStream } from "../blob/stream.ts";
import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import { isSchema1, manifestTypes } from "../content/media-types.ts";
import type { PlatformWish } from "../content/platform.ts";
import { withKeptLayers } from "../copy/kept-layers.ts";
import { asFailure, Failure, inContext } from "../failure.ts";
import type { ImageReference, TransportContext } from "../image/transport.ts";
import type { ImageSource } from "../image/source.ts";
import { findImage, type FoundImage, readClaims, readConfigBlob } from "../inspect/found-image.ts";
import { encodeJsonBytes } from "../json.ts";
import { ociConfig, writeOciConfig } from "../manifest/config.ts";
import { rewriteImage } from "../manifest/convert.ts";
import { type AdmittedImage, Candidate, type Gate, type OutgoingBlob } from "../trust/gate.ts";

/** Who decides what may be handed out, and for which platform images are chosen. */
export interface ProxyRules {
  readonly gate: Gate;
  readonly platform: PlatformWish;
}

/** Content that is on its way to a client: of an image that was admitted, or made on its behalf. */
export interface ProxyContent {
  /** What the client learns at once: a digest, or a size in bytes, -1 if it is unknown. */
  readonly value: Digest | number | null;
  readonly content: OutgoingBlob;
}

/** What the proxy says of a layer. */
export interface LayerSummary {
  readonly digest: Digest;
  /** In bytes; -1 if it is unknown. */
  readonly size: number;
  readonly media_type: string;
}

interface OpenImage {
  readonly source: ImageSource;
  readonly found: FoundImage;
  readonly image: AdmittedImage;
  /** As they can be read, base first; not always those that the manifest lists. */
  readonly layers: readonly Descriptor[];
}

/**
 * The images that are open, by number.
 *
 * An image is opened only if the policy admits it: of a list the list itself, or the image for the
 * platform. Nothing is given out but what the image's manifest names. Disposing closes all.
 */
export class ProxyImages implements AsyncDisposable {
  readonly #rules: ProxyRules;
  readonly #open = new Map<number, OpenImage>();
  #last = 0;

  constructor(rules: ProxyRules) {
    this.#rules = rules;
  }

  /** Opens an image and returns its number. Fails with `rejected`, `not-found` and as sources do. */
  async open(reference: ImageReference, context: TransportContext): Promise<number> {
    const source = await reference.openSource(context);
    try {
      this.#open.set(this.#last + 1, await this.#admit(source));
    } catch (error) {
      await source[Symbol.asyncDispose]();
      throw error;
    }
    this.#last += 1;
    return this.#last;
  }

  async #admit(source: ImageSource): Promise<OpenImage> {
    const { gate, platform } = this.#rules;
    const top = new Candidate(source);
    const found = await findImage(top, platform);
    const { candidate } = found;
    const image = await (candidate === top ? gate.admit(top) : gate.admitInstance(top, candidate));
    const { manifest } = found;
    const { layers } = await withKeptLayers({
      image,
      manifest,
      frozenBecause: undefined,
      readConfig: () => readConfigBlob(found),
    });
    return { source, found, image, layers };
  }

  /** Closes an image. What is being read of it fails. */
  async close(number: number): Promise<void> {
    const { source } = this.#at(number);
    this.#open.delete(number);
    await source[Symbol.asyncDispose]();
  }

  /** Returns the manifest as one of OCI, and the digest of the one that the source has. */
  async manifest(number: number): Promise<ProxyContent> {
    const { found, image } = this.#at(number);
    const { manifest } = found;
    if (isSchema1(manifest.mediaType)) {
      throw new Failure(
        "unsupported",
        `unsupported legacy manifest MIME type: ${manifest.mediaType}`,
      );
    }
    const same = manifest.mediaType === manifestTypes.oci;
    const config = same ? new Uint8Array() : await readConfigBlob(found);
    const written = rewriteImage(manifest, { to: manifestTypes.oci, config }).manifest;
    return { value: image.digest, content: image.generate(written.bytes, written.mediaType) };
  }

  /** Returns the whole config as OCI has it. */
  async fullConfig(number: number): Promise<ProxyContent> {
    const { found, image } = this.#at(number);
    const { config } = await readClaims(found);
    return { value: null, content: image.generate(writeOciConfig(config), jsonType) };
  }

  /** Returns how the image wants to be run. */
  async runConfig(number: number): Promise<ProxyContent> {
    const { found, image } = this.#at(number);
    const { config } = await readClaims(found);
    const bytes = encodeJsonBytes(ociConfig(config).config);
    return { value: null, content: image.generate(bytes, jsonType) };
  }

  /** Returns what the layers are, base first. */
  layers(number: number): readonly LayerSummary[] {
    return this.#at(number).layers.map(({ digest, size = -1, mediaType }) => ({
      digest,
      size,
      media_type: mediaType,
    }));
  }

  /** Returns the same as content. */
  describedLayers(number: number): ProxyContent {
    const bytes = encodeJsonBytes(this.layers(number));
    return { value: null, content: this.#at(number).image.generate(bytes, jsonType) };
  }

  /**
   * Returns a blob, which is checked as it flows: against its digest, and against `size` where the client
   * says one. Fails with `refused` if the image does not name it.
   */
  blob(number: number, digest: Digest, size?: number): ProxyContent {
    const { found, image, layers } = this.#at(number);
    const { config } = found.manifest;
    const named = [...layers, ...(config === undefined ? [] : [config])];
    const blob = named.find((each) => each.digest === digest);
    if (blob === undefined) {
      throw new Failure("refused", `Image ${number} does not name a blob ${digest}`);
    }
    const content = image.blob(blob).through((bytes) => checked(bytes, blob, size), blob);
    return { value: blob.size ?? -1, content };
  }

  #at(number: number): OpenImage {
    const open = this.#open.get(number);
    if (open === undefined) throw new Failure("usage", `no image ${number}`);
    return open;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const number of [...this.#open.keys()]) await this.close(number);
  }
}

const jsonType = "application/json";

/** Says in the original's words what is wrong with a blob. */
async function* checked(
  bytes: ByteStream,
  { digest }: Descriptor,
  size: number | undefined,
): AsyncGenerator<Uint8Array> {
  let passed = 0;
  try {
    for await (const chunk of bytes) {
      passed += chunk.length;
      yield chunk;
    }
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code !== "corrupt") throw failure;
    throw inContext(`corrupted blob, expecting ${digest}`, failure);
  }
  if (size === undefined || passed === size) return;
  throw new Failure("corrupt", `expected ${size} bytes in blob, got ${passed}`);
}
