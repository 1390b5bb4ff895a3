// Connection: the client for one repository, as the program's settings want it.

import type { DockerName } from "../../core/content/docker-name.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { RegistryClient } from "./client.ts";

/** What is to be done in the repository, in the words of token scopes. */
export type RepositoryActions = "pull" | "pull,push" | "*";

/**
 * Returns a client for the repository of `name`. Nothing is sent before its first request.
 *
 * All that the client does ends with `signal`; absent, with that of the context.
 */
export async function connect(
  name: DockerName,
  actions: RepositoryActions,
  context: TransportContext,
  signal: AbortSignal = context.signal,
): Promise<RegistryClient> {
  const { access, userAgent, patience } = context.settings.docker;
  const { host, repository } = name;
  return new RegistryClient({
    host,
    repository,
    actions,
    connection: await access.connectionTo(host, repository),
    proxies: access.proxies,
    userAgent,
    signal,
    log: context.log,
    patience,
  });
}
