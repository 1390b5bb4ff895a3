// The told copy: what a copy says about itself as a whole, and what its transports say of retrying.

import { asFailure, type Failure, type Side } from "../failure.ts";
import { spelled } from "../image/name.ts";
import type { TransportContext } from "../image/transport.ts";
import type { Tell, ToldFailure } from "./events.ts";
import type { CopyOutcome, CopyRequest, CopySide } from "./request.ts";

/** Carries out a request by `copy`, and tells how it begins, what is tried again, and how it ends. */
export async function told(
  request: CopyRequest,
  copy: (request: CopyRequest) => Promise<CopyOutcome>,
): Promise<CopyOutcome> {
  const { source, destination, tell } = request;
  await tell({
    kind: "copy-begun",
    source: spelled(source.reference),
    destinations: [spelled(destination.reference)],
  });
  try {
    const outcome = await copy({
      ...request,
      source: telling(source, "source", tell),
      destination: telling(destination, "destination", tell),
    });
    const { digest, manifest } = outcome;
    tell({ kind: "copy-ended", digest, mediaType: manifest.mediaType });
    return outcome;
  } catch (error) {
    tell({ kind: "copy-failed", ...toldOf(asFailure(error)) });
    throw error;
  }
}

/** Returns what is told about a failure. */
export function toldOf({ code, message, hint, side }: Failure): ToldFailure {
  return {
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(side !== undefined && { side }),
  };
}

/** Returns one end of a copy such that what it tries again is told. */
export function telling(end: CopySide, side: Side, tell: Tell): CopySide {
  return { ...end, context: withRetries(end.context, side, tell) };
}

function withRetries(context: TransportContext, side: Side, tell: Tell): TransportContext {
  const { log } = context;
  return {
    ...context,
    log: {
      debug: (message) => log.debug(message),
      info: (message) => log.info(message),
      warn: (message) => log.warn(message),
      retrying(retry) {
        log.retrying?.(retry);
        tell({ kind: "retry", ...retry, side });
      },
    },
  };
}
