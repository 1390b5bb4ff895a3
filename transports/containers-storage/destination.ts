// Destination: writing an image into a store.
//
// Layers are unpacked beside the store, without any lock. When all is there and checked, layers and image
// become part of it in one moment, under locks that every engine asks for.

import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { collect } from "../../core/blob/collect.ts";
import { fullName } from "../../core/content/docker-name.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestHex, digestOf } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  ImageDestination,
  OutgoingBlob,
  OutgoingManifest,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { RawManifest, Signature, SignedManifest } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { manifestDigest, parseManifest } from "../../core/manifest/manifest.ts";
import type { ImageManifest } from "../../core/manifest/types.ts";
import { syncFileSystem } from "../shared/libc/sync-file-system.ts";
import { attempt } from "../shared/system.ts";
import { makeStore } from "./change-store.ts";
import type { ChosenStore } from "./choose-store.ts";
import { contentLayers, type DescribedImage, describeImage } from "./described-image.ts";
import { HeldLayers } from "./held-layers.ts";
import { type ImageItem, installImage } from "./install-image.ts";
import { findMissing, installLayers } from "./install-layers.ts";
import { LayerChain } from "./layer-chain.ts";
import { LockedStore } from "./locked-store.ts";
import { metadataOf } from "./metadata.ts";
import { resolvedName, type StorageName } from "./name.ts";
import { findStore, storeTraits } from "./probe.ts";
import { type KeptLayer, readLayers } from "./read-store.ts";
import { RemovalNote } from "./removal-note.ts";
import { repairStore, stagingParents } from "./repair.ts";
import type { StagingPlan } from "./staged-layer.ts";
import { StagingDirectory } from "./staging-directory.ts";
import { StorePlace } from "./store-place.ts";

/** Opens a store for writing, and begins one where there is none. */
export async function openDestination(
  name: StorageName,
  context: TransportContext,
): Promise<ImageDestination> {
  const { store, wanted } = await findStore(name, context);
  const place = new StorePlace(store.imageRoot, store.driver);
  makeStore(place);
  await using opening = new AsyncDisposableStack();
  const plan = await openStaging(place, store, context, opening);
  const resolved = resolvedName(name, store, wanted);
  const layers = await readLayers(store, context);
  return new StorageDestination(resolved, {
    store,
    place,
    plan,
    layers,
    context,
    staging: opening.move(),
  });
}

async function openStaging(
  place: StorePlace,
  store: ChosenStore,
  context: TransportContext,
  opening: AsyncDisposableStack,
): Promise<StagingPlan> {
  const parents = stagingParents(place);
  const files = opening.use(await StagingDirectory.create(parents[0]));
  const records = opening.use(await StagingDirectory.create(parents[1]));
  await repairStore(store, context, files.madeMs);
  const { forceMask, ignoreChownErrors } = store.options;
  return {
    files,
    records,
    unpacking: {
      whiteouts: place.driver === "vfs" ? "vfs" : whiteoutsOf(place, store),
      rootless: context.settings.containersStorage?.rootless ?? false,
      ignoresChownErrors: ignoreChownErrors,
      ...(forceMask !== undefined && { forceMask }),
    },
  };
}

/** A store that is mounted by a program keeps whiteouts as files; it says so, or its options do. */
function whiteoutsOf(place: StorePlace, { options }: ChosenStore): "overlay" | "overlay-fuse" {
  if (options.mountProgram !== undefined) return "overlay-fuse";
  const path = join(place.driverDirectory, ".has-mount-program");
  const said = existsSync(path) ? attempt(() => readFileSync(path, "utf8").trim()) : "false";
  return said === "true" ? "overlay-fuse" : "overlay";
}

/** What an open destination works with. */
interface OpenStore {
  readonly store: ChosenStore;
  readonly place: StorePlace;
  readonly plan: StagingPlan;
  /** As they were when the store was opened. */
  readonly layers: ReadonlyMap<string, KeptLayer>;
  readonly context: TransportContext;
  readonly staging: AsyncDisposable;
}

/** How often layers are made ready again that others have removed meanwhile. */
const mostAttempts = 3;

class StorageDestination implements ImageDestination {
  readonly name: StorageName;
  readonly traits = storeTraits;
  readonly #open: OpenStore;
  readonly #held: HeldLayers;
  readonly #configs = new Map<Digest, Uint8Array>();
  readonly #signatures = new Map<Digest, readonly Signature[]>();
  #origin: RawManifest | undefined;
  #image: PutImage | undefined;

  constructor(name: StorageName, open: OpenStore) {
    this.name = name;
    this.#open = open;
    const { layers, plan, context } = open;
    this.#held = new HeldLayers({ layers, plan, context });
  }

  async reuseBlob(wanted: Descriptor, role: BlobRole): Promise<StoredBlob | undefined> {
    if (role === "layer") return this.#held.reuse(wanted);
    const config = this.#configs.get(wanted.digest);
    if (config === undefined || (wanted.size ?? config.length) !== config.length) return undefined;
    return { digest: wanted.digest, size: config.length, by: "presence" };
  }

  async putBlob(blob: OutgoingBlob, role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    const { context } = this.#open;
    if (role === "layer") {
      const signals = signal === undefined ? [] : [signal];
      return this.#held.put(blob, AbortSignal.any([context.signal, ...signals]));
    }
    const bytes = await collect(blob.open(), limits.configBytes);
    signal?.throwIfAborted();
    const digest = blob.digest ?? digestOf(bytes);
    this.#configs.set(digest, bytes);
    return { digest, size: bytes.length, by: "sending" };
  }

  async putOrigin(list: OutgoingManifest): Promise<void> {
    this.#origin = { bytes: list.bytes, mediaType: list.mediaType };
  }

  async putManifest(raw: OutgoingManifest): Promise<void> {
    const manifest = parseManifest(raw);
    if (manifest.kind !== "image" || !this.traits.manifestTypes.includes(manifest.mediaType)) {
      throw new Failure(
        "unsupported",
        `Manifests of type ${raw.mediaType} cannot be kept in a store`,
      );
    }
    const held = contentLayers(manifest).map(({ digest }) => this.#held.layer(digest));
    const config = manifest.config && this.#configs.get(manifest.config.digest);
    const described = describeImage(
      manifest,
      config,
      held.map(({ diffId }) => diffId),
    );
    const { place, plan, context, store } = this.#open;
    const chain = new LayerChain(held, { place, plan, signal: context.signal });
    await chain.prepare(await readLayers(store, context));
    this.#image = { manifest, config, described, chain };
  }

  async putSignatures(signatures: readonly Signature[], { digest }: SignedManifest): Promise<void> {
    this.#signatures.set(digest, signatures);
  }

  async commit(): Promise<void> {
    const image = this.#image;
    if (image === undefined) throw new Failure("bug", "An image has no manifest");
    const { place, store, context } = this.#open;
    const items = this.#writeItems(image);
    syncAll(place);
    for (let attempts = 1; ; attempts++) {
      if (await this.#install(image, items)) return;
      if (attempts === mostAttempts) {
        throw new Failure(
          "io",
          "Layers were removed by somebody else while the image was written",
          {
            hint: "try again",
          },
        );
      }
      await image.chain.prepare(await readLayers(store, context));
      syncAll(place);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.staging[Symbol.asyncDispose]();
  }

  /** Makes everything part of the store; false if the store has lost layers that were counted on. */
  async #install(image: PutImage, items: readonly ImageItem[]): Promise<boolean> {
    const { place, store, context, layers } = this.#open;
    const settings = context.settings.containersStorage;
    if (settings === undefined) throw new Failure("bug", "A store was opened without settings");
    const { now } = settings;
    const elsewhere = new Map([...layers].filter(([, layer]) => layer.place.root !== place.root));
    // Both until the image is there, so that nobody takes its layers for superfluous.
    await using locked = await LockedStore.lock(store, context);
    const found = await findMissing(image.chain, locked, elsewhere);
    if (found === undefined) return false;
    const { docker, id = image.described.id } = this.name.wanted;
    const brought = found.missing.map((layer) => layer.id).toReversed();
    await using _ = new RemovalNote({ image: id, layers: brought }, locked);
    await installLayers(found, locked, { elsewhere, now });
    const top = image.chain.ids.at(-1);
    const ready = {
      id,
      ...(top !== undefined && { layer: top }),
      ...(docker !== undefined && { name: fullName(docker) }),
      items,
      metadata: this.#metadata(image),
      created: image.described.created ?? now().toISOString(),
    };
    await installImage(ready, locked.images, place);
    return true;
  }

  #metadata({ manifest }: PutImage): string {
    const sizes = Array.from(this.#signatures, ([digest, signatures]) => {
      return [digest, signatures.map(({ length }) => length)] as const;
    });
    return metadataOf(new Map(sizes), manifestDigest(manifest.raw.bytes));
  }

  /** Writes all that is kept with an image beside the store, in the order in which it is recorded. */
  #writeItems({ manifest, config }: PutImage): readonly ImageItem[] {
    const own = manifestDigest(manifest.raw.bytes);
    const items: ImageItem[] = [];
    const add = (key: string, bytes: Uint8Array, digest = digestOf(bytes)): void => {
      const path = this.#open.plan.records.next();
      attempt(() => writeFileSync(path, bytes, { mode: 0o600, flag: "wx" }));
      items.push({ key, path, size: bytes.length, digest });
    };
    if (config !== undefined) add(manifest.config?.digest ?? "", config);
    if (this.#origin !== undefined) {
      const list = parseManifest(this.#origin);
      // A list that names something else would only mislead.
      if (list.kind === "list" && list.instances.some(({ digest }) => digest === own)) {
        add(`manifest-${digestOf(this.#origin.bytes)}`, this.#origin.bytes);
      }
    }
    add(`manifest-${own}`, manifest.raw.bytes, own);
    add("manifest", manifest.raw.bytes, own);
    const direct = this.#signatures.get(own) ?? [];
    if (direct.length > 0) add("signatures", Buffer.concat(direct));
    for (const [digest, signatures] of this.#signatures) {
      if (signatures.length > 0) add(`signature-${digestHex(digest)}`, Buffer.concat(signatures));
    }
    return items;
  }
}

/** An image whose manifest was put. */
interface PutImage {
  readonly manifest: ImageManifest;
  /** Undefined for schema 1. */
  readonly config: Uint8Array | undefined;
  readonly described: DescribedImage;
  readonly chain: LayerChain;
}

/** One call for thousands of files; nobody waits for us meanwhile. */
function syncAll(place: StorePlace): void {
  attempt(() => {
    const descriptor = openSync(place.root, "r");
    try {
      syncFileSystem(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
}
