// Probe: what a store is asked before an image is written to it.

import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import type { DestinationProbe, DestinationTraits } from "../../core/image/destination.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { type ChosenStore, chooseStore } from "./choose-store.ts";
import { resolveStart } from "./find-image.ts";
import { findLayer } from "./find-layer.ts";
import { resolvedName, type StorageName, type WantedImage } from "./name.ts";
import { readImages, readLayers } from "./read-store.ts";

/** What stores want. */
export const storeTraits: DestinationTraits = {
  manifestTypes: [
    manifestTypes.oci,
    manifestTypes.schema2,
    manifestTypes.schema1Signed,
    manifestTypes.schema1,
  ],
  layers: "preserve",
  keepsForeignUrls: false,
  holdsLists: false,
  refusesEncryption: "Encrypted layers cannot be kept in a store: it unpacks them",
  concurrent: true,
  ignoresEmbeddedNames: true,
};

/** A store that can be written to, and what is to be written there. */
export interface FoundStore {
  readonly store: ChosenStore;
  readonly wanted: WantedImage;
}

/** Chooses the store that a name means, which need not be there. Fails if we cannot change it. */
export async function chooseWritable(
  name: StorageName,
  context: TransportContext,
): Promise<ChosenStore> {
  const store = await chooseStore(name.store, context);
  checkWritable(store);
  return store;
}

/** Finds out what a name means in a store that we can change, which need not be there. */
export async function findStore(name: StorageName, context: TransportContext): Promise<FoundStore> {
  const store = await chooseWritable(name, context);
  return { store, wanted: resolveStart(name, await readImages(store, context)) };
}

function checkWritable({ graphRoot, imageRoot }: ChosenStore): void {
  if (imageRoot === graphRoot) return;
  throw new Failure(
    "unsupported",
    `Images in ${imageRoot}, which is kept apart from ${graphRoot}, can only be read`,
    { hint: "podman can change them, with podman pull and podman rmi" },
  );
}

/** Looks into a store, which need not be there. */
export async function openProbe(
  name: StorageName,
  context: TransportContext,
): Promise<DestinationProbe> {
  const { store, wanted } = await findStore(name, context);
  const layers = await readLayers(store, context);
  const { blobInfo } = context.settings.containersStorage ?? {};
  return {
    name: resolvedName(name, store, wanted),
    traits: storeTraits,
    // Configs are small, and sent with every image.
    findBlob: async (blob, role) => {
      if (role === "config") return undefined;
      const found = await findLayer(blob, layers, blobInfo);
      return found && { digest: blob.digest, size: found.size, by: "presence" };
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
