// The place: where all images of a sync go.

import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TransportContext } from "../../core/image/transport.ts";
import type { SyncPlace } from "../../core/sync/target.ts";
import { transports } from "../../transports/table.ts";
import type { TargetKind } from "./kinds.ts";

/** What is said of a destination. */
export interface PlaceWish {
  readonly kind: TargetKind;
  /** In the user's words. */
  readonly destination: string;
  readonly context: TransportContext;
  readonly overwrites: boolean;
}

/** A place that images may be brought to. Disposing takes away what was only needed on the way. */
export interface OpenPlace extends SyncPlace, AsyncDisposable {
  /** What names of images begin with. */
  readonly destination: string;
  /** Whether all images are in one layout. */
  readonly inLayout: boolean;
  /** All images have been brought. */
  finish(): Promise<void>;
}

/** Opens a destination. */
export function openPlace({ kind, destination, context, overwrites }: PlaceWish): OpenPlace {
  if (kind !== "oci-archive") {
    return {
      transport: transports[kind],
      context,
      overwrites,
      destination,
      inLayout: kind === "oci",
      finish: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  }
  // An archive is written in one go: adding images one by one would write it once for each.
  const directory = mkdtempSync(join(resolve(context.temporaryDirectory), "container_images_sync"));
  const layout = join(directory, "layout");
  return {
    transport: transports.oci,
    context,
    overwrites,
    destination: layout,
    inLayout: true,
    shown: (name) => `oci-archive:${destination}${name.slice(layout.length)}`,
    finish: async () => transports["oci-archive"].packLayout?.(layout, destination, context),
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
  };
}
