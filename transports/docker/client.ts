// RegistryClient: speaks to one registry about one repository.

import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { HttpResponse } from "../../core/http.ts";
import { Patience, type Pause, type Retry } from "../../core/retry.ts";
import { checkAddress, type Guide, sameOrigin } from "./address.ts";
import { type Authorization, missingScope } from "./authenticate.ts";
import { readFailure, type RegistryFailure } from "./failure.ts";
import type { HeldBlobs } from "./held-blobs.ts";
import { healed, type Healer } from "./healing.ts";
import type { PieceLimit } from "./piece-limit.ts";
import type { Arrival, Hop } from "./redirect.ts";
import {
  type FoundRegistry,
  type Parcel,
  Registry,
  type RegistryOptions,
  type Way,
} from "./registry.ts";

export type { RequestBody } from "./registry.ts";

/** One request to a registry. */
export interface RegistryRequest extends Parcel {
  /** A path below the registry's root such as `/v2/a/blobs/…`, or a URL that the registry named. */
  readonly target: string | URL;
  /** Scopes beyond the client's own, such as `repository:other/name:pull`. */
  readonly scopes?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether trouble that may pass is borne with; absent: yes. */
  readonly heals?: boolean | undefined;
}

/** A pause before something is tried again. */
export type RegistryPause = Pick<Retry, "what" | "reason"> & Omit<Pause, "waiting">;

/** An answer of any status, with redirects of reading requests already followed. */
export type RegistryResponse = HttpResponse;

/** What a client is made of. */
export interface RegistryClientOptions extends RegistryOptions {
  /** The repository's path below the host. */
  readonly repository: string;
  /** Such as `pull`, `pull,push` or `*`; absent: nothing is wanted of a repository. */
  readonly actions?: string | undefined;
  /** Ends whatever the client is doing. */
  readonly signal: AbortSignal;
  /** Shared by all clients of one operation; absent: this client has its own. */
  readonly patience?: Patience | undefined;
  /** Shared with other clients, and disposed of by whoever shares it; absent: the client has its own. */
  readonly registry?: Registry | undefined;
}

/**
 * Speaks to one registry about one repository: finds out how it is spoken to, shows who we are, tries
 * again what may pass, and follows redirects without carrying a secret to another origin.
 *
 * The registry is pinged by the first request, unless another client has done so; how that ends is
 * remembered.
 */
export class RegistryClient implements AsyncDisposable {
  readonly host: string;
  readonly repository: string;
  readonly #options: RegistryClientOptions;
  readonly #patience: Patience;
  readonly #now: () => number;
  readonly #registry: Registry;
  #found: Promise<FoundRegistry> | undefined;

  constructor(options: RegistryClientOptions) {
    const { host, repository } = options;
    this.host = host;
    this.repository = repository;
    this.#options = options;
    this.#patience = options.patience ?? new Patience();
    this.#now = options.now ?? (() => performance.now());
    this.#registry = options.registry ?? new Registry(options);
  }

  /**
   * Sends a request and returns the answer, whatever its status. It must be read or discarded.
   *
   * Fails with `unavailable` if there is none, `unauthorized` if a token is denied to us, and `refused`
   * where the registry leads to an address that nobody is led to.
   */
  async request(request: RegistryRequest): Promise<RegistryResponse> {
    const asker = this.#healer(this.#signalWith());
    const { guide, authenticator } = await this.#find(asker);
    const start = startOf(request.target, guide);
    const attempt = (authorization: Authorization | undefined) =>
      this.#deliver(request, { start, guide, authorization });

    let scopes = [...this.#ownScopes(), ...(request.scopes ?? [])];
    let authorization = start.home ? await authenticator.authorize(scopes, asker) : undefined;
    let arrival = await attempt(authorization);
    if (!isRefused(arrival) || authorization === undefined) return arrival.response;

    const scope = request.body === undefined ? missingScope(arrival.response) : undefined;
    if (scope !== undefined && authorization.renewal !== undefined && !scopes.includes(scope)) {
      await arrival.response.discard();
      scopes = [...scopes, scope];
      authorization = await authenticator.authorize(scopes, asker);
      arrival = await attempt(authorization);
    }
    // Registries end tokens before their time.
    while (isRefused(arrival) && authorization !== undefined) {
      authorization = await authenticator.renew(authorization, scopes, asker);
      if (authorization === undefined) break;
      await arrival.response.discard();
      arrival = await attempt(authorization);
    }
    return arrival.response;
  }

  /** Tells whether the registry keeps signatures itself, by an extension of its API. */
  async keepsSignatures(): Promise<boolean> {
    return (await this.#find(this.#healer(this.#signalWith()))).keepsSignatures;
  }

  /** Reads from a server that somebody has set beside the registry; see `Registry.readBeside`. */
  async readBeside(url: URL): Promise<RegistryResponse> {
    const signal = this.#signalWith();
    const attempt = () => this.#registry.readBeside(url, signal);
    return (await healed(attempt, this.#healer(signal))).response;
  }

  /** How much of a blob one request may carry, as far as anybody has learned it. */
  get pieces(): PieceLimit {
    return this.#registry.pieces;
  }

  /** Which blobs the registry has, as far as anybody has learned it. */
  get held(): HeldBlobs {
    return this.#registry.held;
  }

  /** Reads an answer that is no success and returns what it means; `what` was being done. */
  failure(response: RegistryResponse, what?: string): Promise<RegistryFailure> {
    const known = this.#options.connection.credentials.kind !== "anonymous";
    return readFailure(response, { what, known, secrets: this.#registry.secrets });
  }

  /**
   * Waits before another attempt of whoever heals by itself, and tells whether it is worth making; see
   * `Patience.pause`.
   */
  pause(attempts: number, { what, reason, askedMs, signal }: RegistryPause): Promise<boolean> {
    return this.#patience.pause(attempts, {
      askedMs,
      signal: this.#signalWith(signal),
      waiting: (waitMs) => this.#options.log.retrying?.({ what, reason, waitMs }),
    });
  }

  /** Closes the connections that nobody uses, unless others share them. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#options.registry === undefined) await this.#registry[Symbol.asyncDispose]();
  }

  #find(asker: Healer): Promise<FoundRegistry> {
    this.#found ??= this.#registry.find(asker);
    return this.#found;
  }

  async #deliver(request: RegistryRequest, way: Way): Promise<Arrival> {
    const signal = this.#signalWith(request.signal);
    // What one was told holds for all.
    const quietMs = this.#registry.quiet.remainingMs(this.#now());
    if (quietMs > 0) await this.#patience.rest(quietMs, signal);
    const attempt = () => this.#registry.travel(request, way, signal);
    return request.heals === false ? attempt() : healed(attempt, this.#healer(signal));
  }

  #ownScopes(): readonly string[] {
    const { actions } = this.#options;
    return actions === undefined ? [] : [`repository:${this.repository}:${actions}`];
  }

  #healer(signal: AbortSignal): Healer {
    return { patience: this.#patience, signal, log: this.#options.log, now: this.#now };
  }

  #signalWith(signal?: AbortSignal): AbortSignal {
    const own = this.#options.signal;
    return signal === undefined ? own : AbortSignal.any([own, signal]);
  }
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
