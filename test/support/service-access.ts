// Service access: what small servers of a test are asked with.

import { openHttp } from "../../core/http.ts";
import { Patience } from "../../core/retry.ts";
import type { ServiceAccess } from "../../core/trust/sigstore/service.ts";

/** Lends it for some work; no pause takes any time. */
export async function withService<T>(work: (access: ServiceAccess) => Promise<T>): Promise<T> {
  const tls = { verify: true, authorities: [] };
  await using http = await openHttp({ tls, proxies: {} });
  return await work({
    http,
    userAgent: "test",
    patience: new Patience({ sleep: async () => {} }),
    signal: new AbortController().signal,
    debug() {},
  });
}
