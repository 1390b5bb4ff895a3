// atomic: names of images in the registries of OpenShift 3, which is no more.
//
// Its API, /oapi/v1, was removed in OpenShift 4, and the last release that had it is out of support. Those
// registries speak the usual API as well, signatures included. So names are understood, policies may speak
// of them, and whoever opens one is told what to write instead.

import {
  type DockerName,
  fullName,
  parseDockerName,
  policyIdentityOf,
  policyNamespacesOf,
} from "../../core/content/docker-name.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import type { ImageReference, Transport } from "../../core/image/transport.ts";

/** The transport `atomic:HOST/NAMESPACE/STREAM:TAG`. Opens nothing. */
export const atomic: Transport = {
  name: "atomic",
  unlisted: true,
  parseReference,
  checkPolicyScope(scope) {
    if (/^[^/]*(\/[^:/]*(\/[^:/]*(:[^:/]*)?)?)?$/.test(scope)) return;
    throw new Failure("config", `Invalid scope name ${scope}`);
  },
};

function parseReference(text: string): ImageReference {
  const name = parseStream(text);
  const refuse = async (): Promise<never> => {
    throw new Failure(
      "unsupported",
      `atomic: images are reached by an API that only OpenShift 3 had, so ${text} cannot be opened`,
      { hint: `its registry speaks the usual API as well: write docker://${fullName(name)}` },
    );
  };
  return {
    transport: "atomic",
    text,
    docker: fullName(name),
    policyIdentity: policyIdentityOf(name),
    policyNamespaces: policyNamespacesOf(name),
    openSource: refuse,
    openDestination: refuse,
  };
}

/** Nothing but the host, a namespace, a stream and a tag makes an image stream's name. */
function parseStream(text: string): DockerName {
  const name = parsed(text);
  const expected = "expected format: 'hostname/namespace/stream:tag'";
  if (name.tag === undefined || name.digest !== undefined) {
    throw new Failure("usage", `invalid image reference ${text}, ${expected}`);
  }
  if (!/^[^/]+\/[^/]+\/[^/]+$/.test(text)) {
    throw new Failure("usage", `invalid image reference: ${text}, ${expected}`);
  }
  return name;
}

function parsed(text: string): DockerName {
  try {
    return parseDockerName(text);
  } catch (error) {
    throw new Failure(
      "usage",
      `failed to parse image reference ${JSON.stringify(text)}: ${asFailure(error).message}`,
    );
  }
}
