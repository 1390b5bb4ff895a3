// The layers of an image on their way into a store: what is there, what is staged, what has to be made.

import { chmodSync } from "node:fs";
import { decompressed } from "../../core/blob/decompress.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import { type Digest, digestHex } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import { attempt } from "../shared/system.ts";
import { fileStream } from "../shared/file-stream.ts";
import { rebuiltLayer } from "../shared/rebuilt-layer.ts";
import { layerIds } from "./layer-ids.ts";
import {
  newOverlayForm,
  type OverlayForm,
  readOverlayForm,
  writeOverlayForm,
} from "./overlay-form.ts";
import type { KeptLayer } from "./read-store.ts";
import {
  type LayerBlob,
  stageContent,
  type StagedLayer,
  type StagingPlan,
} from "./staged-layer.ts";
import type { StorePlace } from "./store-place.ts";

/** A layer that an image consists of, wherever its content is at the moment. */
export type HeldLayer =
  | { readonly kind: "staged"; readonly diffId: Digest; readonly staged: StagedLayer }
  /** Somewhere in the store, perhaps above other layers. */
  | {
      readonly kind: "kept";
      readonly diffId: Digest;
      readonly layer: KeptLayer;
      readonly blob: LayerBlob;
    }
  /** Not unpacked yet, because that takes the layers below. */
  | {
      readonly kind: "packed";
      readonly diffId: Digest;
      readonly blob: LayerBlob;
      readonly open: () => ByteStream;
    };

/** A layer of an image that can be moved into the store. */
export interface ReadyLayer {
  readonly id: string;
  readonly parent?: string;
  readonly staged: StagedLayer;
  /** How it is mounted; absent with vfs. */
  readonly form?: OverlayForm;
}

/** What layers are made ready for. */
export interface ChainPlace {
  readonly place: StorePlace;
  readonly plan: StagingPlan;
  readonly signal: AbortSignal;
}

/** The layers of one image, base first. */
export class LayerChain {
  readonly ids: readonly string[];
  readonly #held: readonly HeldLayer[];
  readonly #place: ChainPlace;
  readonly #ready = new Map<string, ReadyLayer>();
  /** Staged layers that have become one of `#ready`. */
  readonly #taken = new Set<StagedLayer>();

  constructor(held: readonly HeldLayer[], place: ChainPlace) {
    this.ids = layerIds(held.map(({ diffId }) => diffId));
    this.#held = held;
    this.#place = place;
  }

  /**
   * Makes everything ready that a store with these layers lacks. Fails naming the blobs that are missing,
   * if layers are gone that this image was to share.
   */
  async prepare(layers: ReadonlyMap<string, KeptLayer>): Promise<void> {
    for (const [index, held] of this.#held.entries()) {
      const id = this.ids[index] ?? "";
      if (layers.has(id) || this.#ready.has(id)) continue;
      const parent = this.ids[index - 1];
      this.#ready.set(id, await this.#make({ id, parent, held, layers }));
    }
  }

  /** Returns the layers that are ready and that a store with these layers lacks, or undefined if some are not. */
  missingFrom(known: ReadonlySet<string>): readonly ReadyLayer[] | undefined {
    const missing = this.ids.filter((id) => !known.has(id));
    const ready = missing.map((id) => this.#ready.get(id));
    return ready.every((each) => each !== undefined) ? ready : undefined;
  }

  async #make(wish: {
    readonly id: string;
    readonly parent: string | undefined;
    readonly held: HeldLayer;
    readonly layers: ReadonlyMap<string, KeptLayer>;
  }): Promise<ReadyLayer> {
    const { id, parent, held, layers } = wish;
    const staged = await this.#staged(held, parent, layers);
    this.#taken.add(staged);
    const ready = { id, ...(parent !== undefined && { parent }), staged };
    if (this.#place.place.driver === "vfs") {
      if (parent === undefined) attempt(() => chmodSync(staged.files, 0o555));
      return ready;
    }
    const form = newOverlayForm(this.#formOf(parent, layers));
    writeOverlayForm(staged.directory, form, this.#place.plan.unpacking.forceMask);
    return { ...ready, form };
  }

  async #staged(
    held: HeldLayer,
    parent: string | undefined,
    layers: ReadonlyMap<string, KeptLayer>,
  ): Promise<StagedLayer> {
    if (held.kind === "staged" && !this.#taken.has(held.staged)) return held.staged;
    const { plan, signal } = this.#place;
    const base = this.#filesOf(parent, layers);
    const content = this.#contentOf(held, layers);
    const staged = await stageContent(
      content,
      { ...plan, ...(base !== undefined && { base }) },
      signal,
    );
    if (staged.written.diffId !== held.diffId) {
      throw new Failure(
        "corrupt",
        `Layer ${held.diffId} was unpacked to something else, ${staged.written.diffId}`,
      );
    }
    return { ...staged, blob: held.kind === "staged" ? held.staged.blob : held.blob };
  }

  /** Returns the content of a layer, as its archive. */
  #contentOf(held: HeldLayer, layers: ReadonlyMap<string, KeptLayer>): ByteStream {
    switch (held.kind) {
      case "packed":
        return held.open();
      case "staged":
        return this.#rebuilt(held.staged.tarSplitPath, held.staged.files);
      case "kept": {
        const { id } = held.layer.record;
        const layer = layers.get(id);
        if (layer === undefined) throw gone(held);
        return this.#rebuilt(layer.place.tarSplitPath(id), layer.place.filesDirectory(id));
      }
    }
  }

  #rebuilt(tarSplitPath: string, files: string): ByteStream {
    const { signal } = this.#place;
    const tarSplit = decompressed("gzip", "Tar-split")(fileStream(tarSplitPath, signal));
    return rebuiltLayer({ tarSplit, directories: [files] }, signal);
  }

  /** With vfs, a layer's files begin as a copy of those of the layer below it. */
  #filesOf(parent: string | undefined, layers: ReadonlyMap<string, KeptLayer>): string | undefined {
    if (parent === undefined || this.#place.place.driver !== "vfs") return undefined;
    const ready = this.#ready.get(parent);
    if (ready !== undefined) return ready.staged.files;
    return layers.get(parent)?.place.filesDirectory(parent);
  }

  #formOf(
    parent: string | undefined,
    layers: ReadonlyMap<string, KeptLayer>,
  ): OverlayForm | undefined {
    if (parent === undefined) return undefined;
    const ready = this.#ready.get(parent)?.form;
    if (ready !== undefined) return ready;
    const kept = layers.get(parent);
    if (kept === undefined) throw new Failure("bug", `Layer ${parent} is neither there nor ready`);
    return readOverlayForm(kept.place, parent);
  }
}

function gone({ diffId, blob }: Extract<HeldLayer, { kind: "kept" }>): Failure {
  return new Failure(
    "io",
    `Layer ${digestHex(diffId)} was removed by somebody else while the image was written`,
    { hint: "try again", missingBlobs: [blob.digest] },
  );
}
