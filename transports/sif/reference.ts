// sif: the face of the transport that reads Singularity images.

import { Failure } from "../../core/failure.ts";
import type { ImageReference, Transport } from "../../core/image/transport.ts";
import { explicitPath } from "../shared/explicit-path.ts";
import { checkPathScope, directoriesAbove } from "../shared/path-scope.ts";

/** The transport `sif:PATH`. */
export const sif: Transport = {
  name: "sif",
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
    transport: "sif",
    text: path,
    policyIdentity: identity,
    policyNamespaces: directoriesAbove(identity),
    openSource: async (context) => (await import("./source.ts")).openSource(reference, context),
    openDestination: async () => {
      throw new Failure("unsupported", '"sif:" locations can only be read from, not written to');
    },
  };
  return reference;
}
