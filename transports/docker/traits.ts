// Traits: what registries want, and which signatures are kept beside their images.

import type { DockerName } from "../../core/content/docker-name.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import type { DestinationTraits } from "../../core/image/destination.ts";
import type { SignatureStorage } from "../../core/image/registry-access.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import type { RegistryClient } from "./client.ts";
import { whyNotWritten } from "./lookaside.ts";

/** Which signatures are to be kept with images of a repository, and where. */
export interface SignatureKeeping {
  /** Whether those of sigstore are, beside the image. */
  readonly sigstore: boolean;
  /** Why those of OpenPGP are not; absent: they are. */
  readonly noSimpleSigning?: string;
  /** Where those are, unless the registry keeps them itself. */
  readonly storage: SignatureStorage;
}

/** Why a repository holds no signatures of sigstore. */
export const noSigstore = "writing sigstore attachments is disabled by configuration";

/** Returns which signatures are to be kept, as administrators have it. Fails with `config`. */
export async function signatureKeeping(
  name: DockerName,
  { settings }: TransportContext,
  client: RegistryClient,
): Promise<SignatureKeeping> {
  const storage = await settings.docker.access.signatureStorage(name);
  const sigstore = storage.sigstoreAttachments === true;
  const reason = whyNotWritten(storage);
  // Whoever has a place to write to need not ask the registry before it is time.
  const refused = reason !== undefined && !(await client.keepsSignatures());
  return { sigstore, storage, ...(refused && { noSimpleSigning: reason }) };
}

/** Returns what a registry wants. */
export function registryTraits({
  sigstore,
  noSimpleSigning,
}: Omit<SignatureKeeping, "storage">): DestinationTraits {
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
    holdsBundles: sigstore,
    concurrent: true,
    refusedForms: {
      ...(noSimpleSigning !== undefined && { "simple-signing": noSimpleSigning }),
      ...(!sigstore && { sigstore: noSigstore }),
    },
  };
}
