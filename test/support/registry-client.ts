// Registry client for tests: one for `a/b` in a registry of the test.

import { parseDockerName } from "../../core/content/docker-name.ts";
import type { RegistryClient } from "../../transports/docker/client.ts";
import { connect } from "../../transports/docker/connection.ts";
import { dockerContext, type DockerWish } from "./docker-context.ts";

/** Returns a client that may push to the repository `a/b` of `host`. */
export function clientOf(host: string, wish: DockerWish = {}): Promise<RegistryClient> {
  return connect(parseDockerName(`${host}/a/b`), "pull,push", dockerContext(wish));
}
