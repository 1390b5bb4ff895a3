// Destination: writing an image into an engine.
//
// The archive that the engine asks for begins with the layers, which come one after the other, and its
// table of contents ends it. Until then nothing has a name there.

import { collect } from "../../core/blob/collect.ts";
import { type ByteStream, streamOf } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, Digester, digestHex } from "../../core/content/digest.ts";
import { type DockerName, fullName } from "../../core/content/docker-name.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { asFailure, during, Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type {
  BlobRole,
  DestinationTraits,
  ImageDestination,
  OutgoingBlob,
  OutgoingManifest,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { isJsonObject, memberOf, parseForeignJson } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import { parseManifest } from "../../core/manifest/manifest.ts";
import { encodeItems, itemsFile } from "../shared/docker-tar-items.ts";
import { TarWriter } from "../shared/tar-writer.ts";
import { type Engine, openEngine } from "./engine.ts";
import { LoadOutput } from "./load-output.ts";

/** Opens an engine for writing one image. `name` is absent where the image has only an ID. */
export async function openDestination(
  image: ImageName,
  name: DockerName | undefined,
  context: TransportContext,
): Promise<ImageDestination> {
  if (name?.tag === undefined) {
    throw new Failure(
      "usage",
      `Invalid destination docker-daemon:${image.text}: a destination must be a name:tag`,
    );
  }
  await using opening = new AsyncDisposableStack();
  const engine = opening.use(await openEngine(context));
  await during(starting, () => engine.greet());
  // Engines differ in what they add to a short name.
  const destination = new DockerDaemonDestination(image, fullName(name), { engine, context });
  opening.move();
  return destination;
}

const starting = "starting a load operation in docker engine";

class DockerDaemonDestination implements ImageDestination {
  readonly name: ImageName;
  readonly traits: DestinationTraits = {
    manifestTypes: [manifestTypes.schema2],
    layers: "preserve",
    keepsForeignUrls: false,
    holdsLists: false,
    refusesSignatures: "Storing signatures for docker tar files is not supported",
    concurrent: false,
  };
  readonly #tag: string;
  readonly #engine: Engine;
  readonly #context: TransportContext;
  readonly #output: LoadOutput;
  readonly #tar: TarWriter;
  /** Sizes of the blobs that were sent. */
  readonly #sent = new Map<Digest, number>();
  /** What a blob failed with of which a part has left: nothing can follow it. */
  #broken: Failure | undefined;

  constructor(
    name: ImageName,
    tag: string,
    { engine, context }: { readonly engine: Engine; readonly context: TransportContext },
  ) {
    this.name = name;
    this.#tag = tag;
    this.#engine = engine;
    this.#context = context;
    this.#output = new LoadOutput(engine, context.signal);
    this.#tar = new TarWriter(this.#output, context);
  }

  async reuseBlob({ digest, size }: Descriptor): Promise<StoredBlob | undefined> {
    const sent = this.#sent.get(digest);
    if (sent === undefined || (size !== undefined && size !== sent)) return undefined;
    return { digest, size: sent, by: "presence" };
  }

  async putBlob(blob: OutgoingBlob, role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    if (this.#broken !== undefined) throw this.#broken;
    const begun = this.#output.position;
    try {
      const stored = await this.#send(blob, role, ...(signal === undefined ? [] : [signal]));
      this.#sent.set(stored.digest, stored.size);
      return stored;
    } catch (error) {
      const failure = asFailure(error);
      if (this.#output.position > begun) this.#broken = failure;
      throw failure;
    }
  }

  async putManifest(manifest: OutgoingManifest): Promise<void> {
    const image = parseManifest(manifest);
    if (image.kind !== "image" || image.mediaType !== manifestTypes.schema2 || !image.config) {
      throw new Failure(
        "unsupported",
        `docker-daemon: takes no manifest of type ${image.mediaType}`,
      );
    }
    const layers = image.layers.map(({ digest }) => this.#nameOf(digest, "layer"));
    const config = this.#nameOf(image.config.digest, "config");
    const items = encodeItems([{ config, tags: [this.#tag], layers }]);
    await this.#tar.addFile({ name: itemsFile, size: items.length }, streamOf(items));
    await this.#tar.finish();
  }

  async putSignatures(): Promise<void> {
    throw new Failure("bug", "Signatures were to be stored where there is no place for them");
  }

  async commit(): Promise<void> {
    await this.#output.complete();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#output[Symbol.asyncDispose]();
    await this.#engine[Symbol.asyncDispose]();
  }

  async #send(
    blob: OutgoingBlob,
    role: BlobRole,
    ...signals: readonly AbortSignal[]
  ): Promise<StoredBlob> {
    const { digest, size } = blob;
    if (digest === undefined) return this.#sendUnnamed(blob, role, ...signals);
    const name = fileName(digest, role);
    const bytes = role === "config" ? await this.#looked(blob) : blob.open();
    const sent = await this.#tar.addFile({ name, size }, bytes, ...signals);
    return { digest, size: sent, by: "sending" };
  }

  /** Sends a blob whose digest, and with it its name, is known only at its end. */
  async #sendUnnamed(
    blob: OutgoingBlob,
    role: BlobRole,
    ...signals: readonly AbortSignal[]
  ): Promise<StoredBlob> {
    const digester = new Digester();
    const digesting = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of blob.open()) {
        digester.update(chunk);
        yield chunk;
      }
    };
    let digest: Digest | undefined;
    const name = (): string => {
      digest ??= digester.digest();
      return fileName(digest, role);
    };
    const size = await this.#tar.addFile({ name, size: blob.size }, digesting(), ...signals);
    if (digest === undefined) throw new Failure("bug", "A blob was sent without a name");
    return { digest, size, by: "sending" };
  }

  /** Returns the config, after a look at it. */
  async #looked(config: OutgoingBlob): Promise<ByteStream> {
    const bytes = await collect(config.open(), limits.configBytes);
    this.#noteSystem(bytes);
    return streamOf(bytes);
  }

  #nameOf(digest: Digest, role: BlobRole): string {
    if (!this.#sent.has(digest)) throw new Failure("bug", `Blob ${digest} was not sent`);
    return fileName(digest, role);
  }

  /** Only says so: an engine may keep images that it cannot run. */
  #noteSystem(config: Uint8Array): void {
    const json = parseForeignJson(config);
    const os = isJsonObject(json) ? memberOf(json, "os") : undefined;
    const own = this.#engine.os;
    if (typeof os !== "string" || os === "" || own === undefined || own === os) return;
    this.#context.log.info(
      `Image operating system mismatch: image uses OS ${quoted(os)}, the engine runs ${quoted(own)}`,
    );
  }
}

function fileName(digest: Digest, role: BlobRole): string {
  return `${digestHex(digest)}.${role === "config" ? "json" : "tar"}`;
}
