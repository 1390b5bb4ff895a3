// HTTP: the only place that speaks it.

import { asFailure, Failure, inContext } from "./failure.ts";
import { wholeIfSmall } from "./http-body.ts";
import type { RawRequest, RawResponse } from "./http-exchange.ts";
import { wireFailure } from "./http-failure.ts";
import { isSocks, type ProxySettings, proxyFor } from "./http-proxy.ts";
import { Stall, type StallTimes } from "./http-stall.ts";
import type { TlsMaterial, TlsSettings } from "./http-tls.ts";
import type { Tunnel } from "./http-tunnel.ts";
import { limits } from "./limits.ts";
import { redactedUrl } from "./redact.ts";

export type { ProxySettings } from "./http-proxy.ts";
export type { TlsSettings } from "./http-tls.ts";

/** What all requests of a session have in common. */
export interface HttpOptions {
  readonly tls: TlsSettings;
  readonly proxies: ProxySettings;
  /** The path of the socket of this machine that all requests go to, whatever host they name. */
  readonly unix?: string;
  /** How long which silence is borne; what is absent is as in `limits`. */
  readonly times?: Partial<StallTimes>;
}

/** The methods that registries know. */
export type HttpMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A body on its way out. Without `size` it is sent in chunks. */
export interface HttpBody {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly size?: number | undefined;
}

/** One request, sent as it is. */
export interface HttpRequest {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long the header may take after the body is sent; absent: as the session's times. */
  readonly firstHeaderMs?: number | undefined;
}

/** One answer, whatever its status: redirects are not followed. */
export interface HttpResponse {
  readonly status: number;
  /** As the server worded it: text from outside. */
  readonly statusText: string;
  /** Several headers of one name are joined by commas. */
  readonly headers: Headers;
  readonly url: URL;
  /**
   * The bytes as sent: `Content-Encoding` is not undone. Fails with `unavailable` where the connection
   * breaks or nothing moves any more. To be read once, or discarded.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives the body up; a short one is read to its end, so that the connection can be used again. */
  discard(): Promise<void>;
}

/** Opens a session. Fails with `config` if a certificate or a key cannot be used. */
export async function openHttp(options: HttpOptions): Promise<HttpSession> {
  const { readTls } = await import("./http-tls.ts");
  return new HttpSession(options, readTls(options.tls));
}

/**
 * A pool of connections that share TLS settings and proxies.
 *
 * One call is one attempt: nothing is repeated and no redirect is followed. The environment has no
 * say: whether certificates are checked and which proxy is used is settled by the options alone.
 */
export class HttpSession implements AsyncDisposable {
  readonly #options: HttpOptions;
  readonly #tls: TlsMaterial;
  readonly #direct: Bun.FetchSession;
  /** To proxies, by which plain http goes. */
  #proxied: Promise<Bun.FetchSession> | undefined;
  readonly #tunnels = new Map<string, Promise<Tunnel>>();

  constructor(options: HttpOptions, tls: TlsMaterial) {
    this.#options = options;
    this.#tls = tls;
    const { unix } = options;
    this.#direct = new Bun.FetchSession({ tls, ...(unix !== undefined && { unix }) });
  }

  /**
   * Sends a request and returns as soon as the answer's header is there.
   *
   * Fails with `unavailable` if no answer came, with `refused` if name, protocol or certificates do
   * not fit, and with the error of the body or of the signal if that is what ended it.
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { method, url, signal } = request;
    const proxy = proxyFor(url, this.#options.proxies);
    const stall = new Stall(this.#times(request), signal);
    const outgoing = new Outgoing(request.body, stall);
    try {
      stall.awaitHeader();
      const raw = await this.#exchange(url, proxy, {
        method,
        headers: headersOf(request),
        body: outgoing.bytes,
        size: request.body?.size,
        signal: stall.signal,
      });
      stall.headerArrived();
      return responseTo(request, raw, stall);
    } catch (error) {
      stall.end();
      if (outgoing.failure !== undefined) throw outgoing.failure.error;
      if (signal?.aborted === true) throw asFailure(signal.reason);
      const { unix, tls } = this.#options;
      const peer = { url, proxy, unix, unverified: !tls.verify };
      const failure = await wireFailure(stall.failure ?? error, peer);
      throw inContext(`${capitalised(method)} ${JSON.stringify(redactedUrl(url))}`, failure);
    }
  }

  /** Closes the connections that nobody uses. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#direct.close();
    (await this.#proxied)?.close();
    for (const tunnel of this.#tunnels.values()) (await tunnel).close();
  }

  #times({ firstHeaderMs }: HttpRequest): StallTimes {
    const times = { ...limits, ...this.#options.times };
    return firstHeaderMs === undefined ? times : { ...times, firstHeaderMs };
  }

  async #exchange(url: URL, proxy: URL | undefined, request: RawRequest): Promise<RawResponse> {
    if (proxy === undefined) return fetchBy(this.#direct, url, { ...request, proxy: false });
    // The runtime's own way through CONNECT has no back-pressure: a layer would end up in memory. And
    // SOCKS it does not speak.
    if (url.protocol === "https:" || isSocks(proxy)) {
      return (await this.#tunnel(proxy)).exchange(url, request);
    }
    this.#proxied ??= this.#proxyMaterial().then((tls) => new Bun.FetchSession({ tls }));
    const way = { url: proxy, respectNoProxy: false };
    return fetchBy(await this.#proxied, url, { ...request, proxy: way });
  }

  #tunnel(proxy: URL): Promise<Tunnel> {
    const tunnel = this.#tunnels.get(proxy.href) ?? this.#openTunnel(proxy);
    this.#tunnels.set(proxy.href, tunnel);
    return tunnel;
  }

  async #openTunnel(proxy: URL): Promise<Tunnel> {
    const { Tunnel } = await import("./http-tunnel.ts");
    return new Tunnel(proxy, { server: this.#tls, proxy: await this.#proxyMaterial() });
  }

  /** Only who uses a proxy minds what is believed of it. */
  async #proxyMaterial(): Promise<TlsMaterial> {
    const { proxyTls, readTls } = await import("./http-tls.ts");
    return readTls(proxyTls(this.#options.tls));
  }
}

async function fetchBy(
  session: Bun.FetchSession,
  url: URL,
  { body: bytes, size, ...request }: RawRequest & Pick<BunFetchRequestInit, "proxy">,
): Promise<RawResponse> {
  const { signal } = request;
  const whole = bytes && (await wholeIfSmall({ bytes, size, signal }));
  const { status, statusText, headers, body } = await session.fetch(url, {
    ...request,
    redirect: "manual",
    decompress: false,
    timeout: false,
    ...(whole === undefined ? {} : { body: whole }),
  });
  return { status, statusText, headers, bytes: body ?? undefined };
}

/** A body on its way, and what became of it: an error of its own is not one of the wire. */
class Outgoing {
  readonly bytes: AsyncIterable<Uint8Array> | undefined;
  failure: { readonly error: unknown } | undefined;

  constructor(body: HttpBody | undefined, stall: Stall) {
    this.bytes = body && stall.sending(this.#noted(body.bytes), body.size);
  }

  async *#noted(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

function responseTo(request: HttpRequest, raw: RawResponse, stall: Stall): HttpResponse {
  const { status, statusText, headers, bytes } = raw;
  // Without a body there is nothing to watch over.
  if (bytes === undefined) stall.end();
  const body = bytes === undefined ? nothing() : received(request, bytes, stall);
  return { status, statusText, headers, url: request.url, body, discard: () => discard(body) };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* received(
  { url, signal }: HttpRequest,
  bytes: AsyncIterable<Uint8Array>,
  stall: Stall,
): AsyncGenerator<Uint8Array> {
  try {
    yield* stall.receiving(bytes);
  } catch (error) {
    if (signal?.aborted === true) throw asFailure(signal.reason);
    throw inContext(`reading from ${url.host}`, stall.failure ?? brokenOff(error));
  }
}

function brokenOff(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure("unavailable", "unexpected EOF", { cause: error });
}

async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > limits.discardedBytes) return;
    }
  } catch (error) {
    // Nobody wants these bytes, so nobody minds that they did not all come; but a bug stays one.
    if (asFailure(error).code === "bug") throw error;
  }
}

function headersOf({ headers = {}, body }: HttpRequest): Record<string, string> {
  const length = body?.size === undefined ? {} : { "Content-Length": String(body.size) };
  return { "Accept-Encoding": "identity", ...length, ...headers };
}

function capitalised(method: HttpMethod): string {
  return method.charAt(0) + method.slice(1).toLowerCase();
}
