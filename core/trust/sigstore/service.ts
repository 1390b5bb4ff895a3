// Service: a server of sigstore's kind, asked by JSON or forms over HTTP.

import { collect } from "../../blob/collect.ts";
import { asFailure, Failure } from "../../failure.ts";
import { quoted, shown } from "../../foreign-text.ts";
import type { HttpMethod, HttpResponse, HttpSession } from "../../http.ts";
import { type Json, parseForeignJson } from "../../json.ts";
import { limits } from "../../limits.ts";
import { redactedUrl } from "../../redact.ts";
import { isPassingFailure, isPassingStatus, type Patience, retryAfterMs } from "../../retry.ts";

/** What servers are asked with. */
export interface ServiceAccess {
  readonly http: HttpSession;
  readonly userAgent: string;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  debug(message: string): void;
}

/** What is asked of a server. */
export interface ServiceRequest {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly mediaType: string; readonly text: string };
}

/** What a server has answered; nothing of it is believed. */
export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** Parses the address of a server. Fails with `config` if it is none of HTTP. */
export function parseServiceUrl(text: string, what: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw new Failure("config", `${what} ${quoted(text)} is no address of http or https`);
}

/** Returns the address of something below a server's own. */
export function below(server: URL, path: string): URL {
  const url = new URL(server);
  url.pathname = `${url.pathname.replace(/\/$/, "")}${path}`;
  return url;
}

/**
 * Asks a server, and asks again what may pass. No redirect is followed: what is sent is meant for this
 * server alone. Fails with `unavailable` if there is no answer.
 */
export async function ask(request: ServiceRequest, access: ServiceAccess): Promise<ServiceAnswer> {
  const { patience, signal } = access;
  for (let attempts = 1; ; attempts++) {
    try {
      const response = await send(request, access);
      const { status, headers } = response;
      const bytes = await collect(response.body, limits.serviceBytes);
      const pause = { askedMs: retryAfterMs(headers), signal };
      if (isPassingStatus(status) && (await patience.pause(attempts, pause))) continue;
      return { status, headers, bytes };
    } catch (error) {
      const passing = !signal.aborted && isPassingFailure(asFailure(error));
      if (!passing || !(await patience.pause(attempts, { signal }))) throw error;
    }
  }
}

function send(request: ServiceRequest, access: ServiceAccess): Promise<HttpResponse> {
  const { method, url, headers, body } = request;
  const { http, userAgent, signal } = access;
  access.debug(`${method} ${redactedUrl(url)}`);
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body.text);
  return http.send({
    method,
    url,
    signal,
    headers: {
      "User-Agent": userAgent,
      ...(body !== undefined && { "Content-Type": body.mediaType }),
      ...headers,
    },
    ...(bytes !== undefined && { body: { bytes: once(bytes), size: bytes.length } }),
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Returns the JSON of an answer. Fails with `refused` if it has none. */
export function jsonOf({ bytes }: ServiceAnswer, url: URL): Json {
  try {
    return parseForeignJson(bytes);
  } catch (error) {
    throw new Failure("refused", `${url.host} answered something else than JSON`, { cause: error });
  }
}

/**
 * Returns the failure of an answer that nobody wanted. `secrets` are what was shown to the server: some quote
 * what they refuse.
 */
export function unwanted(
  answer: ServiceAnswer,
  url: URL,
  secrets: readonly string[] = [],
): Failure {
  const { status, bytes } = answer;
  const text = secrets.reduce(
    (rest, secret) => rest.replaceAll(secret, "***"),
    new TextDecoder().decode(bytes),
  );
  const said = shown(text.slice(0, limits.shownCharacters).trim());
  const code = isPassingStatus(status) ? "unavailable" : "refused";
  const what = said === "" ? "" : `: ${said}`;
  return new Failure(code, `unexpected HTTP status ${status} from ${redactedUrl(url)}${what}`);
}
