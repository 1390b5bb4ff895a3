// Authentication: what a registry is shown, so that it knows who asks.

import { Failure } from "../../core/failure.ts";
import type { HttpResponse } from "../../core/http.ts";
import type { Credentials } from "../../core/image/registry-access.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { type Challenge, challengeFor, challengesOf } from "./challenge.ts";
import type { Token } from "./token.ts";

/** What is shown to a registry. */
export interface Authorization {
  /** The value of the header. */
  readonly header: string;
  /** The key of the token behind it; absent if it is none that could be renewed. */
  readonly renewal?: { readonly key: string; readonly token: Token };
}

/** What is needed to ask for a token. */
export interface TokenWish {
  /** As the registry names it: not checked. */
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
}

/** What an Authenticator works with. */
export interface AuthenticatorOptions {
  readonly credentials: Credentials;
  /** Wanted by every request, such as `repository:library/busybox:pull`. */
  readonly scope: string;
  /** What the registry asked for when it was pinged. */
  readonly challenges: readonly Challenge[];
  readonly requestToken: (wish: TokenWish) => Promise<Token>;
  /** A clock that only runs forward, in milliseconds. */
  readonly now: () => number;
  readonly log: TransportLog;
}

interface HeldToken {
  readonly token: Token;
  readonly expires: number;
}

/**
 * Knows what to show to one registry, and keeps its tokens as long as they are good.
 *
 * Requests that want the same token at the same time share one. A token that could not be had is asked
 * for again by the next request.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #challenge: Challenge | undefined;
  readonly #tokens = new Map<string, Promise<HeldToken>>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    const { challenges, log } = options;
    this.#challenge = challenges.find(({ scheme }) => scheme === "basic" || scheme === "bearer");
    if (challenges.length > 0 && this.#challenge === undefined) {
      const schemes = challenges.map(({ scheme }) => scheme).join(", ");
      log.info(
        `None of the challenges sent by server (${schemes}) are supported, trying an unauthenticated request anyway`,
      );
    }
  }

  /** Returns what to show for the client's own scope and `scopes`; undefined if that is nothing. */
  async authorize(scopes: readonly string[]): Promise<Authorization | undefined> {
    const { credentials } = this.#options;
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === "basic") return basic(credentials);
    if (credentials.kind === "token") return { header: `Bearer ${credentials.token}` };
    const key = scopes.join(" ");
    const token = await this.#token(key, this.#challenge, scopes);
    return { header: `Bearer ${token.value}`, renewal: { key, token } };
  }

  /**
   * Forgets a token that the registry did not take, however long it should have lasted. Tells whether
   * asking again makes sense.
   */
  async drop({ renewal }: Authorization): Promise<boolean> {
    if (renewal === undefined) return false;
    const held = await this.#tokens.get(renewal.key);
    // Somebody else may have renewed it already.
    if (held?.token === renewal.token) this.#tokens.delete(renewal.key);
    return true;
  }

  async #token(key: string, { parameters }: Challenge, scopes: readonly string[]): Promise<Token> {
    const { scope, requestToken, now } = this.#options;
    const known = this.#tokens.get(key);
    if (known !== undefined) {
      const held = await known;
      if (now() < held.expires) return held.token;
      if (this.#tokens.get(key) === known) this.#tokens.delete(key);
    }
    const shared = this.#tokens.get(key);
    if (shared !== undefined) return (await shared).token;

    const realm = parameters.get("realm") ?? "";
    if (realm === "") throw new Failure("refused", "missing realm in bearer auth challenge");
    const asked = now();
    const asking = requestToken({
      realm,
      service: parameters.get("service"),
      scopes: [scope, ...scopes],
    }).then((token) => ({ token, expires: asked + token.lifetimeMs }));
    this.#tokens.set(key, asking);
    try {
      return (await asking).token;
    } catch (error) {
      this.#tokens.delete(key);
      throw error;
    }
  }
}

/**
 * Returns the scope that a refused token lacked, in the registry's words; undefined if that is not why
 * it was refused.
 */
export function missingScope({ status, headers }: HttpResponse): string | undefined {
  if (status !== 401) return undefined;
  const parameters = challengeFor(challengesOf(headers), "bearer")?.parameters;
  if (parameters?.get("error") !== "insufficient_scope") return undefined;
  const scope = parameters.get("scope") ?? "";
  return scope.split(":").length === 3 ? scope : undefined;
}

/** Returns the header that shows a user name and a password. */
export function basicHeader({
  username,
  password,
}: {
  username: string;
  password: string;
}): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function basic(credentials: Credentials): Authorization | undefined {
  return credentials.kind === "basic" ? { header: basicHeader(credentials) } : undefined;
}
