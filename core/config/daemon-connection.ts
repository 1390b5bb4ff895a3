// Daemon connection: what flags and the environment say about speaking to an engine.

import { join } from "node:path";

import type { Environment } from "../environment.ts";
import { during } from "../failure.ts";
import type { DaemonConnection } from "../image/daemon-connection.ts";
import { readDaemonCertificates, readSystemAuthorities } from "./certificates.ts";

/** What the user says about the engine of one side of an operation. */
export interface DaemonWish {
  /** Where it listens; absent: where `DOCKER_HOST` says, or at the default socket. */
  readonly host?: string;
  /** Absent: certificates are verified. */
  readonly tlsVerify?: boolean;
  /** Has `ca.pem`, `cert.pem` and `key.pem`. */
  readonly certificateDirectory?: string;
}

/** Where engines listen unless somebody says otherwise. */
const defaultDaemonHost = "unix:///var/run/docker.sock";

/**
 * Returns how the engine of one side is to be spoken to.
 *
 * The environment has its say as Docker's own client grants it, but as a whole: whoever names a host is
 * not made to show it the certificate for another. Fails with `config` if certificates cannot be used.
 */
export async function daemonConnection(
  wish: DaemonWish,
  environment: Environment,
): Promise<DaemonConnection> {
  const { host, plainTcp, certificateDirectory } = placeOf(wish, environment);
  const verify = wish.tlsVerify ?? true;
  // Neither is a socket of this machine spoken to by TLS, nor is a plain server.
  const secure = !/^(?:unix|http):/.test(host) && !(plainTcp && host.startsWith("tcp:"));
  const { authorities, client } =
    secure && certificateDirectory !== undefined
      ? await during("initializing docker engine client", () =>
          readDaemonCertificates(certificateDirectory, verify),
        )
      : { authorities: [] };
  const system = secure ? await readSystemAuthorities(environment) : undefined;
  return {
    host,
    plainTcp,
    tls: {
      verify,
      authorities,
      ...(system !== undefined && { system }),
      ...(client !== undefined && { client }),
    },
  };
}

interface DaemonPlace {
  readonly host: string;
  readonly plainTcp: boolean;
  readonly certificateDirectory?: string | undefined;
}

function placeOf(wish: DaemonWish, { variables, home }: Environment): DaemonPlace {
  const { certificateDirectory } = wish;
  const named = variables["DOCKER_HOST"] ?? "";
  if (wish.host !== undefined || named === "") {
    return { host: wish.host ?? defaultDaemonHost, plainTcp: false, certificateDirectory };
  }
  const path = variables["DOCKER_CERT_PATH"] ?? "";
  const asked = (variables["DOCKER_TLS_VERIFY"] ?? "") !== "";
  const usual = path !== "" ? path : asked ? join(home, ".docker") : undefined;
  const directory = certificateDirectory ?? usual;
  const plainTcp = directory === undefined && wish.tlsVerify !== true;
  return { host: named, plainTcp, certificateDirectory: directory };
}
