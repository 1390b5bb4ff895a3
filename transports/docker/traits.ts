// Traits: what registries want, and which signatures are kept beside their images.

import type { DockerName } from "../../core/content/docker-name.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import type { DestinationTraits } from "../../core/image/destination.ts";
import type { TransportContext } from "../../core/image/transport.ts";

/** Which signatures are to be kept with images of a repository. */
export interface SignatureKeeping {
  /** Whether those of sigstore are, beside the image. */
  readonly sigstore: boolean;
}

/** Why a repository holds no signatures of a form. */
export const noSimpleSigning =
  "Storing OpenPGP signatures for images in registries is not supported yet";

/** Likewise. */
export const noSigstore = "writing sigstore attachments is disabled by configuration";

/** Returns which signatures are to be kept, as administrators have it. Fails with `config`. */
export async function signatureKeeping(
  name: DockerName,
  { settings }: TransportContext,
): Promise<SignatureKeeping> {
  const storage = await settings.docker.access.signatureStorage(name);
  return { sigstore: storage.sigstoreAttachments === true };
}

/** Returns what a registry wants. */
export function registryTraits({ sigstore }: SignatureKeeping): DestinationTraits {
  return {
    manifestTypes: [
      manifestTypes.oci,
      manifestTypes.schema2,
      manifestTypes.ociIndex,
      manifestTypes.dockerList,
      manifestTypes.schema1Signed,
      manifestTypes.schema1,
    ],
    layers: "compress",
    keepsForeignUrls: true,
    holdsLists: true,
    concurrent: true,
    refusedForms: {
      "simple-signing": noSimpleSigning,
      ...(!sigstore && { sigstore: noSigstore }),
    },
  };
}
