// The glance: what a name leads to, by one request that no registry counts as a pull.

import { isDigest } from "../../core/content/digest.ts";
import { isListType } from "../../core/content/media-types.ts";
import type { DockerName } from "../../core/content/docker-name.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import type { Glance, TransportContext } from "../../core/image/transport.ts";
import { connect, type RepositoryActions } from "./connection.ts";
import { mayHaveSignatures } from "./lookaside.ts";
import { lookForManifest } from "./manifest.ts";
import { openFirst } from "./pull-sources.ts";

/** Asks a registry, or a mirror of it, what a name leads to. Undefined if it does not say. */
export async function glance(
  name: DockerName,
  context: TransportContext,
  as: "source" | "destination",
): Promise<Glance | undefined> {
  if (as === "destination") return unlessRefused(() => glanceAt(name, context, "pull,push"));
  return unlessRefused(() =>
    openFirst(name, context, async (place) => {
      const found = await glanceAt(place.name, place.trying, "pull");
      // The next place may have it.
      if (found === undefined) throw new Failure("not-found", "manifest unknown");
      return found;
    }),
  );
}

/** Asks with the rights that will be needed next: a token for those is fetched in any case. */
async function glanceAt(
  name: DockerName,
  context: TransportContext,
  actions: RepositoryActions,
): Promise<Glance | undefined> {
  await using client = await connect(name, actions, context);
  const reference = name.tag ?? name.digest;
  if (reference === undefined) return undefined;
  const response = await lookForManifest(client, reference);
  await response.discard();
  if (response.status !== 200) return undefined;
  const claimed = response.headers.get("docker-content-digest") ?? "";
  if (!isDigest(claimed)) return undefined;
  const mediaType = (response.headers.get("content-type") ?? "").split(";", 1)[0]?.trim() ?? "";
  const storage = await context.settings.docker.access.signatureStorage(name);
  const place = { name, digest: claimed, storage };
  const perhapsSigned =
    storage.sigstoreAttachments === true ||
    (await client.keepsSignatures()) ||
    mayHaveSignatures(place, isListType(mediaType));
  return { digest: claimed, perhapsSigned, mediaType };
}

/** A registry that does not let us look may let us write, and will say what is wrong if it does not. */
async function unlessRefused<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const { code } = asFailure(error);
    if (code === "canceled" || code === "bug" || code === "unavailable") throw error;
    return undefined;
  }
}
