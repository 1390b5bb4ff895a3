// docker-archive: the face of the transport that keeps images in a tar archive, as `docker save` does.

import { resolve } from "node:path";

import { Failure } from "../../core/failure.ts";
import type { ImageReference, Transport } from "../../core/image/transport.ts";
import { isStandardOutput } from "../shared/standard-output.ts";
import { parseDockerArchiveName } from "./name.ts";

/** The transport `docker-archive:PATH[:DOCKER-REFERENCE|:@INDEX]`. */
export const dockerArchive: Transport = {
  name: "docker-archive",
  parseReference,
  checkPolicyScope() {
    // Not even the empty scope comes here: it is the transport's default.
    throw new Failure(
      "config",
      'docker-archive: does not support any scopes except the default "" one',
    );
  },
  listTags: async (text, context) =>
    (await import("./tags.ts")).listTags(parseDockerArchiveName(text), context),
};

function parseReference(text: string): ImageReference {
  const name = parseDockerArchiveName(text);
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
