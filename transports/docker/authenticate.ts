// Authentication: what a registry is shown, so that it knows who asks.

import { Failure } from "../../core/failure.ts";
import type { HttpResponse } from "../../core/http.ts";
import type { Credentials } from "../../core/image/registry-access.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { type Challenge, challengeFor, challengesOf } from "./challenge.ts";
import type { Healer } from "./healing.ts";
import type { Token } from "./token.ts";

/** What is shown to a registry. */
export interface Authorization {
  /** The value of the header. */
  readonly header: string;
  /** The token behind it; absent if it is none that could be renewed. */
  readonly renewal?: Renewal;
}

/** What a renewal has to know of the token before it. */
interface Renewal {
  readonly held: HeldToken;
  /** How many tokens were refused before this one. */
  readonly refused: number;
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
  /** What the registry asked for when it was pinged. */
  readonly challenges: readonly Challenge[];
  readonly requestToken: (wish: TokenWish, asker: Healer) => Promise<Token>;
  /** A clock that only runs forward, in milliseconds. */
  readonly now: () => number;
  readonly log: TransportLog;
}

interface HeldToken {
  readonly token: Token;
  readonly expires: number;
  /** How many requests were shown it. */
  uses: number;
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

  /**
   * Returns what to show for `scopes`, such as `repository:library/busybox:pull`; undefined if that is
   * nothing.
   */
  async authorize(scopes: readonly string[], asker: Healer): Promise<Authorization | undefined> {
    const { credentials } = this.#options;
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === "basic") return basic(credentials);
    if (credentials.kind === "token") return { header: `Bearer ${credentials.token}` };
    return bearing(await this.#token(this.#challenge, scopes, asker), 0);
  }

  /**
   * Returns what to show instead of a token that the registry did not take, however long it should have
   * lasted; undefined if asking again makes no sense.
   *
   * One new token has to do. But where it was shared, and registries take a token only once, another
   * request may have used it up: then this one gets a token that nobody shares.
   */
  async renew(
    { renewal }: Authorization,
    scopes: readonly string[],
    asker: Healer,
  ): Promise<Authorization | undefined> {
    if (renewal === undefined || this.#challenge === undefined) return undefined;
    const { held, refused } = renewal;
    const key = keyOf(scopes);
    const known = this.#tokens.get(key);
    // Somebody else may have renewed it already, even while we looked.
    if ((await known) === held && this.#tokens.get(key) === known) this.#tokens.delete(key);
    if (refused === 0) return bearing(await this.#token(this.#challenge, scopes, asker), 1);
    if (refused > 1 || held.uses < 2) return undefined;
    return bearing(await this.#ask(this.#challenge, scopes, asker), 2);
  }

  async #token(challenge: Challenge, scopes: readonly string[], asker: Healer): Promise<HeldToken> {
    const key = keyOf(scopes);
    const known = this.#tokens.get(key);
    if (known !== undefined) {
      const held = await known;
      if (this.#options.now() < held.expires) return held;
      if (this.#tokens.get(key) === known) this.#tokens.delete(key);
    }
    const shared = this.#tokens.get(key);
    if (shared !== undefined) return shared;
    const asking = this.#ask(challenge, scopes, asker);
    this.#tokens.set(key, asking);
    try {
      return await asking;
    } catch (error) {
      this.#tokens.delete(key);
      throw error;
    }
  }

  async #ask(
    { parameters }: Challenge,
    scopes: readonly string[],
    asker: Healer,
  ): Promise<HeldToken> {
    const { requestToken, now } = this.#options;
    const realm = parameters.get("realm") ?? "";
    if (realm === "") throw new Failure("refused", "missing realm in bearer auth challenge");
    const asked = now();
    const token = await requestToken({ realm, service: parameters.get("service"), scopes }, asker);
    return { token, expires: asked + token.lifetimeMs, uses: 0 };
  }
}

function keyOf(scopes: readonly string[]): string {
  return scopes.join(" ");
}

function bearing(held: HeldToken, refused: number): Authorization {
  held.uses += 1;
  return { header: `Bearer ${held.token.value}`, renewal: { held, refused } };
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
