// Superfluous layers: those of an image that nothing else in its store needs.

import type { JsonObject } from "../../core/json.ts";
import { imageRecord, type LayerRecord } from "./records.ts";

/** What is there besides the image, and all layers. */
export interface OtherHolders {
  readonly images: readonly JsonObject[];
  readonly containers: readonly JsonObject[];
  /** Those of the image, too. */
  readonly layers: readonly LayerRecord[];
}

/** Returns the layers of an image that go with it, from the top down. */
export function superfluousLayers(
  image: JsonObject,
  { images, containers, layers }: OtherHolders,
): readonly LayerRecord[] {
  const needed = new Set([
    ...images.flatMap(topsOf),
    ...containers.map((json) => String(json["layer"] ?? "")),
  ]);
  const byId = new Map(layers.map((record) => [record.id, record]));
  const superfluous = new Map<string, LayerRecord>();
  const hasChild = (id: string) =>
    layers.some((each) => each.parent === id && !superfluous.has(each.id));
  for (const top of topsOf(image)) {
    for (let id: string | undefined = top; id !== undefined && !superfluous.has(id);) {
      const record = byId.get(id);
      if (record === undefined || needed.has(id) || hasChild(id)) break;
      superfluous.set(id, record);
      id = record.parent;
    }
  }
  return [...superfluous.values()];
}

/** An image may have its top layer several times, for mappings of owners. */
function topsOf(json: JsonObject): readonly string[] {
  const mapped = json["mapped-layers"];
  const { layer } = imageRecord(json);
  return [
    ...(layer === undefined ? [] : [layer]),
    ...(Array.isArray(mapped) ? mapped.map(String) : []),
  ];
}
