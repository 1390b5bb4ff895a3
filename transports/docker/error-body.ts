// ErrorBody: what registries say when they refuse, as they say it.

import { type Digest, isDigest } from "../../core/content/digest.ts";

/** What codes mean where a registry adds no words of its own. */
const defaultTexts = {
  BLOB_UNKNOWN: "blob unknown to registry",
  BLOB_UPLOAD_INVALID: "blob upload invalid",
  BLOB_UPLOAD_UNKNOWN: "blob upload unknown to registry",
  DENIED: "requested access to the resource is denied",
  DIGEST_INVALID: "provided digest did not match uploaded content",
  MANIFEST_BLOB_UNKNOWN: "blob unknown to registry",
  MANIFEST_INVALID: "manifest invalid",
  MANIFEST_UNKNOWN: "manifest unknown",
  MANIFEST_UNVERIFIED: "manifest failed signature verification",
  NAME_INVALID: "invalid repository name",
  NAME_UNKNOWN: "repository name not known to registry",
  PAGINATION_NUMBER_INVALID: "invalid number of results requested",
  RANGE_INVALID: "invalid content range",
  SIZE_INVALID: "provided length did not match content length",
  TAG_INVALID: "manifest tag did not match URI",
  TOOMANYREQUESTS: "too many requests",
  UNAUTHORIZED: "authentication required",
  UNAVAILABLE: "service unavailable",
  UNKNOWN: "unknown error",
  UNSUPPORTED: "The operation is unsupported.",
} as const;

/** The codes that registries have in common. */
export type RegistryErrorCode = keyof typeof defaultTexts;

/** One error of the list that a registry answers with. */
export interface RegistryError {
  /** `UNKNOWN` for a code that is not known here. */
  readonly code: RegistryErrorCode;
  /** In the registry's words, or the code's default, or empty. */
  readonly message: string;
  /** Undefined if the registry gave none. */
  readonly detail: unknown;
}

/** Parses the body of a refusal. Returns undefined if it is none that registries agreed on. */
export function parseErrors(status: number, body: string): readonly RegistryError[] | undefined {
  const value = parseObject(body);
  const details = value?.["details"];
  if (typeof details === "string")
    return [{ code: codeOf(status), message: details, detail: undefined }];
  const errors = value?.["errors"];
  if (!Array.isArray(errors) || errors.length === 0) return undefined;
  return errors.every(isObject) ? errors.map(parseError) : undefined;
}

/** Returns an error with the text that its code has by default. */
export function defaultError(code: RegistryErrorCode): RegistryError {
  return { code, message: defaultTexts[code], detail: defaultTexts[code] };
}

/** Returns the text of an error as registries' clients print it. Its words are from outside. */
export function textOf({ code, message, detail }: RegistryError): string {
  const ordinary = message === "" || message === defaultTexts[code];
  if (ordinary && detail === undefined) return spelled(code);
  return message === defaultTexts[code] ? message : `${spelled(code)}: ${message}`;
}

/** Returns the digests of blobs that an error says are missing. */
export function missingIn({ code, detail }: RegistryError): readonly Digest[] {
  if (code !== "BLOB_UNKNOWN" && code !== "MANIFEST_BLOB_UNKNOWN") return [];
  const details: readonly unknown[] = Array.isArray(detail) ? detail : [detail];
  return details
    .map((each) => (isObject(each) ? (each["digest"] ?? each["Digest"]) : each))
    .filter((each) => typeof each === "string")
    .filter(isDigest);
}

function parseError(value: Members): RegistryError {
  const { code, message, detail } = value;
  return {
    code: typeof code === "string" && isKnown(code) ? code : "UNKNOWN",
    message: typeof message === "string" ? message : "",
    detail: detail ?? undefined,
  };
}

function codeOf(status: number): RegistryErrorCode {
  if (status === 401) return "UNAUTHORIZED";
  return status === 429 ? "TOOMANYREQUESTS" : "UNKNOWN";
}

function isKnown(code: string): code is RegistryErrorCode {
  return Object.hasOwn(defaultTexts, code);
}

function spelled(code: RegistryErrorCode): string {
  return code.toLowerCase().replaceAll("_", " ");
}

/** A JSON object, whose members may be anything. */
type Members = { readonly [name: string]: unknown };

function parseObject(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    // Whatever it is instead, the caller shows it.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
