// Ping: whether there is a registry, and by which scheme it is spoken to.

import { isHost } from "../../core/content/docker-name.ts";
import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { HttpResponse } from "../../core/http.ts";
import { limits } from "../../core/limits.ts";

/** The answer to a ping. */
export interface Pong {
  /** The root of the registry, with the scheme it answered to. */
  readonly root: URL;
  readonly response: HttpResponse;
}

/** How a registry is pinged. */
export interface PingOptions {
  /** The registry's domain, and perhaps its port. */
  readonly host: string;
  /** Whether plain http may be spoken. */
  readonly insecure: boolean;
  /** Asks the registry at a root. */
  readonly send: (root: URL, signal: AbortSignal) => Promise<HttpResponse>;
}

/** Tells whether an answer is one of a registry, be it one that wants to know who asks. */
export function isPong({ response }: { readonly response: HttpResponse }): boolean {
  return response.status === 200 || response.status === 401;
}

/**
 * Asks once for a registry: by https and, where that is allowed and https brings none, by http. Fails
 * as the last way did, and with `usage` where nothing can have such an address; an answer that is none of
 * a registry is returned as it is.
 */
export async function pingOnce(options: PingOptions): Promise<Pong> {
  const secureStop = new AbortController();
  if (!options.insecure) return ask(options, "https", secureStop);
  const named = rootOf("https", options.host).port !== "";
  const secure = ask(options, "https", secureStop).then(expectRegistry);
  // A port that was named speaks one of the two, so whoever answers first is right. Otherwise each
  // scheme has a port of its own, and https is waited for to its end.
  const settled = await settlesWithin(secure, named ? limits.headStartMs : undefined);
  if (settled === "well") return secure;

  const plainStop = new AbortController();
  const plain = ask(options, "http", plainStop);
  if (settled === "badly") return plain;
  try {
    const first = await Promise.any([secure, plain.then(expectRegistry)]);
    const loser = first.root.protocol === "http:" ? secureStop : plainStop;
    loser.abort();
    return first;
  } catch (error) {
    if (error instanceof AggregateError) return plain;
    throw error;
  }
}

async function ask(options: PingOptions, scheme: string, stop: AbortController): Promise<Pong> {
  const root = rootOf(scheme, options.host);
  return { root, response: await options.send(root, stop.signal) };
}

/** Names of images allow more than addresses do: any number as a port, and four numbers that are no IP. */
function rootOf(scheme: string, host: string): URL {
  const root = URL.parse(`${scheme}://${host}/`);
  // Parsing alone would leave out line breaks and decode the rest: that is another host.
  if (root !== null && isHost(host) && root.href === `${root.origin}/`) return root;
  throw new Failure("usage", `${quoted(host)} is not the address of a registry`, {
    hint: "write HOST or HOST:PORT, with a port of at most 65535",
  });
}

async function expectRegistry(pong: Pong): Promise<Pong> {
  if (isPong(pong)) return pong;
  throw new Error(`HTTP status ${pong.response.status}`);
}

/** Tells how `work` ends, or that it has not ended in time. Without `ms` there is all the time. */
async function settlesWithin(
  work: Promise<unknown>,
  ms: number | undefined,
): Promise<"well" | "badly" | "late"> {
  const late = Promise.withResolvers<"late">();
  const timer = ms === undefined ? undefined : setTimeout(late.resolve, ms, "late" as const);
  const settled = work.then(
    () => "well" as const,
    () => "badly" as const,
  );
  try {
    return await Promise.race([settled, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
