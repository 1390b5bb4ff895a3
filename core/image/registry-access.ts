// RegistryAccess: what the docker transport asks about a registry before it speaks to it.

import type { DockerName } from "../content/docker-name.ts";
import type { ProxySettings, TlsSettings } from "../http.ts";

/** What somebody is known by to a registry. */
export type Credentials =
  | { readonly kind: "anonymous" }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** A bearer token, used verbatim and never refreshed. */
  | { readonly kind: "token"; readonly token: string }
  /** What bearer tokens are made from, and the name and password that came with it, perhaps empty. */
  | {
      readonly kind: "identity";
      readonly token: IdentityToken;
      readonly username: string;
      readonly password: string;
    };

/**
 * A token that others are made from. Services may replace it whenever it is used, so that all who use it
 * share one.
 */
export class IdentityToken {
  #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The token as it is now. */
  get value(): string {
    return this.#value;
  }

  /** Takes the token that a service gave in place of this one. */
  replace(value: string): void {
    this.#value = value;
  }
}

/** How one registry is to be spoken to. */
export interface RegistryConnection {
  /** Plain HTTP and unverified certificates are allowed if set. */
  readonly insecure: boolean;
  readonly tls: TlsSettings;
  readonly credentials: Credentials;
  /**
   * Looks for credentials that took the place of `refused`, which the registry does not take any more;
   * undefined if there are none. Absent where they can be no others.
   */
  readonly renewCredentials?: (refused: Credentials) => Promise<Credentials | undefined>;
}

/** A place that an image may be read from. */
export interface PullSource {
  /** What the image is called there. Nothing but requests may rest on this name. */
  readonly name: DockerName;
  /** Returns how the registry there is spoken to. Fails with `refused` if it is blocked. */
  connection(): Promise<RegistryConnection>;
}

/** What is said about signatures in one place. What is absent is left to a wider place. */
export interface SignatureStorage {
  /** Where signatures are read from, as a URL. */
  readonly lookaside?: string;
  /** Where they are written to, if that is somewhere else. */
  readonly lookasideStaging?: string;
  /** Whether those of sigstore are kept as images beside the image. */
  readonly sigstoreAttachments?: boolean;
}

/** Answers for each registry; asked once per client. Fails with `config`. */
export interface RegistryAccess {
  /**
   * Returns how a registry is spoken to, where no mirror will do: `host` is its domain with its port,
   * `repository` the full name below it. Fails with `refused` if it is blocked.
   */
  connectionTo(host: string, repository: string): Promise<RegistryConnection>;
  /** Returns where to read an image from, in the order to try; the last is the one that it is named for. */
  pullSources(name: DockerName): Promise<readonly PullSource[]>;
  /** Returns where signatures of images in a repository are kept, as registries.d says. */
  signatureStorage(name: DockerName): Promise<SignatureStorage>;
  readonly proxies: ProxySettings;
}
