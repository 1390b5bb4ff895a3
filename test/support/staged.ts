// Staged: layers on their way into a store of a test's own.

import { streamOf } from "../../core/blob/stream.ts";
import { type Digest, parseDigest } from "../../core/content/digest.ts";
import { makeStore } from "../../transports/containers-storage/change-store.ts";
import type { HeldLayer } from "../../transports/containers-storage/layer-chain.ts";
import type { DriverName } from "../../transports/containers-storage/options.ts";
import type { KeptLayer } from "../../transports/containers-storage/read-store.ts";
import { layerRecord } from "../../transports/containers-storage/records.ts";
import {
  stageContent,
  type StagingPlan,
} from "../../transports/containers-storage/staged-layer.ts";
import { StagingDirectory } from "../../transports/containers-storage/staging-directory.ts";
import { StorePlace } from "../../transports/containers-storage/store-place.ts";
import type { MadeLayer } from "./made-store.ts";
import { Workspace } from "./workspace.ts";

export const never = new AbortController().signal;

/** An empty store in a workspace, and where layers for it are staged. */
export class StagingScene implements AsyncDisposable {
  readonly workspace = new Workspace();
  readonly place: StorePlace;
  readonly plan: StagingPlan;
  readonly #staging: readonly StagingDirectory[];

  private constructor(place: StorePlace, staging: readonly [StagingDirectory, StagingDirectory]) {
    this.place = place;
    this.#staging = staging;
    const [files, records] = staging;
    const whiteouts = place.driver === "vfs" ? "vfs" : "overlay";
    this.plan = { files, records, unpacking: { whiteouts, rootless: false } };
  }

  static async create(driver: DriverName = "overlay"): Promise<StagingScene> {
    const workspace = new Workspace();
    const place = new StorePlace(workspace.path, driver);
    makeStore(place);
    const files = await StagingDirectory.create(`${place.driverDirectory}/tempdirs`);
    const records = await StagingDirectory.create(`${place.layersDirectory}/tmp`);
    const scene = new StagingScene(place, [files, records]);
    scene.workspace[Symbol.dispose]();
    Object.assign(scene, { workspace });
    return scene;
  }

  /** Unpacks a layer, as if it had come as a blob of its own bytes. */
  async staged({ tar, digest }: MadeLayer): Promise<HeldLayer> {
    const staged = await stageContent(streamOf(tar), this.plan, never);
    const diffId = parseDigest(digest);
    const blob = { digest: diffId, size: tar.length, compression: "none" } as const;
    return { kind: "staged", diffId, staged: { ...staged, blob } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#staging) await each[Symbol.asyncDispose]();
    this.workspace[Symbol.dispose]();
  }
}

/** Returns layers as a store has them that somebody else filled. */
export function keptLayers(
  place: StorePlace,
  layers: readonly MadeLayer[],
): ReadonlyMap<string, KeptLayer> {
  return new Map(
    layers.map(({ id, parent, digest, tar }) => {
      const json = {
        id,
        ...(parent !== undefined && { parent }),
        "diff-digest": digest,
        "diff-size": tar.length,
      };
      return [id, { place, record: layerRecord(json) }];
    }),
  );
}

/** Returns what stands for a layer that a store has. */
export function heldInStore(layer: KeptLayer, diffId: Digest): HeldLayer {
  const size = layer.record.diffSize ?? 0;
  return { kind: "kept", diffId, layer, blob: { digest: diffId, size, compression: "none" } };
}
