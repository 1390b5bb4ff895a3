// HTTP: the only place that speaks it.

import type { ByteStream } from "./blob/stream.ts";

/** Which certificates are believed, and which are shown. All PEM texts. */
export interface TlsSettings {
  /** Whether the server's certificate is checked. */
  readonly verify: boolean;
  /** Certificate authorities believed in addition to those of the system. */
  readonly authorities: readonly string[];
  readonly client?: { readonly certificate: string; readonly key: string };
}

/** Proxies as the environment names them. */
export interface ProxySettings {
  readonly http?: string;
  readonly https?: string;
  /** As in NO_PROXY. */
  readonly except?: string;
}
