// Peers: real programs of others that tests run against, on loopback, ended by their handle.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TlsCertificate } from "./tls-certificate.ts";
import { tokenIssuer, tokenService } from "./token-server.ts";

/** How a registry is to be set up; plain and open to everybody unless something else is said. */
export interface PeerRegistryOptions {
  /** An empty directory for its files. */
  readonly directory: string;
  readonly tls?: TlsCertificate;
  /** The path of the authority whose certificates clients have to show. */
  readonly clientAuthority?: string;
  /** The oldest version of TLS that is spoken. */
  readonly minimumTls?: "tls1.2" | "tls1.3";
  readonly basic?: { readonly username: string; readonly password: string };
  readonly token?: { readonly realm: string; readonly certificate: string };
  /** Whether it takes schema 1 manifests, whose signatures it verifies; absent: it does not. */
  readonly schema1?: boolean;
}

/** Debian's docker-registry on a port of its own, until it is disposed of. */
export interface PeerRegistry extends AsyncDisposable {
  /** Such as `127.0.0.1:40001`. */
  readonly host: string;
  /** Everything it has logged so far, one request a line. */
  log(): string;
}

/** The program that `startPeerRegistry` starts; tests that do ask for it with `testWith`. */
export const registryProgram = "docker-registry";

/** Starts a registry, and waits until it listens. Deleting is allowed. */
export async function startPeerRegistry(options: PeerRegistryOptions): Promise<PeerRegistry> {
  const { directory } = options;
  mkdirSync(directory, { recursive: true });
  const config = join(directory, "config.yml");
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(await configOf(options)));
  const child = Bun.spawn([registryProgram, "serve", config], {
    cwd: directory,
    env: { PATH: "/usr/bin:/bin", OTEL_TRACES_EXPORTER: "none" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  let log = "";
  const listening = Promise.withResolvers<string>();
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const bytes of child.stderr) {
      log += decoder.decode(bytes, { stream: true });
      const host = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1];
      if (host !== undefined) listening.resolve(host);
    }
    listening.reject(new Error(`docker-registry did not start:\n${log}`));
  };
  const reading = read();
  return {
    host: await listening.promise,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await reading;
    },
  };
}

async function configOf(options: PeerRegistryOptions): Promise<object> {
  const { directory, schema1 = false, tls, basic, token } = options;
  const users = join(directory, "htpasswd");
  if (basic !== undefined) {
    const hash = await Bun.password.hash(basic.password, { algorithm: "bcrypt", cost: 4 });
    writeFileSync(users, `${basic.username}:${hash}\n`);
  }
  const auth = {
    ...(basic === undefined ? {} : { htpasswd: { realm: "test", path: users } }),
    ...(token === undefined
      ? {}
      : {
          token: {
            realm: token.realm,
            service: tokenService,
            issuer: tokenIssuer,
            rootcertbundle: token.certificate,
          },
        }),
  };
  return {
    version: "0.1",
    log: { level: "info" },
    storage: {
      // Its driver for memory loses directories when blobs come at the same time.
      filesystem: { rootdirectory: join(directory, "storage") },
      delete: { enabled: true },
    },
    http: {
      addr: "127.0.0.1:0",
      ...(tls === undefined ? {} : { tls: tlsOf(tls, options) }),
    },
    ...(Object.keys(auth).length === 0 ? {} : { auth }),
    ...(schema1 ? { compatibility: { schema1: { enabled: true } } } : {}),
  };
}

function tlsOf(
  { certificate, key }: TlsCertificate,
  { clientAuthority, minimumTls }: PeerRegistryOptions,
): object {
  return {
    certificate,
    key,
    ...(clientAuthority === undefined ? {} : { clientcas: [clientAuthority] }),
    ...(minimumTls === undefined ? {} : { minimumtls: minimumTls }),
  };
}
