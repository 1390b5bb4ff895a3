// Connection: the client for one repository, as the program's settings want it.

import type { DockerName } from "../../core/content/docker-name.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { RegistryClient } from "./client.ts";
import { Registry, type RegistryOptions } from "./registry.ts";

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
  const { access, userAgent, patience, shared, times } = context.settings.docker;
  const { host, repository } = name;
  const connection = await access.connectionTo(host, repository);
  const options = {
    host,
    connection,
    proxies: access.proxies,
    userAgent,
    log: context.log,
    ...(times !== undefined && { times }),
  };
  const registry = shared && sharedRegistry(shared, options);
  return new RegistryClient({ ...options, repository, actions, signal, patience, registry });
}

function sharedRegistry(shared: AsyncDisposable[], options: RegistryOptions): Registry {
  const suitable = (each: AsyncDisposable): each is Registry =>
    each instanceof Registry && each.suits(options);
  const known = shared.find(suitable);
  if (known !== undefined) return known;
  const registry = new Registry(options);
  shared.push(registry);
  return registry;
}
