// Login file: which file `login` and `logout` change.

import { join } from "node:path";

import type { AuthFileChoice } from "../core/config/auth-file-places.ts";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/failure.ts";
import { maybeToggle, text, type Values } from "./flags/flag.ts";
import type { Log } from "./output/log.ts";

/** What `login` and `logout` have in common. */
export const loginFlags = {
  authFile: text(
    "authfile",
    "path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override",
  ),
  compatAuthFile: text(
    "compat-auth-file",
    "path of a Docker-compatible config file to update instead",
  ),
  tlsVerify: maybeToggle(
    "tls-verify",
    "require HTTPS and verify certificates when accessing the registry",
  ),
};

/** What is said, and where. */
export interface LoginFileCall {
  readonly flags: Pick<Values<typeof loginFlags>, "authFile" | "compatAuthFile">;
  readonly environment: Environment;
  readonly log: Log;
}

/**
 * Returns the file that logins are kept in, by flags and environment. Fails with `usage` if the flags
 * contradict; warns where the file is Docker's, but would not be kept as Docker's.
 */
export function loginFile({ flags, environment, log }: LoginFileCall): AuthFileChoice {
  const { authFile, compatAuthFile } = flags;
  const { variables, home } = environment;
  const dockers = home === "" ? undefined : join(home, ".docker/config.json");
  if (authFile !== "" && compatAuthFile !== "") {
    throw new Failure(
      "usage",
      "options for paths to the credential file and to the Docker-compatible credential file can not be set simultaneously",
    );
  }
  if (authFile !== "") {
    if (authFile === dockers) {
      log.warn(
        "saving credentials to ~/.docker/config.json, but not using Docker-compatible file format",
      );
    }
    return { path: authFile, format: "containers" };
  }
  if (compatAuthFile !== "") return { path: compatAuthFile, format: "docker" };
  const named = variables["REGISTRY_AUTH_FILE"] ?? "";
  if (named !== "") {
    if (named === dockers) {
      log.warn(
        "$REGISTRY_AUTH_FILE points to ~/.docker/config.json, but the file format is not fully compatible; use the Docker-compatible file path option instead",
      );
    }
    return { path: named, format: "containers" };
  }
  const docker = variables["DOCKER_CONFIG"] ?? "";
  return docker === "" ? "usual" : { path: join(docker, "config.json"), format: "docker" };
}
