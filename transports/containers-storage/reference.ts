// containers-storage: the face of the transport that keeps images where podman, buildah and CRI-O do.

import type { ImageReference, Transport } from "../../core/image/transport.ts";
import { parseStorageName } from "./name.ts";
import { checkScope } from "./scope.ts";

/** The transport `containers-storage:[STORE]IMAGE`. */
export const containersStorage: Transport = {
  name: "containers-storage",
  parseReference,
  checkPolicyScope: checkScope,
};

function parseReference(text: string): ImageReference {
  const name = parseStorageName(text);
  return {
    ...name,
    openSource: async (context) => (await import("./source.ts")).openSource(name, context),
    openDestination: async (context) =>
      (await import("./destination.ts")).openDestination(name, context),
    openProbe: async (context) => (await import("./probe.ts")).openProbe(name, context),
    deleteImage: async (context) => (await import("./delete.ts")).deleteImage(name, context),
    planDeletion: async (context) => (await import("./delete.ts")).planDeletion(name, context),
  };
}
