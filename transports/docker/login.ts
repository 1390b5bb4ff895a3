// Login: whether a registry takes somebody's credentials.

import { during } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { RegistryClient } from "./client.ts";
import { RefusedCredentials } from "./token.ts";

/**
 * Tells whether the registry at `host` takes the credentials that the context has for it. Nothing is
 * wanted but to be let in.
 */
export async function verifyLogin(host: string, context: TransportContext): Promise<boolean> {
  const { access, userAgent, patience } = context.settings.docker;
  const { signal, log } = context;
  const connection = await during("creating new docker client", () =>
    access.connectionTo(host, ""),
  );
  const options = { host, connection, proxies: access.proxies, userAgent, log };
  await using client = new RegistryClient({ ...options, repository: "", signal, patience });
  try {
    const response = await client.request({ method: "GET", target: "/v2/" });
    if (response.status === 200 || response.status === 401) {
      await response.discard();
      return response.status === 200;
    }
    throw (await client.failure(response)).failure;
  } catch (error) {
    if (error instanceof RefusedCredentials) return false;
    throw error;
  }
}
