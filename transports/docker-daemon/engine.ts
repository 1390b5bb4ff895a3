// Engine: a Docker engine, or one that answers like it, over its API.

import { collect } from "../../core/blob/collect.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import { asFailure, during, Failure, type FailureCode, inContext } from "../../core/failure.ts";
import { shown } from "../../core/foreign-text.ts";
import {
  type HttpRequest,
  type HttpResponse,
  type HttpSession,
  openHttp,
} from "../../core/http.ts";
import type { DaemonConnection } from "../../core/image/daemon-connection.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { parseAddress } from "./address.ts";
import { withoutHiddenError } from "./hidden-error.ts";
import { messageOf, readReport } from "./report.ts";

/** The newest version of the API that is known here. Engines are asked for no newer one. */
const ownVersion = "1.51";

/** What to speak to where nobody says anything else. */
const defaultConnection: DaemonConnection = {
  host: "unix:///var/run/docker.sock",
  plainTcp: false,
  tls: { verify: true, authorities: [] },
};

/** Packing and unpacking an image takes as long as the engine's disk does, and all that time it is silent. */
const patient = {
  firstHeaderMs: limits.engineMs,
  idleMs: limits.engineMs,
  slowMs: Infinity,
  slowBytes: 0,
};

/** Returns the engine that the settings name. Nothing is sent to it yet. */
export async function openEngine(context: TransportContext): Promise<Engine> {
  const connection = (await context.settings.dockerDaemon?.connection()) ?? defaultConnection;
  const { base, unix } = parseAddress(connection);
  const { tls } = connection;
  // Engines are next door: no proxy stands between, as it does not for the original.
  const options = { tls, proxies: {}, times: patient, ...(unix !== undefined && { unix }) };
  const http = await during("initializing docker engine client", () => openHttp(options));
  return new Engine(http, base, connection.host, context);
}

/** One engine. Disposing closes the connections to it. */
export class Engine implements AsyncDisposable {
  readonly #http: HttpSession;
  readonly #base: URL;
  readonly #host: string;
  readonly #context: TransportContext;
  #prefix = "";
  #os: string | undefined;

  constructor(http: HttpSession, base: URL, host: string, context: TransportContext) {
    this.#http = http;
    this.#base = base;
    this.#host = host;
    this.#context = context;
  }

  /** The operating system of its containers, such as `linux`; absent if it does not tell. */
  get os(): string | undefined {
    return this.#os;
  }

  /**
   * Asks who it is, and agrees on a version of the API: to be done before anything else. Fails with
   * `unavailable` if nobody listens.
   */
  async greet(): Promise<void> {
    const { headers } = await this.#ping();
    this.#os = headers.get("ostype") || undefined;
    const theirs = headers.get("api-version") ?? "";
    // An engine that names no version speaks its newest one to whoever asks for none.
    if (/^[0-9]+\.[0-9]+$/.test(theirs)) this.#prefix = `v${older(theirs, ownVersion)}/`;
    this.#context.log.debug(
      `Docker engine at ${this.#host}: API ${shown(theirs)}, asking for ${this.#prefix}`,
    );
  }

  /** Returns an image as an archive. Fails with `refused` if there is none of this name. */
  async exportImage(name: string): Promise<ByteStream> {
    const response = await this.#send({
      method: "GET",
      url: this.#url(`images/get?names=${encodeURIComponent(name)}`),
    });
    return withoutHiddenError(response.body);
  }

  /**
   * Sends an archive, and returns when the engine has taken all of its images.
   *
   * The engine may answer before it has read everything; the rest of the archive is then not asked for.
   */
  async loadImages(archive: ByteStream, signal: AbortSignal): Promise<void> {
    const response = await this.#send({
      method: "POST",
      url: this.#url("images/load?quiet=1"),
      headers: { "Content-Type": "application/x-tar" },
      body: { bytes: archive },
      signal,
    });
    for (const line of await readReport(response.body)) this.#context.log.debug(shown(line));
  }

  /** Closes the connections to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
  }

  async #ping(): Promise<HttpResponse> {
    const url = this.#url("_ping");
    const ask = (method: "HEAD" | "GET") =>
      this.#http.send({
        method,
        url,
        signal: this.#context.signal,
        firstHeaderMs: limits.firstHeaderMs,
      });
    try {
      const first = await ask("HEAD");
      // Engines of old know no HEAD here.
      const response = first.status < 400 ? first : await ask("GET");
      await response.discard();
      return response;
    } catch (error) {
      throw this.#unreachable(asFailure(error));
    }
  }

  #unreachable(failure: Failure): Failure {
    if (failure.code === "unavailable") {
      return new Failure(
        "unavailable",
        `Cannot connect to the Docker daemon at ${this.#host}. Is the docker daemon running?`,
        { cause: failure, hint: "name another one by --daemon-host or DOCKER_HOST" },
      );
    }
    if (failure.code !== "refused") return failure;
    return inContext(`error during connect to ${this.#host}`, failure);
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    const response = await this.#http.send({ signal: this.#context.signal, ...request });
    if (response.status >= 200 && response.status < 300) return response;
    const body = await collect(response.body, limits.errorBodyBytes);
    const message = messageOf(new TextDecoder().decode(body)) || `status ${response.status}`;
    throw new Failure(
      codeOf(response.status),
      `Error response from daemon: ${shown(message.trim())}`,
    );
  }

  #url(path: string): URL {
    return new URL(path.startsWith("_") ? path : this.#prefix + path, this.#base);
  }
}

/** A missing image is no reason for an exit code of its own: as the original has it. */
function codeOf(status: number): FailureCode {
  if (status === 401 || status === 403) return "unauthorized";
  return status === 502 || status === 503 || status === 504 ? "unavailable" : "refused";
}

function older(one: string, other: string): string {
  const [major = 0, minor = 0] = one.split(".").map(Number);
  const [ownMajor = 0, ownMinor = 0] = other.split(".").map(Number);
  return major < ownMajor || (major === ownMajor && minor < ownMinor) ? one : other;
}
