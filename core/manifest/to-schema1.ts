// To schema 1: an image as registries of old keep it.

import type { Descriptor } from "../content/descriptor.ts";
import { type Digest, digestHex, digestOf, parseDigest } from "../content/digest.ts";
import { layerFamilies, manifestTypes } from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import { encodeJson } from "../json.ts";
import { type HistoryEntry, readImageConfig } from "./config.ts";
import { readMemberTexts, writeMemberTexts } from "./member-texts.ts";
import { zeroTime } from "./go-schema.ts";
import { type EmbeddedName, writeSchema1 } from "./schema1.ts";

/** An image of a later format. */
export interface LaterImage {
  /** As it is stored. */
  readonly config: Uint8Array;
  /** Base first. */
  readonly layers: readonly LaterLayer[];
  readonly name: EmbeddedName;
}

/** One layer, by what it was in the image that is converted, and by what it is stored as. */
export interface LaterLayer {
  readonly was: Digest;
  readonly stored: Digest;
}

/** A schema 1 manifest, unsigned. */
export interface WrittenSchema1 {
  readonly bytes: Uint8Array;
  /** Whether it names `emptyLayer`, which no image of a later format has. */
  readonly needsEmptyLayer: boolean;
}

/** Stands in schema 1 for every step that changed no file: an empty archive, compressed long ago. */
export const emptyLayer: { readonly bytes: Uint8Array; readonly descriptor: Descriptor } = {
  bytes: Uint8Array.fromHex("1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000"),
  descriptor: {
    mediaType: layerFamilies.docker.gzip,
    digest: parseDigest("sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"),
    size: 32,
  },
};

/**
 * Writes an image as schema 1, byte for byte as the original does but for the signature.
 *
 * Fails with `unsupported` if the history in the config does not say what each layer is, because
 * schema 1 consists of that history, and with `corrupt` on a config that cannot be understood.
 */
export function toSchema1({ config, layers, name }: LaterImage): WrittenSchema1 {
  const { history = [], architecture } = readImageConfig(config);
  checkHistory(history, layers.length);
  const pending = layers.values();
  const steps: { blob: Digest; text: string }[] = [];
  let parent = "";
  for (const [index, entry] of history.entries()) {
    const layer = entry.emptyLayer ? undefined : pending.next().value;
    const { was, stored } = layer ?? { was: empty, stored: empty };
    const newest = index === history.length - 1;
    const id = idOf(was, parent, newest ? config : undefined);
    const text = newest
      ? newestText(config, { id, parent, entry })
      : stepText({ id, parent, entry });
    steps.push({ blob: stored, text });
    parent = id;
  }
  const bytes = writeSchema1({ ...name, architecture, steps });
  return { bytes, needsEmptyLayer: history.some(({ emptyLayer: isEmpty }) => isEmpty) };
}

const empty = emptyLayer.descriptor.digest;

function checkHistory(history: readonly HistoryEntry[], layers: number): void {
  if (history.length === 0) {
    throw unsupported(
      `Cannot convert an image with 0 history entries to ${manifestTypes.schema1Signed}`,
    );
  }
  const named = history.filter((entry) => !entry.emptyLayer).length;
  if (named > layers) {
    throw unsupported(
      `Invalid image configuration, needs more than the ${layers} distributed layers`,
    );
  }
  // The original forgets the layers that are left over.
  if (named < layers) {
    throw unsupported(
      `Invalid image configuration, its history accounts for ${named} of the ${layers} distributed layers`,
    );
  }
}

/** Docker's own way to find an ID. The newest layer's depends on the whole config. */
function idOf(layer: Digest, parent: string, config: Uint8Array | undefined): string {
  const parts = Buffer.from(`${digestHex(layer)} ${parent}`);
  const all = config === undefined ? parts : Buffer.concat([parts, Buffer.from(" "), config]);
  return digestHex(digestOf(all));
}

interface Step {
  readonly id: string;
  /** Empty for the base layer. */
  readonly parent: string;
  readonly entry: HistoryEntry;
}

function stepText({ id, parent, entry }: Step): string {
  return encodeJson({
    id,
    parent: parent || undefined,
    comment: entry.comment || undefined,
    created: entry.created ?? zeroTime,
    container_config: { Cmd: [entry.createdBy] },
    author: entry.author || undefined,
    throwaway: entry.emptyLayer || undefined,
  });
}

/** The newest layer says what the image's config says, but for what the manifest itself tells. */
function newestText(config: Uint8Array, { id, parent, entry }: Step): string {
  const members = readMemberTexts(config);
  for (const name of ["rootfs", "history", "parent", "throwaway"]) members.delete(name);
  members.set("id", encodeJson(id));
  if (parent !== "") members.set("parent", encodeJson(parent));
  if (entry.emptyLayer) members.set("throwaway", "true");
  return writeMemberTexts(members);
}

function unsupported(message: string): Failure {
  return new Failure("unsupported", message);
}
