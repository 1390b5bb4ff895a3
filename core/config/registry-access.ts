// Registry access: what flags, files and the environment say about speaking to registries.

import type { Environment } from "../environment.ts";
import { during } from "../failure.ts";
import type { ProxySettings } from "../http.ts";
import type { Credentials, RegistryAccess, RegistryConnection } from "../image/registry-access.ts";
import type { AuthFileChoice } from "./auth-file-places.ts";
import { keyOfRepository } from "./auth-key.ts";
import {
  certificateDirectories,
  type Certificates,
  readCertificates,
  readSystemAuthorities,
} from "./certificates.ts";
import type { CredentialFinder } from "./credentials.ts";

/** What the user says about all registries of one side of an operation. */
export interface AccessWish {
  readonly credentials: Credentials | CredentialSearch;
  /** Absent: certificates are verified. */
  readonly tlsVerify?: boolean;
  /** The only directory to look for certificates in; absent: the usual ones are searched. */
  readonly certificateDirectory?: string;
}

/** Who looks for credentials, and in which files, for those who do not say who they are. */
export interface CredentialSearch {
  readonly kind: "search";
  readonly finder: CredentialFinder;
  readonly authFile: AuthFileChoice;
}

/** Returns the answers for one side of an operation. Nothing is read before it is asked. */
export function registryAccess(wish: AccessWish, environment: Environment): RegistryAccess {
  return {
    proxies: proxiesIn(environment),
    async connectionTo(host, repository): Promise<RegistryConnection> {
      const known = await credentialsFor(host, repository, wish);
      const { authorities, client } = await certificatesFor(host, wish, environment);
      const system = await readSystemAuthorities(environment);
      const verify = wish.tlsVerify ?? true;
      return {
        insecure: !verify,
        ...known,
        tls: {
          verify,
          authorities: [...authorities, ...(system === undefined ? [] : [system])],
          ...(client !== undefined && { client }),
        },
      };
    },
  };
}

async function credentialsFor(
  host: string,
  repository: string,
  { credentials: wish }: AccessWish,
): Promise<Pick<RegistryConnection, "credentials" | "renewCredentials">> {
  if (wish.kind !== "search") return { credentials: wish };
  const { finder, authFile } = wish;
  const key = keyOfRepository(host, repository);
  const found = await during("getting username and password", () => finder.find(key, authFile));
  if (found === undefined) return { credentials: { kind: "anonymous" } };
  return {
    credentials: found,
    renewCredentials: (refused) => finder.renew(key, authFile, refused),
  };
}

async function certificatesFor(
  host: string,
  { certificateDirectory }: AccessWish,
  environment: Environment,
): Promise<Certificates> {
  const directories =
    certificateDirectory === undefined
      ? certificateDirectories(host, environment)
      : [certificateDirectory];
  for (const directory of directories) {
    const certificates = await readCertificates(directory);
    if (certificates !== undefined) return certificates;
  }
  return { authorities: [] };
}

/** Returns the proxies that the environment names, in either spelling. */
export function proxiesIn({ variables }: Environment): ProxySettings {
  const either = (name: string) => variables[name] || variables[name.toLowerCase()] || undefined;
  // In a CGI program HTTP_PROXY is a header that the client has sent.
  const cgi = (variables["REQUEST_METHOD"] ?? "") !== "";
  const http = cgi ? undefined : either("HTTP_PROXY");
  const https = either("HTTPS_PROXY");
  const except = either("NO_PROXY");
  return {
    ...(http !== undefined && { http }),
    ...(https !== undefined && { https }),
    ...(except !== undefined && { except }),
  };
}
