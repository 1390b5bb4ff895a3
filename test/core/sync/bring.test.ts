import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import { BlobSharing } from "../../../core/copy/blob-sharing.ts";
import type { ToldEvent } from "../../../core/copy/events.ts";
import type { Glance, ImageReference } from "../../../core/image/transport.ts";
import { bringImage } from "../../../core/sync/bring.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage, sampleList, type Sample } from "../../support/sample-images.ts";
import { plainCopy } from "../../support/sync-run.ts";
import { transportContext } from "../../support/transport-context.ts";

const context = transportContext();
const image = sampleImage();
const list = sampleList();

const at = ({ manifest }: Sample): Glance => ({
  digest: parseDigest(manifest.digest),
  perhapsSigned: false,
  mediaType: manifest.mediaType,
});

/** Brings a sample to a place that has something, and returns what came of it and what was said. */
async function bring(sample: Sample, there: Glance | undefined, claim = () => {}) {
  const [from, into] = [new MemoryTransport(), new MemoryTransport()];
  from.add("a", sample);
  const glancing = (reference: ImageReference, glance: Glance | undefined): ImageReference => ({
    ...reference,
    glance: async () => glance,
  });
  const said: string[] = [];
  const result = await bringImage({
    source: { reference: glancing(from.parseReference("a"), at(sample)), context },
    destination: { reference: glancing(into.parseReference("b"), there), context },
    copy: plainCopy(),
    place: { transport: into, context, overwrites: false },
    sharing: new BlobSharing(3),
    claim,
    begin: () => said.push("begun"),
    tell: ({ kind }: ToldEvent) => said.push(kind),
  });
  return { ...result, said, written: into.images.has("b") };
}

const leaving = ["begun", "copy-begun", "signatures-sought", "image-present", "copy-ended"];

describe("bringImage", () => {
  test("copies what is not there", async () => {
    const { outcome, written, digest, source, said } = await bring(image, undefined);
    expect({ outcome, written }).toEqual({ outcome: "copied", written: true });
    expect(digest).toBe(parseDigest(image.manifest.digest));
    expect(source?.layers?.length).toBe(new Set(image.layers.map((layer) => layer.digest)).size);
    expect(said[0]).toBe("begun");
  });

  test("leaves what is there, and asks for no place for it", async () => {
    const refuse = () => {
      throw new Error("there is no place");
    };
    const { outcome, written, bytes, said } = await bring(image, at(image), refuse);
    expect({ outcome, written, bytes }).toEqual({ outcome: "present", written: false, bytes: 0 });
    expect(said).toEqual(leaving);
  });

  test("leaves the image of a list that is there, and knows the list it was chosen from", async () => {
    const [chosen = image, another = image] = list.images;
    const found = await bring(list, at(chosen));
    expect(found).toMatchObject({ outcome: "present", written: false, said: leaving });
    expect(found.digest).toBe(parseDigest(chosen.manifest.digest));
    expect(found.source).toEqual({ digest: parseDigest(list.manifest.digest) });
    expect((await bring(list, at(another))).outcome).toBe("copied");
  });

  test("says nothing of an image for which there is no place", async () => {
    const said: string[] = [];
    const refused = bring(image, at(list), () => {
      throw new Error("there is no place");
    });
    expect(await refused.catch((error: Error) => error.message)).toBe("there is no place");
    expect(said).toEqual([]);
  });
});
