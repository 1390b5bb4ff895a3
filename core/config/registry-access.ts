// Registry access: what flags, files and the environment say about speaking to registries.

import type { Environment } from "../environment.ts";
import type { ProxySettings } from "../http.ts";
import type { Credentials, RegistryAccess, RegistryConnection } from "../image/registry-access.ts";
import {
  certificateDirectories,
  type Certificates,
  readCertificates,
  readSystemAuthorities,
} from "./certificates.ts";

/** What the user says about all registries of one side of an operation. */
export interface AccessWish {
  readonly credentials: Credentials;
  /** Absent: certificates are verified. */
  readonly tlsVerify?: boolean;
  /** The only directory to look for certificates in; absent: the usual ones are searched. */
  readonly certificateDirectory?: string;
}

/** Returns the answers for one side of an operation. Nothing is read before it is asked. */
export function registryAccess(wish: AccessWish, environment: Environment): RegistryAccess {
  return {
    proxies: proxiesIn(environment),
    async connectionTo(host): Promise<RegistryConnection> {
      const { authorities, client } = await certificatesFor(host, wish, environment);
      const system = await readSystemAuthorities(environment);
      const verify = wish.tlsVerify ?? true;
      return {
        insecure: !verify,
        credentials: wish.credentials,
        tls: {
          verify,
          authorities: [...authorities, ...(system === undefined ? [] : [system])],
          ...(client !== undefined && { client }),
        },
      };
    },
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
