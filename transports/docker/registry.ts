// Registry: one registry, as somebody is known to it.

import { Failure, inContext } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type {
  HttpMethod,
  HttpOptions,
  HttpRequest,
  HttpResponse,
  ProxySettings,
} from "../../core/http.ts";
import type {
  Credentials,
  IdentityToken,
  RegistryConnection,
} from "../../core/image/registry-access.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { redactedUrl } from "../../core/redact.ts";
import { type Guide, parseRealm, sameOrigin } from "./address.ts";
import { Authenticator, type Authorization, basicHeader, type TokenWish } from "./authenticate.ts";
import { challengesOf } from "./challenge.ts";
import { readFailure } from "./failure.ts";
import { HeldBlobs } from "./held-blobs.ts";
import { healed, type Healer } from "./healing.ts";
import { PieceLimit } from "./piece-limit.ts";
import { isPong, pingOnce } from "./ping.ts";
import { pullLimitIn } from "./pull-limit.ts";
import { Quiet } from "./quiet.ts";
import { type Arrival, followRedirects, type Hop, redirectsOf } from "./redirect.ts";
import { Sessions } from "./sessions.ts";
import { ShownSecrets } from "./shown-secrets.ts";
import { readToken, type Token, tokenForm, tokenUrl } from "./token.ts";
import { warningsIn } from "./warning.ts";

/** A body that can be sent again: each `open` reads from the start. */
export interface RequestBody {
  open(): AsyncIterable<Uint8Array>;
  /** Absent if not known; it is sent in chunks then. */
  readonly size?: number | undefined;
  readonly mediaType?: string | undefined;
}

/** What is sent, wherever it goes. */
export interface Parcel {
  readonly method: HttpMethod;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: RequestBody | undefined;
  /** How long until the first header; absent: `limits.firstHeaderMs`. */
  readonly firstHeaderMs?: number | undefined;
}

/** What a registry is spoken to by. */
export interface RegistryOptions {
  /** The registry's domain, and perhaps its port. */
  readonly host: string;
  readonly connection: RegistryConnection;
  readonly proxies: ProxySettings;
  readonly userAgent: string;
  readonly log: TransportLog;
  /** How long which silence is borne; what is absent is as in `limits`. */
  readonly times?: HttpOptions["times"];
  /** A clock that only runs forward, in milliseconds, by which tokens expire. */
  readonly now?: (() => number) | undefined;
}

/** The registry as found: where it is, and what it wants to be shown. */
export interface FoundRegistry {
  readonly guide: Guide;
  /** Whether it keeps signatures itself, by an extension of its API. */
  readonly keepsSignatures: boolean;
  readonly authenticator: Authenticator;
}

/** From where, by whose lead and with what a request is sent. */
export interface Way {
  readonly start: Hop;
  readonly guide: Guide;
  readonly authorization: Authorization | undefined;
}

/**
 * One registry, as somebody is known to it: how it is spoken to, its connections and its tokens. Clients
 * of several repositories may share it.
 */
export class Registry implements AsyncDisposable {
  readonly host: string;
  /** How much of a blob one request may carry, as far as anybody has learned it. */
  readonly pieces = new PieceLimit();
  /** Which blobs it has, as far as anybody has learned it. */
  readonly held = new HeldBlobs();
  /** How long it wants to be left alone. */
  readonly quiet = new Quiet();
  /** What it was shown, and its token service. */
  readonly secrets = new ShownSecrets();
  readonly #options: RegistryOptions;
  readonly #sessions: Sessions;
  readonly #warned = new Set<string>();
  #toldPullLimit: string | undefined;
  #found: Promise<FoundRegistry> | undefined;

  constructor(options: RegistryOptions) {
    const { host, connection, proxies, times } = options;
    this.host = host;
    this.#options = options;
    this.#sessions = new Sessions({
      tls: connection.tls,
      proxies,
      ...(times === undefined ? {} : { times }),
    });
  }

  /** Tells whether whoever comes with these options is to the registry what we are. */
  suits({ host, connection, proxies, userAgent }: RegistryOptions): boolean {
    const own = this.#options;
    const { insecure, tls, credentials } = connection;
    return (
      host === own.host &&
      userAgent === own.userAgent &&
      insecure === own.connection.insecure &&
      sameCredentials(credentials, own.connection.credentials) &&
      Bun.deepEquals({ tls, proxies }, { tls: own.connection.tls, proxies: own.proxies }, true)
    );
  }

  /** Pings the registry. That is done once, and again only after it failed. */
  find(healer: Healer): Promise<FoundRegistry> {
    this.#found ??= this.#ping(healer).catch((error: unknown) => {
      this.#found = undefined;
      throw inContext(`pinging container registry ${apiHost(this.host)}`, error);
    });
    return this.#found;
  }

  /** Sends a parcel, and follows redirects without carrying a secret to another origin. */
  travel(parcel: Parcel, way: Way, signal: AbortSignal): Promise<Arrival> {
    const { method, body } = parcel;
    return followRedirects({
      start: way.start,
      guide: way.guide,
      follows: redirectsOf(method, body !== undefined),
      send: (hop) => this.#send(parcel, hop, way.authorization, signal),
    });
  }

  /**
   * Reads from a server that somebody has set beside the registry. It is shown no secret, and whatever may
   * be done at the registry, it has to be who it says it is.
   */
  readBeside(url: URL, signal: AbortSignal): Promise<Arrival> {
    return followRedirects({
      start: { url, home: false },
      guide: { registry: url, insecure: false },
      follows: redirectsOf("GET", false),
      send: async (hop) => {
        this.#options.log.debug(`GET ${redactedUrl(hop.url)}`);
        const session = await this.#sessions.to("beside");
        const headers = { "User-Agent": this.#options.userAgent };
        return session.send({ method: "GET", url: hop.url, headers, signal });
      },
    });
  }

  /** Closes the connections that nobody uses. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  async #ping(healer: Healer): Promise<FoundRegistry> {
    const { connection, now } = this.#options;
    const { insecure, credentials } = connection;
    const { root, response } = await healed(
      () =>
        pingOnce({
          host: apiHost(this.host),
          insecure,
          send: (root, stop) => this.#pingAt(root, AbortSignal.any([healer.signal, stop])),
        }),
      healer,
    );
    if (!isPong({ response })) {
      const known = credentials.kind !== "anonymous";
      throw (await readFailure(response, { known, secrets: this.secrets })).failure;
    }
    await response.discard();
    const keepsSignatures = response.headers.get("x-registry-supports-signatures") === "1";
    const guide = { registry: root, insecure };
    // What somebody else asks for, where a redirect led, is none of the registry's challenges.
    const own = sameOrigin(response.url, root);
    const authenticator = new Authenticator({
      credentials,
      renewCredentials: connection.renewCredentials,
      challenges: own ? challengesOf(response.headers) : [],
      requestToken: (wish, asker) => this.#requestToken(wish, guide, asker),
      now: now ?? (() => performance.now()),
      log: this.#options.log,
    });
    return { guide, keepsSignatures, authenticator };
  }

  async #pingAt(root: URL, signal: AbortSignal): Promise<HttpResponse> {
    const guide = { registry: root, insecure: this.#options.connection.insecure };
    const start = { url: new URL("/v2/", root), home: true };
    const request = { method: "GET", target: start.url, firstHeaderMs: limits.connectMs } as const;
    return (await this.travel(request, { start, guide, authorization: undefined }, signal))
      .response;
  }

  async #send(
    parcel: Parcel,
    { url, home }: Hop,
    authorization: Authorization | undefined,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const { method, body, firstHeaderMs } = parcel;
    this.#options.log.debug(`${method} ${redactedUrl(url)}`);
    const session = await this.#sessions.to(home ? "registry" : "elsewhere");
    const headers = this.#headersFor(parcel);
    if (home && authorization !== undefined) this.secrets.addHeader(authorization.header);
    const response = await session.send({
      method,
      url,
      headers: home ? withSecrets(headers, authorization) : harmless(headers),
      body: body && { bytes: body.open(), size: body.size },
      signal,
      firstHeaderMs,
    });
    if (home) this.quiet.note(response, this.#now());
    this.#passOnWarnings(response);
    this.#tellPullLimit(response);
    return response;
  }

  /** By the clock that tokens expire by. */
  #now(): number {
    return (this.#options.now ?? (() => performance.now()))();
  }

  #headersFor({ headers, body }: Parcel): Record<string, string> {
    return {
      "Docker-Distribution-API-Version": "registry/2.0",
      "User-Agent": this.#options.userAgent,
      ...(body?.mediaType === undefined ? {} : { "Content-Type": body.mediaType }),
      ...headers,
    };
  }

  #tellPullLimit({ headers }: HttpResponse): void {
    const told = pullLimitIn(headers);
    if (told === undefined || told === this.#toldPullLimit) return;
    this.#toldPullLimit = told;
    this.#options.log.debug(`${this.host} says that ${told}`);
  }

  #passOnWarnings({ headers, url }: HttpResponse): void {
    for (const text of warningsIn(headers)) {
      if (this.#warned.has(text)) continue;
      this.#warned.add(text);
      this.#options.log.warn(
        `Warning from registry (first encountered at "${redactedUrl(url)}"): ${quoted(this.secrets.withoutSecrets(text, url))}`,
      );
    }
  }

  async #requestToken(wish: TokenWish, guide: Guide, healer: Healer): Promise<Token> {
    const { credentials } = wish;
    const realm = parseRealm(wish.realm, guide);
    const service = { ...wish, realm, guide, healer };
    const secret = credentials.kind === "identity" || secretFor(credentials) !== undefined;
    if (secret) {
      const { host } = realm;
      this.#options.log.debug(
        `The credentials for ${this.host} go to the token service at ${host}`,
      );
    }
    return credentials.kind === "identity"
      ? this.#exchangeIdentity(service, credentials.token)
      : this.#fetchToken(service, secretFor(credentials));
  }

  async #fetchToken(wish: ServiceWish, secret: string | undefined): Promise<Token> {
    const { realm, guide, healer, credentials } = wish;
    const username = credentials.kind === "basic" ? credentials.username : undefined;
    const send = ({ url, home }: Hop): Promise<HttpResponse> => {
      if (!home && secret !== undefined) {
        throw new Failure(
          "refused",
          `The token service ${realm.host} leads elsewhere with a password`,
        );
      }
      const headers = secret === undefined ? {} : { Authorization: secret };
      if (secret !== undefined) this.secrets.addHeader(secret);
      return this.#askService({ method: "GET", url, headers }, wish);
    };
    const start = { url: tokenUrl({ ...wish, username }), home: true };
    const follows = redirectsOf("GET", false);
    const { response } = await healed(
      () => followRedirects({ start, guide, follows, send }),
      healer,
    );
    return readToken(response, { known: secret !== undefined, secrets: this.secrets });
  }

  /** No redirect is followed: the identity token goes where the registry said, and nowhere else. */
  async #exchangeIdentity(wish: ServiceWish, identity: IdentityToken): Promise<Token> {
    const { url, form } = tokenForm({ ...wish, identity: identity.value });
    this.secrets.add(identity.value);
    const bytes = new TextEncoder().encode(form);
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const { response } = await healed(async () => {
      const body = { bytes: once(bytes), size: bytes.length };
      return { response: await this.#askService({ method: "POST", url, headers, body }, wish) };
    }, wish.healer);
    const context = { known: true, secrets: this.secrets };
    const token = await readToken(response, context, "Trying to obtain access token");
    if (token.identity !== undefined) identity.replace(token.identity);
    return token;
  }

  async #askService(
    { headers, ...request }: Pick<HttpRequest, "method" | "url" | "headers" | "body">,
    { guide, healer }: ServiceWish,
  ): Promise<HttpResponse> {
    const { userAgent, log } = this.#options;
    log.debug(`${request.method} ${redactedUrl(request.url)}`);
    const own = sameOrigin(request.url, guide.registry);
    const session = await this.#sessions.to(own ? "registry" : "token-service");
    return session.send({
      ...request,
      headers: { "User-Agent": userAgent, ...headers },
      signal: healer.signal,
    });
  }
}

/** What is asked of a token service, whose address was checked. */
interface ServiceWish extends Omit<TokenWish, "realm"> {
  readonly realm: URL;
  readonly guide: Guide;
  readonly healer: Healer;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The registry behind the best-known name listens somewhere else. */
function apiHost(host: string): string {
  return host === "docker.io" ? "registry-1.docker.io" : host;
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

/** Nothing in credentials is looked into: what is not the very same is somebody else's. */
function sameCredentials(one: Credentials, other: Credentials): boolean {
  const members = new Map<string, unknown>(Object.entries(one));
  const others = Object.entries(other);
  return (
    members.size === others.length && others.every(([key, value]) => members.get(key) === value)
  );
}
