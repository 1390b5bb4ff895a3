// Registry access: what flags, files and the environment say about speaking to registries.

import { type DockerName, fullRepository } from "../content/docker-name.ts";
import type { Environment } from "../environment.ts";
import { during } from "../failure.ts";
import type { ProxySettings } from "../http.ts";
import type {
  Credentials,
  PullSource,
  RegistryAccess,
  RegistryConnection,
} from "../image/registry-access.ts";
import type { AuthFileChoice } from "./auth-file-places.ts";
import { keyOfRepository } from "./auth-key.ts";
import { certificateDirectories, type Certificates, readCertificates } from "./certificates.ts";
import type { CredentialFinder } from "./credentials.ts";
import { defaultLookaside, signatureStorageFor } from "./registries-d.ts";
import type { RegistryFiles } from "./registry-files.ts";
import { checkNotBlocked, entryFor, placesOf } from "./registry-lookup.ts";

/** What the user says about all registries of one side of an operation. */
export interface AccessWish {
  readonly credentials: Credentials | CredentialSearch;
  /**
   * Finds those for mirrors on other hosts, where `credentials` are for the host that the user named.
   * Absent: nobody is known there.
   */
  readonly mirrorCredentials?: CredentialSearch;
  /** Absent: registries.conf says whether certificates are verified. */
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
export function registryAccess(
  wish: AccessWish,
  environment: Environment,
  files: RegistryFiles,
): RegistryAccess {
  /** Read once for each host: hundreds of images may be in one registry. */
  const known = new Map<string, Promise<Certificates>>();
  const certificates = (host: string): Promise<Certificates> => {
    const found = known.get(host) ?? certificatesFor(host, wish, environment);
    known.set(host, found);
    return found;
  };
  const connect = async (place: Place): Promise<RegistryConnection> => {
    const verify = wish.tlsVerify ?? !place.insecure;
    // A file that is broken is to be heard of before it matters.
    await files.signatures();
    const { authorities, client } = await certificates(place.host);
    const system = await files.systemAuthorities();
    const protocol = await files.tlsProtocol();
    return {
      insecure: !verify,
      ...(await credentialsFor(place)),
      tls: {
        verify,
        authorities,
        ...(system !== undefined && { system }),
        ...(client !== undefined && { client }),
        ...(protocol !== undefined && { protocol }),
      },
    };
  };
  return {
    proxies: proxiesIn(environment),
    async signatureStorage(name) {
      const lookaside = defaultLookaside(environment);
      const said = signatureStorageFor(await files.signatures(), name);
      return { ...(lookaside !== undefined && { lookaside }), ...said };
    },
    async connectionTo(host, repository) {
      const conf = await files.conf();
      const entry = entryFor(conf, repository === "" ? host : `${host}/${repository}`);
      checkNotBlocked(entry, conf.files);
      const insecure = entry?.insecure ?? false;
      return connect({ host, repository, insecure, credentials: wish.credentials });
    },
    async pullSources(name) {
      const conf = await during("loading registries configuration", () => files.conf());
      return placesOf(conf, name).map(({ name: place, insecure }): PullSource => ({
        name: place,
        connection: async () => {
          checkNotBlocked(entryFor(conf, fullRepository(place)), conf.files);
          const credentials = credentialsAt(place, name, wish);
          return connect({ ...place, insecure, credentials });
        },
      }));
    },
  };
}

/** Where somebody connects to, and as who. */
interface Place {
  readonly host: string;
  readonly repository: string;
  /** What registries.conf says. */
  readonly insecure: boolean;
  readonly credentials: Credentials | CredentialSearch;
}

/** What was said on the command line is meant for the host that was named there, and for no other. */
function credentialsAt(
  place: DockerName,
  name: DockerName,
  wish: AccessWish,
): AccessWish["credentials"] {
  const { credentials, mirrorCredentials } = wish;
  if (place.host === name.host) return credentials;
  switch (credentials.kind) {
    case "search":
    case "anonymous":
      return credentials;
    case "basic":
    case "identity":
    case "token":
      return mirrorCredentials ?? { kind: "anonymous" };
  }
}

async function credentialsFor({
  host,
  repository,
  credentials: wish,
}: Place): Promise<Pick<RegistryConnection, "credentials" | "renewCredentials">> {
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
