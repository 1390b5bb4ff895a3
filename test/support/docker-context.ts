// Docker context: what the program lends the docker transport, for a registry of the test.

import type { Credentials, SignatureStorage } from "../../core/image/registry-access.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { Patience, type Retry } from "../../core/retry.ts";
import { transportContext } from "./transport-context.ts";

/** What a test may want of it. */
export interface DockerWish {
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  readonly origin?: ImageName;
  readonly uploadChunkBytes?: number;
  readonly wholeUploadBytes?: number;
  readonly shared?: AsyncDisposable[];
  readonly precomputesDigests?: boolean;
  readonly temporaryDirectory?: string;
  readonly signatures?: SignatureStorage;
  /** Hears every line that is logged, with its level in front. */
  readonly log?: (line: string) => void;
  /** Hears what is tried again. */
  readonly retrying?: (retry: Retry) => void;
  /** Hears how long each pause would have been. */
  readonly paused?: (ms: number) => void;
}

/** Where no signature is, and none can be written. */
const nowhere: SignatureStorage = { lookaside: "file:///proc/no-signatures" };

/** Returns a context in which plain HTTP is spoken and no pause takes any time. */
export function dockerContext(wish: DockerWish = {}): TransportContext {
  const {
    credentials = { kind: "anonymous" },
    signal,
    origin,
    log,
    paused,
    retrying,
    uploadChunkBytes,
    wholeUploadBytes,
    shared,
    precomputesDigests = false,
    temporaryDirectory,
  } = wish;
  const say = (level: string) => (message: string) => log?.(`${level}: ${message}`);
  const sleep = async (ms: number, until?: AbortSignal): Promise<void> => {
    until?.throwIfAborted();
    paused?.(ms);
  };
  const tls = { verify: false, authorities: [] };
  const connection = { insecure: true, tls, credentials };
  return transportContext({
    ...(signal === undefined ? {} : { signal }),
    ...(temporaryDirectory === undefined ? {} : { temporaryDirectory }),
    ...(origin === undefined ? {} : { origin }),
    log: {
      debug: say("debug"),
      info: say("info"),
      warn: say("warn"),
      retrying: (retry) => retrying?.(retry),
    },
    settings: {
      docker: {
        userAgent: "test",
        precomputesDigests,
        ...(uploadChunkBytes !== undefined && { uploadChunkBytes }),
        ...(wholeUploadBytes !== undefined && { wholeUploadBytes }),
        ...(shared !== undefined && { shared }),
        patience: new Patience({ sleep }),
        access: {
          proxies: {},
          connectionTo: async () => connection,
          signatureStorage: async () => wish.signatures ?? nowhere,
          pullSources: async (name) => [{ name, connection: async () => connection }],
        },
      },
    },
  });
}
