// RegistryAccess: what the docker transport asks about a registry before it speaks to it.

import type { ProxySettings, TlsSettings } from "../http.ts";

/** What somebody is known by to a registry. */
export type Credentials =
  | { readonly kind: "anonymous" }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** A bearer token, used verbatim and never refreshed. */
  | { readonly kind: "token"; readonly token: string };

/** How one registry is to be spoken to. */
export interface RegistryConnection {
  /** Plain HTTP and unverified certificates are allowed if set. */
  readonly insecure: boolean;
  readonly tls: TlsSettings;
  readonly credentials: Credentials;
}

/** Answers for each registry; asked once per client. Fails with `config`. */
export interface RegistryAccess {
  /** `host` is the registry's domain with its port, `repository` the full name below it. */
  connectionTo(host: string, repository: string): Promise<RegistryConnection>;
  readonly proxies: ProxySettings;
}
