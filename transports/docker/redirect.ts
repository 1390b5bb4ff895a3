// Redirects: followed by our own rules.

import { Failure } from "../../core/failure.ts";
import type { HttpMethod, HttpResponse } from "../../core/http.ts";
import { limits } from "../../core/limits.ts";
import { checkAddress, type Guide, sameOrigin } from "./address.ts";

/** One station on the way to an answer. */
export interface Hop {
  readonly url: URL;
  /** Whether the way never left the registry's origin. Only then may secrets be sent. */
  readonly home: boolean;
}

/** An answer, and the station that gave it. */
export interface Arrival {
  readonly response: HttpResponse;
  readonly hop: Hop;
}

/** A request that may be led somewhere else. */
export interface Journey {
  readonly start: Hop;
  readonly guide: Guide;
  /** Which redirects are followed; `redirectsOf` knows. */
  readonly follows: ReadonlySet<number>;
  readonly send: (hop: Hop) => Promise<HttpResponse>;
}

/**
 * Sends a request to wherever its answers lead, until one is no redirect that is followed.
 *
 * Fails with `refused` for addresses we do not follow anybody to, and after `limits.redirects`.
 */
export async function followRedirects(journey: Journey): Promise<Arrival> {
  const { start, guide, follows, send } = journey;
  let hop = start;
  for (let redirects = 0; ; redirects++) {
    const response = await send(hop);
    const url = follows.has(response.status) ? targetOf(response) : undefined;
    if (url === undefined) return { response, hop };
    await response.discard();
    if (redirects === limits.redirects) {
      throw new Failure("refused", `stopped after ${limits.redirects} redirects`);
    }
    checkAddress(url, guide);
    hop = { url, home: hop.home && sameOrigin(url, hop.url) };
  }
}

/**
 * Returns the statuses by which a request may be led elsewhere. What is not safe to repeat as another
 * method keeps its own, and what has a body is not sent to strangers.
 */
export function redirectsOf(method: HttpMethod, hasBody: boolean): ReadonlySet<number> {
  if (method === "GET" || method === "HEAD") return readingRedirects;
  return hasBody ? noRedirects : keepingRedirects;
}

const readingRedirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const keepingRedirects: ReadonlySet<number> = new Set([307, 308]);
const noRedirects: ReadonlySet<number> = new Set();

function targetOf({ headers, url }: HttpResponse): URL | undefined {
  const location = headers.get("location");
  if (location === null) return undefined;
  const target = URL.parse(location, url.href);
  if (target === null) {
    throw new Failure("refused", `the redirect from ${url.host} leads to no URL`);
  }
  target.username = target.password = "";
  return target;
}
