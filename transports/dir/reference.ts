// dir: the face of the transport that keeps one image, or one list, as the files of a directory.

import type { ImageReference, Transport } from "../../core/image/transport.ts";
import { explicitPath } from "../shared/explicit-path.ts";
import { checkPathScope, directoriesAbove } from "../shared/path-scope.ts";

/** The transport `dir:PATH`. */
export const dir: Transport = {
  name: "dir",
  parseReference,
  checkPolicyScope(scope) {
    checkPathScope(scope, {
      notAbsolute: "Must be an absolute path",
      notCanonical: "Uses non-canonical format, perhaps try",
    });
  },
};

function parseReference(path: string): ImageReference {
  const identity = explicitPath(path);
  const reference: ImageReference = {
    transport: "dir",
    text: path,
    policyIdentity: identity,
    policyNamespaces: directoriesAbove(identity),
    openSource: async (context) => (await import("./source.ts")).openSource(reference, context),
    glance: async () => (await import("./glance.ts")).glance(path),
    openDestination: async (context) =>
      (await import("./destination.ts")).openDestination(reference, context),
    openProbe: async (context) => (await import("./probe.ts")).openProbe(reference, context),
  };
  return reference;
}
