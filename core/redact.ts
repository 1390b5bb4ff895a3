// Redaction: addresses without the secrets they carry.

import { shown } from "./foreign-text.ts";

/**
 * Returns a URL as it may be shown: without user information and fragment, and with every value of
 * its query replaced. Signed addresses and upload sessions are secrets by their query.
 */
export function redactedUrl(url: URL): string {
  if (url.search === "") return shown(url.origin + url.pathname);
  const names = [...new Set(url.searchParams.keys())];
  const query = names.map((name) => `${encodeURIComponent(name)}=***`).join("&");
  return shown(`${url.origin}${url.pathname}${query === "" ? "" : `?${query}`}`);
}
