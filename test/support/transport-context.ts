// Transport context: what the program lends a transport, as a test lends it.

import { tmpdir } from "node:os";
import type { TransportContext, TransportSettings } from "../../core/image/transport.ts";

/** What a test may want to be different. */
export interface ContextWish extends Partial<Omit<TransportContext, "settings">> {
  readonly settings?: Partial<TransportSettings>;
}

/** Returns a context that says nothing and reaches no registry, but for what the test wishes. */
export function transportContext({ settings, ...rest }: ContextWish = {}): TransportContext {
  return {
    signal: new AbortController().signal,
    temporaryDirectory: tmpdir(),
    log: { debug() {}, info() {}, warn() {} },
    ...rest,
    settings: {
      docker: {
        userAgent: "test",
        access: {
          proxies: {},
          connectionTo: unreachable,
          pullSources: unreachable,
          signatureStorage: async () => ({ lookaside: "file:///proc/no-signatures" }),
        },
      },
      dir: {},
      oci: {},
      tarball: { os: "linux", architecture: "amd64" },
      ...settings,
    },
  };
}

async function unreachable(): Promise<never> {
  throw new Error("This test was to reach no registry");
}
