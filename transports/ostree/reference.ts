// ostree: the face of the transport that keeps images in a repository of ostree, as the original once did.

import type { ImageReference, Transport } from "../../core/image/transport.ts";
import { checkScope, parseOstreeName } from "./name.ts";

/** The transport `ostree:IMAGE[:TAG][@/REPOSITORY]`. */
export const ostree: Transport = {
  name: "ostree",
  parseReference,
  checkPolicyScope: checkScope,
};

function parseReference(text: string): ImageReference {
  const name = parseOstreeName(text);
  return {
    ...name,
    openSource: async (context) => (await import("./source.ts")).openSource(name, context),
    openDestination: async (context) =>
      (await import("./destination.ts")).openDestination(name, context),
    openProbe: async (context) => (await import("./probe.ts")).openProbe(name, context),
  };
}
