// RegistryClient: speaks to one registry about one repository.

import { Failure, inContext } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { HttpMethod, HttpOptions, HttpResponse, ProxySettings } from "../../core/http.ts";
import type { Credentials, RegistryConnection } from "../../core/image/registry-access.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { redactedUrl } from "../../core/redact.ts";
import { Patience } from "../../core/retry.ts";
import { checkAddress, type Guide, parseRealm, sameOrigin } from "./address.ts";
import {
  Authenticator,
  type Authorization,
  basicHeader,
  missingScope,
  type TokenWish,
} from "./authenticate.ts";
import { challengesOf } from "./challenge.ts";
import { readFailure, type RegistryFailure } from "./failure.ts";
import { healed, type Healer } from "./healing.ts";
import { isPong, pingOnce } from "./ping.ts";
import { type Arrival, followRedirects, type Hop, redirectsOf } from "./redirect.ts";
import { Sessions } from "./sessions.ts";
import { readToken, type Token, tokenUrl } from "./token.ts";
import { warningsIn } from "./warning.ts";

/** A body that can be sent again: each `open` reads from the start. */
export interface RequestBody {
  open(): AsyncIterable<Uint8Array>;
  /** Absent if not known; it is sent in chunks then. */
  readonly size?: number | undefined;
  readonly mediaType?: string | undefined;
}

/** One request to a registry. */
export interface RegistryRequest {
  readonly method: HttpMethod;
  /** A path below the registry's root such as `/v2/a/blobs/…`, or a URL that the registry named. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: RequestBody | undefined;
  /** Scopes beyond the client's own, such as `repository:other/name:pull`. */
  readonly scopes?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long until the first header; absent: `limits.firstHeaderMs`. */
  readonly firstHeaderMs?: number | undefined;
  /** Whether trouble that may pass is borne with; absent: yes. */
  readonly heals?: boolean | undefined;
}

/** An answer of any status, with redirects of reading requests already followed. */
export type RegistryResponse = HttpResponse;

/** What a client is made of. */
export interface RegistryClientOptions {
  /** The registry's domain, and perhaps its port. */
  readonly host: string;
  /** The repository's path below it. */
  readonly repository: string;
  /** Such as `pull`, `pull,push` or `*`. */
  readonly actions: string;
  readonly connection: RegistryConnection;
  readonly proxies: ProxySettings;
  readonly userAgent: string;
  /** Ends whatever the client is doing. */
  readonly signal: AbortSignal;
  readonly log: TransportLog;
  /** Shared by all clients of one operation; absent: this client has its own. */
  readonly patience?: Patience | undefined;
  /** How long which silence is borne; what is absent is as in `limits`. */
  readonly times?: HttpOptions["times"];
  /** A clock that only runs forward, in milliseconds; absent: the machine's. */
  readonly now?: (() => number) | undefined;
}

/** The registry as found: where it is, and what it wants to be shown. */
interface Found {
  readonly guide: Guide;
  readonly authenticator: Authenticator;
}

/**
 * Speaks to one registry about one repository: finds out how it is spoken to, shows who we are, tries
 * again what may pass, and follows redirects without carrying a secret to another origin.
 *
 * The registry is pinged by the first request; how that ends is remembered.
 */
export class RegistryClient implements AsyncDisposable {
  readonly host: string;
  readonly repository: string;
  readonly #options: RegistryClientOptions;
  readonly #patience: Patience;
  readonly #now: () => number;
  readonly #sessions: Sessions;
  readonly #warned = new Set<string>();
  #found: Promise<Found> | undefined;

  constructor(options: RegistryClientOptions) {
    const { host, repository, connection, proxies, times } = options;
    this.host = host;
    this.repository = repository;
    this.#patience = options.patience ?? new Patience();
    this.#now = options.now ?? (() => performance.now());
    this.#options = options;
    this.#sessions = new Sessions({
      tls: connection.tls,
      proxies,
      ...(times === undefined ? {} : { times }),
    });
  }

  /**
   * Sends a request and returns the answer, whatever its status. It must be read or discarded.
   *
   * Fails with `unavailable` if there is none, `unauthorized` if a token is denied to us, and `refused`
   * where the registry leads to an address that nobody is led to.
   */
  async request(request: RegistryRequest): Promise<RegistryResponse> {
    const { guide, authenticator } = await this.#find();
    const start = startOf(request.target, guide);
    const attempt = (authorization: Authorization | undefined) =>
      this.#deliver(request, { start, guide, authorization });

    let scopes = request.scopes ?? [];
    let authorization = start.home ? await authenticator.authorize(scopes) : undefined;
    let arrival = await attempt(authorization);
    if (!isRefused(arrival) || authorization === undefined) return arrival.response;

    const scope = request.body === undefined ? missingScope(arrival.response) : undefined;
    if (scope !== undefined && authorization.renewal !== undefined && !scopes.includes(scope)) {
      await arrival.response.discard();
      scopes = [...scopes, scope];
      authorization = await authenticator.authorize(scopes);
      arrival = await attempt(authorization);
    }
    // Registries end tokens before their time; one new token has to do.
    if (isRefused(arrival) && authorization && (await authenticator.drop(authorization))) {
      await arrival.response.discard();
      arrival = await attempt(await authenticator.authorize(scopes));
    }
    return arrival.response;
  }

  /** Reads an answer that is no success and returns what it means; `what` was being done. */
  failure(response: RegistryResponse, what?: string): Promise<RegistryFailure> {
    const known = this.#options.connection.credentials.kind !== "anonymous";
    return readFailure(response, { what, known });
  }

  /**
   * Waits before another attempt of whoever heals by itself, and tells whether it is worth making; see
   * `Patience.pause`.
   */
  pause(attempts: number, askedMs?: number, signal?: AbortSignal): Promise<boolean> {
    return this.#patience.pause(attempts, askedMs, this.#signalWith(signal));
  }

  /** Closes the connections that nobody uses. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  #find(): Promise<Found> {
    this.#found ??= this.#ping().catch((error: unknown) => {
      throw inContext(`pinging container registry ${apiHost(this.host)}`, error);
    });
    return this.#found;
  }

  async #ping(): Promise<Found> {
    const { connection, repository, actions } = this.#options;
    const { insecure, credentials } = connection;
    const signal = this.#signalWith();
    const { root, response } = await healed(
      () =>
        pingOnce({
          host: apiHost(this.host),
          insecure,
          send: (root, stop) => this.#pingAt(root, AbortSignal.any([signal, stop])),
        }),
      this.#healer(signal),
    );
    if (!isPong({ response })) throw (await this.failure(response)).failure;
    await response.discard();
    const guide = { registry: root, insecure };
    // What somebody else asks for, where a redirect led, is none of the registry's challenges.
    const own = sameOrigin(response.url, root);
    const authenticator = new Authenticator({
      credentials,
      scope: `repository:${repository}:${actions}`,
      challenges: own ? challengesOf(response.headers) : [],
      requestToken: (wish) => this.#requestToken(wish, guide),
      now: this.#now,
      log: this.#options.log,
    });
    return { guide, authenticator };
  }

  async #pingAt(root: URL, signal: AbortSignal): Promise<HttpResponse> {
    const guide = { registry: root, insecure: this.#options.connection.insecure };
    const start = { url: new URL("/v2/", root), home: true };
    const request = { method: "GET", target: start.url, firstHeaderMs: limits.connectMs } as const;
    return (await this.#travel(request, { start, guide, authorization: undefined }, signal))
      .response;
  }

  #deliver(request: RegistryRequest, way: Way): Promise<Arrival> {
    const signal = this.#signalWith(request.signal);
    const attempt = () => this.#travel(request, way, signal);
    return request.heals === false ? attempt() : healed(attempt, this.#healer(signal));
  }

  #travel(request: RegistryRequest, way: Way, signal: AbortSignal): Promise<Arrival> {
    const { method, body } = request;
    return followRedirects({
      start: way.start,
      guide: way.guide,
      follows: redirectsOf(method, body !== undefined),
      send: (hop) => this.#send(request, hop, way.authorization, signal),
    });
  }

  async #send(
    request: RegistryRequest,
    { url, home }: Hop,
    authorization: Authorization | undefined,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const { method, body, firstHeaderMs } = request;
    this.#options.log.debug(`${method} ${redactedUrl(url)}`);
    const session = await this.#sessions.to(home ? "registry" : "elsewhere");
    const headers = this.#headersFor(request);
    const response = await session.send({
      method,
      url,
      headers: home ? withSecrets(headers, authorization) : harmless(headers),
      body: body && { bytes: body.open(), size: body.size },
      signal,
      firstHeaderMs,
    });
    this.#passOnWarnings(response);
    return response;
  }

  #headersFor({ headers, body }: RegistryRequest): Record<string, string> {
    return {
      "Docker-Distribution-API-Version": "registry/2.0",
      "User-Agent": this.#options.userAgent,
      ...(body?.mediaType === undefined ? {} : { "Content-Type": body.mediaType }),
      ...headers,
    };
  }

  #passOnWarnings({ headers, url }: HttpResponse): void {
    for (const text of warningsIn(headers)) {
      if (this.#warned.has(text)) continue;
      this.#warned.add(text);
      this.#options.log.warn(
        `Warning from registry (first encountered at "${redactedUrl(url)}"): ${quoted(text)}`,
      );
    }
  }

  async #requestToken({ realm: text, service, scopes }: TokenWish, guide: Guide): Promise<Token> {
    const { connection, userAgent, log } = this.#options;
    const { credentials } = connection;
    const realm = parseRealm(text, guide);
    const username = credentials.kind === "basic" ? credentials.username : undefined;
    const secret = secretFor(credentials);
    if (secret !== undefined) {
      log.debug(`The credentials for ${this.host} go to the token service at ${realm.host}`);
    }
    const signal = this.#signalWith();
    const send = async ({ url, home }: Hop): Promise<HttpResponse> => {
      if (!home && secret !== undefined) {
        throw new Failure(
          "refused",
          `The token service ${realm.host} leads elsewhere with a password`,
        );
      }
      log.debug(`GET ${redactedUrl(url)}`);
      const own = sameOrigin(url, guide.registry);
      const session = await this.#sessions.to(own ? "registry" : "token-service");
      const headers = { "User-Agent": userAgent };
      return session.send({
        method: "GET",
        url,
        headers: secret === undefined ? headers : { ...headers, Authorization: secret },
        signal,
      });
    };
    const start = { url: tokenUrl({ realm, service, scopes, username }), home: true };
    const follows = redirectsOf("GET", false);
    const { response } = await healed(
      () => followRedirects({ start, guide, follows, send }),
      this.#healer(signal),
    );
    return readToken(response, secret !== undefined);
  }

  #healer(signal: AbortSignal): Healer {
    return { patience: this.#patience, signal, log: this.#options.log, now: this.#now };
  }

  #signalWith(signal?: AbortSignal): AbortSignal {
    const own = this.#options.signal;
    return signal === undefined ? own : AbortSignal.any([own, signal]);
  }
}

/** From where, by whose lead and with what a request is sent. */
interface Way {
  readonly start: Hop;
  readonly guide: Guide;
  readonly authorization: Authorization | undefined;
}

/** The registry behind the best-known name listens somewhere else. */
function apiHost(host: string): string {
  return host === "docker.io" ? "registry-1.docker.io" : host;
}

function startOf(target: string | URL, guide: Guide): Hop {
  if (target instanceof URL) {
    checkAddress(target, guide);
    const url = new URL(target);
    url.username = url.password = "";
    return { url, home: sameOrigin(url, guide.registry) };
  }
  if (!target.startsWith("/")) throw new Failure("bug", `no path: ${quoted(target)}`);
  // Put together as text: a path that began with two slashes would otherwise name another host.
  return { url: new URL(guide.registry.origin + target), home: true };
}

function isRefused({ response, hop }: Arrival): boolean {
  return response.status === 401 && hop.home;
}

function withSecrets(
  headers: Record<string, string>,
  authorization: Authorization | undefined,
): Record<string, string> {
  return authorization === undefined
    ? headers
    : { ...headers, Authorization: authorization.header };
}

/** What says how to answer, and nothing about who asks. */
const harmlessNames: ReadonlySet<string> = new Set([
  "accept",
  "cache-control",
  "content-length",
  "content-type",
  "range",
  "user-agent",
]);

function harmless(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => harmlessNames.has(name.toLowerCase())),
  );
}

/** A token service is shown credentials only if there are both parts of them. */
function secretFor(credentials: Credentials): string | undefined {
  if (credentials.kind !== "basic") return undefined;
  const { username, password } = credentials;
  return username === "" || password === "" ? undefined : basicHeader({ username, password });
}
