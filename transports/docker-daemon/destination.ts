// Destination: writing an image into an engine.
//
// The archive that the engine asks for begins with the layers, which come one after the other, and its
// table of contents ends it. Until then nothing has a name there.

import { collect } from "../../core/blob/collect.ts";
import { streamOf } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { DockerName } from "../../core/content/docker-name.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type {
  BlobRole,
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
import { noSignatures, onlySchema2 } from "../shared/docker-tar-refusals.ts";
import {
  type DockerTarBlob,
  type DockerTarParts,
  DockerTarWriter,
} from "../shared/docker-tar-writer.ts";
import { TarWriter } from "../shared/tar-writer.ts";
import type { Engine } from "./engine.ts";
import { LoadOutput } from "./load-output.ts";
import { engineTraits, greetEngine } from "./probe.ts";

/** Opens an engine for writing one image. `name` is absent where the image has only an ID. */
export async function openDestination(
  image: ImageName,
  name: DockerName | undefined,
  context: TransportContext,
): Promise<ImageDestination> {
  const { engine, tag } = await greetEngine(image, name, context);
  return new DockerDaemonDestination(image, tag, { engine, context });
}

/** What an open destination works with. */
interface OpenParts {
  readonly engine: Engine;
  readonly context: TransportContext;
}

class DockerDaemonDestination implements ImageDestination {
  readonly name: ImageName;
  readonly traits = engineTraits;
  readonly #tag: string;
  readonly #parts: OpenParts;
  readonly #output: LoadOutput;
  readonly #writer: DockerTarWriter;
  #image: DockerTarParts | undefined;
  /** What a blob failed with of which a part has left: nothing can follow it. */
  #broken: Failure | undefined;

  constructor(name: ImageName, tag: string, parts: OpenParts) {
    this.name = name;
    this.#tag = tag;
    this.#parts = parts;
    this.#output = new LoadOutput(parts.engine, parts.context.signal);
    this.#writer = new DockerTarWriter(new TarWriter(this.#output, parts.context));
  }

  async reuseBlob(wanted: Descriptor): Promise<StoredBlob | undefined> {
    return this.#writer.find(wanted);
  }

  async putBlob(blob: OutgoingBlob, role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    if (this.#broken !== undefined) throw this.#broken;
    const begun = this.#output.position;
    const signals = signal === undefined ? [] : [signal];
    try {
      const own = role === "config" ? await this.#looked(blob) : blob;
      return await this.#writer.putBlob(own, role, ...signals);
    } catch (error) {
      const failure = asFailure(error);
      if (this.#output.position > begun) this.#broken = failure;
      throw failure;
    }
  }

  async putManifest(manifest: OutgoingManifest): Promise<void> {
    const image = parseManifest(manifest);
    if (image.kind !== "image" || image.mediaType !== manifestTypes.schema2) {
      throw new Failure("unsupported", onlySchema2);
    }
    if (image.config === undefined) throw new Failure("bug", "A manifest names no config");
    const layers = image.layers.map(({ digest }) => digest);
    this.#image = { config: image.config.digest, layers };
  }

  async putSignatures(): Promise<void> {
    throw new Failure("unsupported", noSignatures);
  }

  async commit(): Promise<void> {
    if (this.#image === undefined) throw new Failure("bug", "An image has no manifest");
    await this.#writer.putImage(this.#image, [this.#tag]);
    await this.#writer.finish();
    await this.#output.complete();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#output[Symbol.asyncDispose]();
    await this.#parts.engine[Symbol.asyncDispose]();
  }

  /** Returns the config, after a look at it. */
  async #looked(config: OutgoingBlob): Promise<DockerTarBlob> {
    const bytes = await collect(config.open(), limits.configBytes);
    this.#noteSystem(bytes);
    return { digest: config.digest, size: bytes.length, open: () => streamOf(bytes) };
  }

  /** Only says so: an engine may keep images that it cannot run. */
  #noteSystem(config: Uint8Array): void {
    const { engine, context } = this.#parts;
    const json = parseForeignJson(config);
    const os = isJsonObject(json) ? memberOf(json, "os") : undefined;
    if (typeof os !== "string" || os === "" || engine.os === undefined || engine.os === os) return;
    context.log.info(
      `Image operating system mismatch: image uses OS ${quoted(os)}, the engine runs ${quoted(engine.os)}`,
    );
  }
}
