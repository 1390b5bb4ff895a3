// HttpResponse as a test makes it.

import type { HttpResponse } from "../../core/http.ts";

/** Returns an answer that did not come over a wire. */
export function httpResponse(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | AsyncIterable<Uint8Array> = "",
): HttpResponse & { readonly discarded: boolean } {
  let discarded = false;
  async function* bytes() {
    if (typeof body === "string") yield Buffer.from(body);
    else yield* body;
  }
  return {
    status,
    statusText: statusTexts[status] ?? "",
    headers: new Headers(headers),
    url: new URL("https://registry.example/v2/"),
    body: bytes(),
    async discard() {
      discarded = true;
    },
    get discarded() {
      return discarded;
    },
  };
}

const statusTexts: Readonly<Record<number, string>> = {
  200: "OK",
  304: "Not Modified",
  500: "Internal Server Error",
  503: "Service Unavailable",
};
