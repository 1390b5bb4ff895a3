// Tokens: asked of the service that a registry names, and good for a while.

import { collect } from "../../core/blob/collect.ts";
import { Failure, type FailureCode } from "../../core/failure.ts";
import { quoted, shown } from "../../core/foreign-text.ts";
import type { HttpResponse } from "../../core/http.ts";
import { limits } from "../../core/limits.ts";
import { redactedUrl } from "../../core/redact.ts";
import { type FailureContext, readFailure } from "./failure.ts";

/** What a registry lets one in for. */
export interface Token {
  readonly value: string;
  /** Counted from when it was asked for. */
  readonly lifetimeMs: number;
  /** What the service wants to see next time in place of the identity token; absent if that stays. */
  readonly identity?: string;
}

/** A token service's refusal of the credentials themselves. */
export class RefusedCredentials extends Failure {}

/** What is asked of a token service. */
export interface TokenQuestion {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly username: string | undefined;
}

/** Returns the address that asks: what the realm's own query says is kept, names are sorted. */
export function tokenUrl({ realm, service, scopes, username }: TokenQuestion): URL {
  const url = new URL(realm);
  if (username !== undefined && username !== "") url.searchParams.set("account", username);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (service !== undefined && service !== "") url.searchParams.set("service", service);
  url.searchParams.sort();
  return url;
}

/** What is asked of a token service by whoever has an identity token. */
export interface IdentityQuestion extends Omit<TokenQuestion, "username"> {
  readonly identity: string;
}

/** Returns the address that is asked, and the form that asks: it also holds what the realm's own query says. */
export function tokenForm({ realm, service, scopes, identity }: IdentityQuestion): {
  readonly url: URL;
  readonly form: string;
} {
  const url = new URL(realm);
  const form = new URLSearchParams(url.search);
  url.search = "";
  if (service !== undefined && service !== "") form.append("service", service);
  for (const scope of scopes) form.append("scope", scope);
  form.append("grant_type", "refresh_token");
  form.append("refresh_token", identity);
  // What the services that look at it know.
  form.append("client_id", "containers/image");
  return { url, form: form.toString() };
}

/**
 * Reads the answer of a token service. Fails with `unauthorized` if it does not let us in. `what`
 * was being done.
 */
export async function readToken(
  response: HttpResponse,
  context: FailureContext,
  what = "Requesting bearer token",
): Promise<Token> {
  const { status, url, headers } = response;
  if (status === 200)
    return parseToken(await collect(response.body, limits.tokenBytes), url, headers);
  const { failure } = await readFailure(response, context);
  if (status === 401) {
    throw new RefusedCredentials(
      "unauthorized",
      `unable to retrieve auth token: invalid username/password: ${failure.message}`,
      { hint: failure.hint, cause: failure },
    );
  }
  if (status === 429) throw new Failure("unavailable", "too many requests to registry");
  const code: FailureCode = status >= 500 ? "unavailable" : "refused";
  const reason = `${status} ${shown(response.statusText)}`.trimEnd();
  throw new Failure(code, `${what}: received unexpected HTTP status: ${reason}`);
}

/**
 * Parses the answer of a token service.
 *
 * A token's age is taken from the service's own clock, its `Date`, and is never negative: neither a
 * wrong clock here nor one there makes a token live longer than `expires_in`.
 */
export function parseToken(bytes: Uint8Array, url: URL, headers: Headers): Token {
  const members = parseMembers(bytes, url);
  const value = textOf(members, "token") || textOf(members, "access_token");
  // What cannot stand in a header is no token: it could begin another header.
  if (!/^[\x21-\x7e]+$/.test(value)) {
    throw new Failure("refused", `The token service ${url.host} answered without a usable token`);
  }
  const { expires_in: given } = members;
  const seconds = typeof given === "number" ? Math.max(given, shortestSeconds) : shortestSeconds;
  const ageMs = Date.parse(headers.get("date") ?? "") - Date.parse(textOf(members, "issued_at"));
  const identity = textOf(members, "refresh_token");
  return {
    value,
    lifetimeMs: seconds * 1000 - (ageMs > 0 ? ageMs : 0),
    ...(identity !== "" && { identity }),
  };
}

/** Services that say nothing, or less, mean this. */
const shortestSeconds = 60;

interface TokenMembers {
  readonly token?: unknown;
  readonly access_token?: unknown;
  readonly expires_in?: unknown;
  readonly issued_at?: unknown;
  readonly refresh_token?: unknown;
}

function parseMembers(bytes: Uint8Array, url: URL): TokenMembers {
  const text = new TextDecoder().decode(bytes);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
    throw new SyntaxError("no object");
  } catch (error) {
    // The start of a body that is no JSON holds no token: one would be inside of JSON.
    const start = quoted(text.trimStart().startsWith("{") ? "{…" : text.slice(0, 50));
    const step = `decoding bearer token (last URL "${redactedUrl(url)}", body start ${start})`;
    throw new Failure("refused", `${step}: no JSON object`, { cause: error });
  }
}

function textOf(members: TokenMembers, name: keyof TokenMembers): string {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  return typeof value === "string" ? value : "";
}
