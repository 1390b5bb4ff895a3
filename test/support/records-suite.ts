// Records suite: what every place that keeps facts about blobs has to do.

import { describe, expect, test } from "bun:test";

import type { BlobFact } from "../../core/cache/blob-info.ts";
import type { BlobRecords } from "../../core/cache/records.ts";
import { chunkedAnnotations } from "../../core/content/chunked-layer.ts";
import { digestOf } from "../../core/content/digest.ts";

const digest = (text: string) => digestOf(new TextEncoder().encode(text));
const [layer, packed, content] = [digest("layer"), digest("packed"), digest("content")];
const scope = { transport: "docker", scope: "registry:5000" };
const time = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** Runs the suite over what `open` gives, which is empty each time. */
export function recordsSuite(
  name: string,
  open: () => Partial<Disposable> & { readonly records: BlobRecords },
): void {
  const keeping = (facts: readonly BlobFact[], look: (records: BlobRecords) => void) => {
    const opened = open();
    opened.records.keep(facts.map((fact, index) => ({ fact, timeMs: time + index })));
    look(opened.records);
    opened[Symbol.dispose]?.();
  };

  describe(`${name}, as records,`, () => {
    test("knows nothing at first", () => {
      keeping([], (records) => {
        expect(records.seen(scope, layer)).toEqual([]);
        expect(records.uncompressedOf(layer)).toBeUndefined();
        expect(records.sharing(layer)).toEqual([]);
        expect(records.compressionOf(layer)).toBeUndefined();
        expect(records.chunkedOf(layer)).toBeUndefined();
      });
    });

    test("knows what is the same content", () => {
      const facts: BlobFact[] = [
        { kind: "content", digest: layer, uncompressed: content },
        { kind: "content", digest: packed, uncompressed: content },
      ];
      keeping(facts, (records) => {
        expect(records.uncompressedOf(layer)).toBe(content);
        expect(records.uncompressedOf(content)).toBe(content);
        expect(records.sharing(content).toSorted()).toEqual([layer, packed].toSorted());
        expect(records.sharing(layer)).toEqual([]);
      });
    });

    test.each(["none", "gzip", "zstd"] as const)("knows the compression %s", (compression) => {
      keeping([{ kind: "compression", digest: layer, compression }], (records) => {
        expect(records.compressionOf(layer)).toBe(compression);
      });
    });

    test("knows what is said of a chunked blob, and that others are none", () => {
      const annotations = {
        [chunkedAnnotations.tocDigest]: content,
        [chunkedAnnotations.tocPosition]: "1:2:3:1",
        [chunkedAnnotations.tarSplitPosition]: "4:5:6",
      };
      const fact: BlobFact = { kind: "chunked", digest: layer, annotations, uncompressed: content };
      keeping([fact, { kind: "compression", digest: packed, compression: "zstd" }], (records) => {
        expect(records.chunkedOf(layer)).toEqual(annotations);
        expect(records.chunkedOf(packed)).toBeUndefined();
      });
    });

    test("believes who comes last", () => {
      const facts: BlobFact[] = [
        { kind: "compression", digest: layer, compression: "gzip" },
        { kind: "compression", digest: layer, compression: "zstd" },
      ];
      keeping(facts, (records) => expect(records.compressionOf(layer)).toBe("zstd"));
    });

    test("knows where a blob was seen, and when, scope by scope", () => {
      const at = (location: string, within = scope): BlobFact => {
        return { kind: "location", scope: within, digest: layer, location };
      };
      const elsewhere = { transport: "docker", scope: "other" };
      keeping([at("a"), at("b"), at("c", elsewhere)], (records) => {
        expect(records.seen(scope, layer).toSorted((a, b) => a.timeMs - b.timeMs)).toEqual([
          { location: "a", timeMs: time },
          { location: "b", timeMs: time + 1 },
        ]);
        expect(records.seen(elsewhere, layer)).toEqual([{ location: "c", timeMs: time + 2 }]);
        expect(records.seen(scope, packed)).toEqual([]);
      });
    });
  });
}
