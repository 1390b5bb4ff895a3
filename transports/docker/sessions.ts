// Sessions: who is spoken to with which TLS settings.

import { type HttpOptions, type HttpSession, openHttp, type TlsSettings } from "../../core/http.ts";

/** Whom a request goes to. */
export type Audience =
  | "registry" // Shown our client certificate.
  | "elsewhere" // Where the registry led us: the same trust, but no certificate of ours.
  | "token-service" // A server of its own: always verified, and no certificate of ours.
  | "beside"; // Likewise: a server for signatures.

/** The connections of one client, opened when they are first needed. */
export class Sessions implements AsyncDisposable {
  readonly #options: HttpOptions;
  readonly #open = new Map<Audience, Promise<HttpSession>>();

  /** `options` are those for the registry itself. */
  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Returns the session for an audience. Fails with `config` if its certificates cannot be used. */
  to(audience: Audience): Promise<HttpSession> {
    const session =
      this.#open.get(audience) ??
      openHttp({ ...this.#options, tls: tlsFor(audience, this.#options.tls) });
    this.#open.set(audience, session);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of await Promise.allSettled(this.#open.values())) {
      if (session.status === "fulfilled") await session.value[Symbol.asyncDispose]();
    }
  }
}

function tlsFor(audience: Audience, { client, ...tls }: TlsSettings): TlsSettings {
  switch (audience) {
    case "registry":
      return client === undefined ? tls : { ...tls, client };
    case "elsewhere":
      return tls;
    case "token-service":
    case "beside":
      return { ...tls, verify: true };
  }
}
