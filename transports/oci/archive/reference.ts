// oci-archive: the face of the transport that keeps images in an archive of an OCI layout.

import { resolve } from "node:path";

import type { ImageReference, Transport } from "../../../core/image/transport.ts";
import { checkPathScope } from "../../shared/path-scope.ts";
import { isStandardOutput } from "../../shared/standard-output.ts";
import { parseOciArchiveName } from "./name.ts";

/** The transport `oci-archive:FILE[:IMAGE]`; `-` is standard input or output. */
export const ociArchive: Transport = {
  name: "oci-archive",
  parseReference,
  listImages: async (path, context) => (await import("./images.ts")).listImages(path, context),
  packLayout: async (layout, path, context) =>
    (await import("./images.ts")).packLayout(layout, path, context),
  checkPolicyScope(scope) {
    checkPathScope(scope, {
      notAbsolute: "must be an absolute path",
      notCanonical: "Uses non-canonical path format, perhaps try with path",
    });
  },
};

function parseReference(text: string): ImageReference {
  const name = parseOciArchiveName(text);
  const takesStandardOutput = isStandardOutput(name.path);
  return {
    ...name,
    takesStandardOutput,
    archiveFile: takesStandardOutput ? "-" : resolve(name.path),
    openSource: async (context) => (await import("./source.ts")).openSource(name, context),
    openDestination: async (context) =>
      (await import("./destination.ts")).openDestination(name, context),
    openProbe: async (context) => (await import("./probe.ts")).openProbe(name, context),
  };
}
