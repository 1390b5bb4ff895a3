// tarball: the face of the transport that makes an image of tar archives, one for each layer.

import { Failure } from "../../core/failure.ts";
import type { ImageReference, Transport } from "../../core/image/transport.ts";
import { parseFiles } from "./files.ts";

/** The transport `tarball:FILE[:FILE…]`, where `-` is standard input. */
export const tarball: Transport = {
  name: "tarball",
  parseReference,
  checkPolicyScope() {
    throw new Failure("config", 'tarball: does not support any scopes except the default "" one');
  },
};

function parseReference(text: string): ImageReference {
  const files = parseFiles(text);
  const reference: ImageReference = {
    transport: "tarball",
    text,
    policyIdentity: "",
    policyNamespaces: [],
    openSource: async (context) =>
      (await import("./source.ts")).openSource(reference, files, context),
    openDestination: async () => {
      throw new Failure(
        "unsupported",
        '"tarball:" locations can only be read from, not written to',
      );
    },
    deleteImage: async () => (await import("./delete.ts")).deleteFiles(files),
    planDeletion: async () => (await import("./delete.ts")).planFiles(files),
  };
  return reference;
}
