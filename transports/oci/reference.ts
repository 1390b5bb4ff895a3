// oci: the face of the transport that keeps images in an OCI layout, a directory.

import type { ImageReference, Transport } from "../../core/image/transport.ts";
import { checkPathScope } from "../shared/path-scope.ts";
import { parseOciName } from "./name.ts";

/** The transport `oci:PATH[:IMAGE|:@INDEX]`. */
export const oci: Transport = {
  name: "oci",
  parseReference,
  listImages: async (path, context) => (await import("./images.ts")).listImages(path, context),
  checkPolicyScope(scope) {
    checkPathScope(scope, {
      notAbsolute: "must be an absolute path",
      notCanonical: "Uses non-canonical path format, perhaps try with path",
    });
  },
};

function parseReference(text: string): ImageReference {
  const name = parseOciName(text);
  return {
    ...name,
    openSource: async (context) => (await import("./source.ts")).openSource(name, context),
    openDestination: async (context) =>
      (await import("./destination.ts")).openDestination(name, context),
    openProbe: async (context) => (await import("./probe.ts")).openProbe(name, context),
    glance: async (context) => (await import("./glance.ts")).glance(name, context),
    deleteImage: async (context) => (await import("./delete.ts")).deleteImage(name, context),
    planDeletion: async (context) => (await import("./delete.ts")).planDeletion(name, context),
  };
}
