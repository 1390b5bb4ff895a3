// Content: what an answer holds, once its wrapping is known.

import { decompressed } from "../../core/blob/decompress.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { RegistryResponse } from "./client.ts";

/** How a server wrapped what it was asked for, although it was asked not to. */
export type Wrapping = "none" | "gzip" | "zstd";

/**
 * Tells how the content of an answer is wrapped.
 *
 * A body that is as long as the content was promised to be is the content: object stores keep
 * `Content-Encoding: gzip` with layers that are gzip files themselves. Fails with `unsupported` if the
 * encoding is not known, and with `refused` if a web page came in place of the content.
 */
export function wrappingOf(response: RegistryResponse, promisedBytes?: number): Wrapping {
  const { headers } = response;
  const length = headers.get("content-length");
  if (promisedBytes !== undefined && length === String(promisedBytes)) return "none";
  refuseWebPage(response);
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  switch (encoding) {
    case "":
    case "identity":
      return "none";
    case "gzip":
    case "x-gzip":
      return "gzip";
    case "zstd":
      return "zstd";
  }
  throw new Failure(
    "unsupported",
    `${response.url.host} answered with content encoding ${quoted(encoding)}, which it was not asked for`,
  );
}

/** Returns the content of an answer that is wrapped so. */
export function unwrapped(response: RegistryResponse, wrapping: Wrapping): ByteStream {
  return decompressed(wrapping)(response.body);
}

function refuseWebPage({ headers, url }: RegistryResponse): void {
  const type = headers.get("content-type") ?? "";
  if (!/^\s*(text\/html|application\/xhtml\+xml)\b/i.test(type)) return;
  throw new Failure(
    "refused",
    `${url.host} answered with a web page (content type ${quoted(type)}) instead of the content`,
    { hint: "a proxy or portal answered? open the address in a browser from here" },
  );
}
