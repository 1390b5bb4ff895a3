import { describe, expect, test } from "bun:test";

import { type Digest, parseDigest } from "../../../core/content/digest.ts";
import { BlobSharing } from "../../../core/copy/blob-sharing.ts";
import type { ToldEvent } from "../../../core/copy/events.ts";
import type { Glance, ImageReference } from "../../../core/image/transport.ts";
import { bringImage } from "../../../core/sync/bring.ts";
import type { ChosenImage } from "../../../core/sync/lock-file.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { rejection } from "../../support/rejection.ts";
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

interface Wish {
  readonly claim?: () => void;
  readonly chosen?: ChosenImage;
  /** What the source's name pins. */
  readonly pin?: Digest;
}

/** Brings a sample to a place that has something, and returns what came of it and what was said. */
async function bring(sample: Sample, there: Glance | undefined, wish: Wish = {}) {
  const { claim = () => {}, chosen, pin } = wish;
  const [from, into] = [new MemoryTransport(), new MemoryTransport()];
  from.add("a", sample);
  const glancing = (reference: ImageReference, glance: Glance | undefined): ImageReference => ({
    ...reference,
    glance: async () => glance,
  });
  const said: string[] = [];
  const result = await bringImage({
    source: {
      reference: {
        ...glancing(from.parseReference("a"), at(sample)),
        ...(pin !== undefined && { digest: pin }),
      },
      context,
    },
    chosen,
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
    const { outcome, written, bytes, said } = await bring(image, at(image), { claim: refuse });
    expect({ outcome, written, bytes }).toEqual({ outcome: "present", written: false, bytes: 0 });
    expect(said).toEqual(leaving);
  });

  test("leaves the image of a list that is there, and knows the list it was chosen from", async () => {
    const [chosen = image, another = image] = list.images;
    const found = await bring(list, at(chosen));
    expect(found).toMatchObject({ outcome: "present", written: false, said: leaving });
    expect(found.digest).toBe(parseDigest(chosen.manifest.digest));
    const digest = parseDigest(list.manifest.digest);
    expect(found.source).toEqual({ digest, chosen: parseDigest(chosen.manifest.digest) });
    const other = await bring(list, at(another));
    expect(other).toMatchObject({ outcome: "copied", source: found.source ?? {} });
  });

  test("believes a lock about the list that it names, for the platform that it names", async () => {
    const [chosen = image] = list.images;
    const digest = parseDigest(chosen.manifest.digest);
    const known = { platform: "linux/amd64", digest };
    // The list itself is never read.
    const unread = { ...list, images: [], manifest: { ...list.manifest, bytes: new Uint8Array() } };
    const pin = parseDigest(list.manifest.digest);
    const found = await bring(unread, at(chosen), { chosen: known, pin });
    expect(found).toMatchObject({ outcome: "present", source: { digest: pin, chosen: digest } });
    for (const wrong of [
      { chosen: { ...known, platform: "linux/arm64" }, pin },
      { chosen: known },
    ]) {
      expect((await rejection(bring(unread, at(chosen), wrong))).code).toBe("corrupt");
    }
  });

  test("says nothing of an image for which there is no place", async () => {
    const said: string[] = [];
    const claim = () => {
      throw new Error("there is no place");
    };
    const refused = bring(image, at(list), { claim });
    expect(await refused.catch((error: Error) => error.message)).toBe("there is no place");
    expect(said).toEqual([]);
  });
});
