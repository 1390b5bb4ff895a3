// DaemonConnection: what the docker-daemon transport asks before it speaks to an engine.

import type { TlsSettings } from "../http.ts";

/** Where an engine listens, and how it is to be spoken to. */
export interface DaemonConnection {
  /** As the user wrote it, such as `unix:///var/run/docker.sock` or `tcp://engine:2376`. */
  readonly host: string;
  /** Whether `tcp:` stands for plain HTTP, rather than for TLS. */
  readonly plainTcp: boolean;
  readonly tls: TlsSettings;
}
