// One client of the image proxy: its requests, one after the other, and the answers.

import { asFailure, Failure } from "../../core/failure.ts";
import type { ImageReference, TransportContext } from "../../core/image/transport.ts";
import { encodeJson, encodeJsonBytes } from "../../core/json.ts";
import { type ProxyContent, ProxyImages, type ProxyRules } from "../../core/proxy/images.ts";
import { parseProxyRequest, type ProxyRequest } from "../../core/proxy/request.ts";
import { isPassingFailure } from "../../core/retry.ts";
import { type Offered, Pipes } from "./pipes.ts";

/** The version of the protocol; clients ask for at least one. */
const protocolVersion = "0.2.8";

/** What the session asks of the command that started it. */
export interface ProxySetting {
  /** Reads the policy and what else the command line names. */
  initialize(): Promise<ProxyRules>;
  parseName(text: string): ImageReference;
  readonly context: TransportContext;
}

/** What is sent back for one request. */
export interface ProxyReply extends Offered {
  readonly packet: Uint8Array;
}

/** A session. Disposing closes all that the client has left open. */
export class ProxySession implements AsyncDisposable {
  readonly #setting: ProxySetting;
  readonly #pipes = new Pipes();
  #images: ProxyImages | undefined;

  constructor(setting: ProxySetting) {
    this.#setting = setting;
  }

  /** Answers one request; undefined if it asks for the end. Failures are answers, too. */
  async answer(packet: Uint8Array): Promise<ProxyReply | undefined> {
    try {
      const request = parseProxyRequest(packet);
      if (request.method === "Shutdown") return undefined;
      const { value, offered = nothing } = await this.#carryOut(request);
      return reply({ value, offered });
    } catch (error) {
      return reply({ value: null, offered: nothing, failure: asFailure(error) });
    }
  }

  async #carryOut(request: Exclude<ProxyRequest, { method: "Shutdown" }>): Promise<Result> {
    if (request.method === "Initialize") return this.#initialize();
    const images = this.#images;
    if (images === undefined) throw misuse("client error: must invoke Initialize");
    switch (request.method) {
      case "OpenImage":
      case "OpenImageOptional":
        return { value: await this.#open(images, request) };
      case "CloseImage":
        await images.close(request.image);
        return { value: null };
      case "GetManifest":
        return this.#piped(await images.manifest(request.image));
      case "GetConfig":
        return this.#piped(await images.runConfig(request.image));
      case "GetFullConfig":
        return this.#piped(await images.fullConfig(request.image));
      case "GetLayerInfo":
        return { value: images.layers(request.image) };
      case "GetLayerInfoPiped":
        return this.#piped(images.describedLayers(request.image));
      case "GetBlob":
        return this.#piped(images.blob(request.image, request.digest, request.size));
      case "GetRawBlob": {
        const { value, content } = images.blob(request.image, request.digest);
        return { value, offered: this.#pipes.offerRaw(content, describe) };
      }
      case "FinishPipe":
        await this.#pipes.finish(request.pipe);
        return { value: null };
    }
  }

  async #initialize(): Promise<Result> {
    if (this.#images !== undefined) throw misuse("already initialized");
    this.#images = new ProxyImages(await this.#setting.initialize());
    return { value: protocolVersion };
  }

  async #open(
    images: ProxyImages,
    { method, name }: Extract<ProxyRequest, { name: string }>,
  ): Promise<number> {
    const { parseName, context } = this.#setting;
    try {
      return await images.open(parseName(name), context);
    } catch (error) {
      const failure = asFailure(error);
      if (method === "OpenImageOptional" && failure.code === "not-found") return 0;
      throw failure;
    }
  }

  #piped({ value, content }: ProxyContent): Result {
    return { value, offered: this.#pipes.offer(content) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#images?.[Symbol.asyncDispose]();
    await this.#pipes[Symbol.asyncDispose]();
  }
}

interface Result {
  readonly value: unknown;
  readonly offered?: Offered;
}

const nothing: Offered = { descriptors: [], pipe: 0 };

function reply(said: {
  readonly value: unknown;
  readonly offered: Offered;
  readonly failure?: Failure;
}): ProxyReply {
  const { value, offered, failure } = said;
  const packet = encodeJsonBytes({
    success: failure === undefined,
    value,
    pipeid: offered.pipe,
    error_code: failure === undefined ? "" : codeOf(failure),
    error: failure?.message ?? "",
  });
  return { ...offered, packet };
}

/** What a client learns of a failure while it reads. */
function describe(failure: Failure): string {
  return encodeJson({ code: codeOf(failure), message: failure.message });
}

function codeOf(failure: Failure): "EPIPE" | "retryable" | "other" {
  const { cause } = failure;
  if (cause instanceof Error && "code" in cause && cause.code === "EPIPE") return "EPIPE";
  return isPassingFailure(failure) ? "retryable" : "other";
}

function misuse(message: string): Failure {
  return new Failure("usage", message);
}
