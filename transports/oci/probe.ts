// Probe: what a layout is asked before an image is written to it.

import { existsSync, lstatSync } from "node:fs";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import type {
  DestinationProbe,
  DestinationTraits,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { Layout } from "./layout.ts";
import type { OciName } from "./name.ts";

/** Looks at a layout, which need not be there. Fails if its index cannot be read. */
export async function openProbe(name: OciName, context: TransportContext): Promise<OciProbe> {
  if (name.wanted.by === "position") {
    const { position } = name.wanted;
    throw new Failure(
      "usage",
      `Destination reference must not contain a manifest index @${position}`,
    );
  }
  const layout = new Layout(name.path, context);
  // An index that cannot be read is better found before anything is moved.
  if (existsSync(layout.indexPath)) await layout.readIndex();
  return new OciProbe(name, layout, layoutTraits(context));
}

/** Returns what layouts want, in directories and in archives. */
export function layoutTraits({ settings }: TransportContext): DestinationTraits {
  return {
    manifestTypes: [manifestTypes.oci, manifestTypes.ociIndex],
    layers: settings.oci.acceptsUncompressedLayers === true ? "preserve" : "compress",
    keepsForeignUrls: true,
    holdsLists: true,
    holdsBundles: true,
    concurrent: true,
  };
}

/** A layout that may hold images already, and their blobs. */
export class OciProbe implements DestinationProbe {
  readonly name: OciName;
  readonly layout: Layout;
  readonly traits: DestinationTraits;

  constructor(name: OciName, layout: Layout, traits: DestinationTraits) {
    this.name = name;
    this.layout = layout;
    this.traits = traits;
  }

  async findBlob({ digest, size }: Descriptor): Promise<StoredBlob | undefined> {
    const found = lstatSync(this.layout.blobPath(digest), { throwIfNoEntry: false });
    if (found === undefined || !found.isFile()) return undefined;
    if (size !== undefined && size !== found.size) return undefined;
    return { digest, size: found.size, by: "presence" };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
