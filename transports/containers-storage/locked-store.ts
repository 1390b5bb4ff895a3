// Locked store: one whose images and layers nobody else can change at the moment.

import type { TransportContext } from "../../core/image/transport.ts";
import { LockedRecords } from "./change-store.ts";
import type { ChosenStore } from "./choose-store.ts";
import { StorePlace } from "./store-place.ts";
import { lockContainers } from "./users.ts";

/** Layers and images of a store, locked. Disposing lets go of them. */
export class LockedStore implements AsyncDisposable {
  readonly place: StorePlace;
  readonly runRoot: string;
  readonly context: TransportContext;
  readonly layers: LockedRecords;
  readonly images: LockedRecords;
  readonly #locks: AsyncDisposable;

  private constructor(
    { imageRoot, runRoot, driver }: ChosenStore,
    context: TransportContext,
    locked: {
      readonly layers: LockedRecords;
      readonly images: LockedRecords;
      readonly locks: AsyncDisposable;
    },
  ) {
    this.place = new StorePlace(imageRoot, driver);
    this.runRoot = runRoot;
    this.context = context;
    this.layers = locked.layers;
    this.images = locked.images;
    this.#locks = locked.locks;
  }

  /** Locks a store. With `containers`, nobody can make one of those either. */
  static async lock(
    store: ChosenStore,
    context: TransportContext,
    containers?: "containers",
  ): Promise<LockedStore> {
    const place = new StorePlace(store.imageRoot, store.driver);
    await using locking = new AsyncDisposableStack();
    const layers = locking.use(await LockedRecords.lock(place, "layers", context));
    const images = locking.use(await LockedRecords.lock(place, "images", context));
    if (containers !== undefined) {
      locking.use(await lockContainers(place, store.runRoot, context));
    }
    return new LockedStore(store, context, { layers, images, locks: locking.move() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#locks[Symbol.asyncDispose]();
  }
}
