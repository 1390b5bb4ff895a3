// RegistryServer: a registry in memory, on loopback, strict to the distribution specification.
//
// See https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md

import { Doorkeeper, type RegistryAuth, type Scope } from "./registry-auth.ts";
import { answer, errorAnswer, neededScopes, type RegistryRules } from "./registry-routes.ts";
import { type Repository, RegistryStore } from "./registry-store.ts";

/** How the registry behaves. Without any options: plain HTTP, open to all, able to do everything. */
export interface RegistryOptions extends RegistryRules {
  readonly auth?: RegistryAuth;
  /** PEM texts; the registry speaks TLS if given. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** May answer in the registry's place, or change what `usual` answers. */
  readonly intercept?: (
    request: SeenRequest,
    usual: () => Promise<Response>,
  ) => Response | Promise<Response>;
}

/** A request that the registry saw. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  /** The request itself; its body may be read once. */
  readonly request: Request;
}

/** A running registry. Dispose it to end it. */
export interface RegistryServer extends AsyncDisposable {
  /** Such as `127.0.0.1:4711`: what stands in an image name. */
  readonly host: string;
  /** Such as `http://127.0.0.1:4711`. */
  readonly origin: string;
  /** Every request so far, those to `/token` included, in order of arrival. */
  readonly requests: readonly SeenRequest[];
  /** The requests as `METHOD target`. */
  readonly lines: readonly string[];
  /** Returns a repository to look into or to fill; it begins to exist if it did not. */
  repository(name: string): Repository;
  /** Makes all tokens invalid that were given out so far. */
  endTokens(): void;
  /** Forgets the requests so far. */
  forget(): void;
}

/** Starts a registry on a free loopback port. */
export function startRegistry(options: RegistryOptions = {}): RegistryServer {
  const store = new RegistryStore();
  const doorkeeper = new Doorkeeper(options.auth);
  const requests: SeenRequest[] = [];

  const usual = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    if (url.pathname === "/token") return doorkeeper.giveToken(request);
    const scopes: readonly Scope[] = neededScopes(request.method, url);
    const refusal = doorkeeper.refuse(request, scopes);
    return refusal ?? answer(request, store, options);
  };

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const seen: SeenRequest = { method, target: pathname + search, headers, request };
      requests.push(seen);
      if (options.intercept === undefined) return usual(request);
      return options.intercept(seen, () => usual(request));
    },
    error: (error) => errorAnswer(500, "UNKNOWN", error.message),
  });

  const host = `127.0.0.1:${server.port}`;
  return {
    host,
    origin: `${options.tls === undefined ? "http" : "https"}://${host}`,
    requests,
    get lines() {
      return requests.map(({ method, target }) => `${method} ${target}`);
    },
    repository: (name) => store.repository(name),
    endTokens: () => doorkeeper.endTokens(),
    forget: () => void requests.splice(0),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
