// RegistryFailure: what an answer that is no success means.

import type { Digest } from "../../core/content/digest.ts";
import { asFailure, Failure, type FailureCode } from "../../core/failure.ts";
import { quoted, shown } from "../../core/foreign-text.ts";
import type { HttpResponse } from "../../core/http.ts";
import { limits } from "../../core/limits.ts";
import { isPassingStatus, retryAfterMs } from "../../core/retry.ts";
import { challengeFor, challengesOf } from "./challenge.ts";
import {
  defaultError,
  missingIn,
  parseErrors,
  type RegistryError,
  type RegistryErrorCode,
  textOf,
} from "./error-body.ts";
import { pullLimitIn } from "./pull-limit.ts";
import { ShownSecrets } from "./shown-secrets.ts";

export type { RegistryErrorCode } from "./error-body.ts";

/** An answer that is no success, understood. */
export interface RegistryFailure {
  readonly failure: Failure;
  /** Absent if the registry gave none; `UNKNOWN` if it gave one that registries have not agreed on. */
  readonly code: RegistryErrorCode | undefined;
  /** The digests of blobs that it says it lacks. */
  readonly missing: readonly Digest[];
  readonly status: number;
}

/** What is known about an answer beside itself. */
export interface FailureContext {
  /** What was being done, in lower case; stands before the message. */
  readonly what?: string | undefined;
  /** Whether we came with credentials. */
  readonly known: boolean;
  /** What the answer may quote and we do not; absent: nothing but the query of the address. */
  readonly secrets?: ShownSecrets | undefined;
}

/** Reads an answer to its end and returns what it means. */
export async function readFailure(
  response: HttpResponse,
  { what, known, secrets = new ShownSecrets() }: FailureContext,
): Promise<RegistryFailure> {
  const { status, url } = response;
  const body = secrets.withoutSecrets(await bodyStart(response), url);
  const errors = errorsOf(response, body);
  const [first] = errors;
  const code = first?.code;
  const text =
    first === undefined
      ? unexpected(response, body)
      : // Once more: as JSON, quotes in a secret are spelled otherwise.
        shown(secrets.withoutSecrets(textOf(first), url));
  const waiting = waitingAsked(response) + allowanceTold(response);
  const failure = new Failure(
    failureCode(status, code),
    `${what === undefined ? "" : `${what}: `}${text}${waiting}`,
    { hint: hintFor(response, code, known) },
  );
  return { failure, code, missing: errors.flatMap(missingIn), status };
}

function errorsOf({ status, headers }: HttpResponse, body: string): readonly RegistryError[] {
  if (status < 400 || status >= 500) return [];
  const errors = parseErrors(status, body);
  const refusal = status === 401 ? tokenRefusal(headers) : undefined;
  if (refusal !== undefined) return [refusal, ...(errors ?? [])];
  if (errors === undefined && status === 401) return [defaultError("UNAUTHORIZED")];
  return errors ?? [];
}

/** What a bearer challenge says about the token that was shown. */
function tokenRefusal(headers: Headers): RegistryError | undefined {
  const parameters = challengeFor(challengesOf(headers), "bearer")?.parameters;
  const code = tokenErrors.get(parameters?.get("error") ?? "");
  if (code === undefined) return undefined;
  const message = parameters?.get("error_description") ?? "";
  return message === "" ? defaultError(code) : { code, message, detail: undefined };
}

// See https://www.rfc-editor.org/rfc/rfc6750#section-3.1.
const tokenErrors: ReadonlyMap<string, RegistryErrorCode> = new Map([
  ["invalid_token", "UNAUTHORIZED"],
  ["insufficient_scope", "DENIED"],
]);

function unexpected({ status, statusText }: HttpResponse, body: string): string {
  if (status < 400 || status >= 500) {
    return `received unexpected HTTP status: ${shown(`${status} ${statusText}`.trimEnd())}`;
  }
  const bytes = Buffer.from(body);
  const start = bytes.toString("utf8", 0, shownBytes);
  return `StatusCode: ${status}, ${quoted(bytes.length > shownBytes ? `${start}...` : start)}`;
}

/** How much of a body that nobody understands is shown; as much as the original shows. */
const shownBytes = 50;

function failureCode(status: number, code: RegistryErrorCode | undefined): FailureCode {
  if (isPassingStatus(status) || code === "TOOMANYREQUESTS") return "unavailable";
  if (status === 401 || code === "UNAUTHORIZED" || code === "DENIED") return "unauthorized";
  return code === "MANIFEST_UNKNOWN" ? "not-found" : "refused";
}

/** Says so if the registry asks for more time than anybody waits. */
function waitingAsked({ status, headers }: HttpResponse): string {
  const askedMs = isPassingStatus(status) ? retryAfterMs(headers) : undefined;
  if (askedMs === undefined || askedMs <= limits.retryAfterMs) return "";
  const asked = Math.ceil(askedMs / 1000);
  return ` (it asks to be left alone for ${asked} s, more than the ${limits.retryAfterMs / 1000} s that are waited for)`;
}

/** Says what the registry has told of its limit, where that is why it refuses. */
function allowanceTold({ status, headers }: HttpResponse): string {
  const told = status === 429 ? pullLimitIn(headers) : undefined;
  return told === undefined ? "" : ` (it says that ${told})`;
}

function hintFor(
  { status, headers, url }: HttpResponse,
  code: RegistryErrorCode | undefined,
  known: boolean,
): string | undefined {
  const type = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "text/html") {
    return `the answer is ${type} from ${url.host}: did a proxy or portal answer instead of the registry?`;
  }
  switch (failureCode(status, code)) {
    case "unauthorized":
      return known
        ? "check user name and password, and what they allow"
        : "if the image is not public, log in or give credentials by --creds USERNAME:PASSWORD";
    case "unavailable":
      if (!known && status === 429 && pullLimitIn(headers) !== undefined) {
        return "registries allow more pulls to those they know: log in, or give credentials by --creds USERNAME:PASSWORD";
      }
      return "try again later, or let --retry-times do so";
    default:
      return undefined;
  }
}

/** Reads a body as far as it comes and is looked at: a broken one says something all the same. */
async function bodyStart(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= limits.errorBodyBytes) break;
    }
  } catch (error) {
    if (asFailure(error).code !== "unavailable") throw error;
  }
  return Buffer.concat(chunks).toString("utf8", 0, limits.errorBodyBytes);
}
