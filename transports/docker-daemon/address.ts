// Address: where an engine listens, as its clients write it.

import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { DaemonConnection } from "../../core/image/daemon-connection.ts";

/** Where requests to an engine go. */
export interface EngineAddress {
  /** Below which the paths of requests begin. */
  readonly base: URL;
  /** The path of the engine's socket, if it listens on one. */
  readonly unix?: string;
}

/** The ports that Docker's clients take for granted. */
const usualPorts = { "https:": "2376", "http:": "2375" };

/** Parses a host such as `unix:///run/docker.sock` or `tcp://engine:2376`. Fails with `usage`. */
export function parseAddress({ host, plainTcp }: Omit<DaemonConnection, "tls">): EngineAddress {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/.exec(host);
  const [, scheme = "", rest = ""] = match ?? [];
  switch (scheme) {
    case "unix":
      return { base: new URL("http://docker/"), unix: rest };
    case "tcp":
      return { base: serverAt(plainTcp ? "http:" : "https:", rest, host) };
    case "https":
    case "http":
      return { base: new URL(serverAt(`${scheme}:`, rest, host)) };
    case "":
      throw invalid(`unable to parse docker host \`${host}\``);
    default:
      throw invalid(
        `there is no way to docker host ${quoted(host)}`,
        scheme === "ssh"
          ? "bring its socket here by `ssh -L SOCKET:/var/run/docker.sock HOST`, and name unix://SOCKET"
          : undefined,
      );
  }
}

function serverAt(scheme: "http:" | "https:", rest: string, host: string): URL {
  const url = URL.parse(`${scheme}//${rest}`);
  const plain = url !== null && url.search === "" && url.hash === "" && url.username === "";
  if (!plain) throw invalid(`unable to parse docker host \`${host}\``);
  // Where a port is left out, it is the engine's and not that of the web.
  if (!/:[0-9]+(?:\/|$)/.test(rest)) url.port = usualPorts[scheme];
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function invalid(what: string, hint?: string): Failure {
  return new Failure("usage", `initializing docker engine client: ${what}`, {
    hint: hint ?? "write unix:///PATH, tcp://HOST:PORT, https://HOST:PORT or http://HOST:PORT",
  });
}
