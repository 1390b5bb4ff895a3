// Authentication: what a registry is shown, so that it knows who asks.

import { asFailure, Failure } from "../../core/failure.ts";
import type { HttpResponse } from "../../core/http.ts";
import type { Credentials, RegistryConnection } from "../../core/image/registry-access.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { type Challenge, challengeFor, challengesOf } from "./challenge.ts";
import type { Healer } from "./healing.ts";
import { RefusedCredentials, type Token } from "./token.ts";

/** What is shown to a registry. */
export interface Authorization {
  /** The value of the header. */
  readonly header: string;
  /** Who it says we are. */
  readonly credentials: Credentials;
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
  readonly credentials: Credentials;
}

/** What an Authenticator works with. */
export interface AuthenticatorOptions {
  readonly credentials: Credentials;
  /** Looks for others in place of refused ones; absent where there can be none. */
  readonly renewCredentials?: RegistryConnection["renewCredentials"];
  /** What the registry asked for when it was pinged. */
  readonly challenges: readonly Challenge[];
  readonly requestToken: (wish: TokenWish, asker: Healer) => Promise<Token>;
  /** A clock that only runs forward, in milliseconds. */
  readonly now: () => number;
  readonly log: TransportLog;
}

interface HeldToken {
  readonly token: Token;
  /** By which it was had. */
  readonly credentials: Credentials;
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
  #credentials: Credentials;
  /** When others were looked for last, and whether there were any. */
  #renewal: { readonly at: number; readonly found: Promise<boolean> } | undefined;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#credentials = options.credentials;
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
    const credentials = this.#credentials;
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === "basic") return basic(credentials);
    if (credentials.kind === "token") {
      return { header: `Bearer ${credentials.token}`, credentials };
    }
    return bearing(await this.#token(this.#challenge, scopes, asker), 0);
  }

  /**
   * Returns what to show instead of what the registry did not take; undefined if asking again makes no
   * sense.
   *
   * First come new tokens, since registries end them before their time. Then credentials are looked for
   * anew, for they may have ended, too.
   */
  async renew(
    { renewal, credentials }: Authorization,
    scopes: readonly string[],
    asker: Healer,
  ): Promise<Authorization | undefined> {
    if (this.#challenge === undefined) return undefined;
    const renewed = renewal && (await this.#renewToken(this.#challenge, renewal, scopes, asker));
    if (renewed !== undefined) return bearing(renewed.held, renewed.refused);
    return (await this.#renewCredentials(credentials)) ? this.authorize(scopes, asker) : undefined;
  }

  /**
   * One new token has to do. But where it was shared, and registries take a token only once, another
   * request may have used it up: then this one gets a token that nobody shares.
   */
  async #renewToken(
    challenge: Challenge,
    { held, refused }: Renewal,
    scopes: readonly string[],
    asker: Healer,
  ): Promise<Renewal | undefined> {
    const key = keyOf(scopes);
    const known = this.#tokens.get(key);
    // Somebody else may have renewed it already, even while we looked.
    if ((await known) === held && this.#tokens.get(key) === known) this.#tokens.delete(key);
    if (refused === 0) return { held: await this.#token(challenge, scopes, asker), refused: 1 };
    if (refused > 1 || held.uses < 2) return undefined;
    return { held: await this.#ask(challenge, scopes, asker), refused: 2 };
  }

  /** Tells whether there are other credentials now than those that were refused. */
  async #renewCredentials(refused: Credentials): Promise<boolean> {
    if (refused !== this.#credentials) return true;
    const { now, renewCredentials } = this.#options;
    if (renewCredentials === undefined) return false;
    const recent = this.#renewal !== undefined && now() - this.#renewal.at < limits.renewalMs;
    if (!recent) this.#renewal = { at: now(), found: this.#lookAgain(renewCredentials) };
    // Of those who come at the same time, only the first looks; whoever comes later gets the same answer.
    return (await this.#renewal?.found) === true && refused !== this.#credentials;
  }

  async #lookAgain(renew: NonNullable<RegistryConnection["renewCredentials"]>): Promise<boolean> {
    try {
      const found = await renew(this.#credentials);
      if (found === undefined) return false;
      this.#options.log.debug("The registry takes the credentials no more, going on with new ones");
      this.#credentials = found;
      this.#tokens.clear();
      return true;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "config" && failure.code !== "io") throw failure;
      // The refusal says more to the user.
      this.#options.log.warn(`Looking for new credentials: ${failure.message}`);
      return false;
    }
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

  async #ask(challenge: Challenge, scopes: readonly string[], asker: Healer): Promise<HeldToken> {
    const { requestToken, now } = this.#options;
    const { parameters } = challenge;
    const realm = parameters.get("realm") ?? "";
    if (realm === "") throw new Failure("refused", "missing realm in bearer auth challenge");
    const asked = now();
    const credentials = this.#credentials;
    const wish = { realm, service: parameters.get("service"), scopes, credentials };
    try {
      const token = await requestToken(wish, asker);
      return { token, credentials, expires: asked + token.lifetimeMs, uses: 0 };
    } catch (error) {
      const final = !(error instanceof RefusedCredentials);
      if (final || !(await this.#renewCredentials(credentials))) throw error;
      return this.#ask(challenge, scopes, asker);
    }
  }
}

function keyOf(scopes: readonly string[]): string {
  return scopes.join(" ");
}

function bearing(held: HeldToken, refused: number): Authorization {
  held.uses += 1;
  const { token, credentials } = held;
  return { header: `Bearer ${token.value}`, credentials, renewal: { held, refused } };
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
  switch (credentials.kind) {
    case "anonymous":
    case "token":
      return undefined;
    case "basic":
      return { header: basicHeader(credentials), credentials };
    case "identity":
      // With the token alone there is no name to come by.
      return credentials.username === ""
        ? undefined
        : { header: basicHeader(credentials), credentials };
  }
}
