import { describe, expect, test } from "bun:test";

import { type Digest, digestOf, parseDigest } from "../../../core/content/digest.ts";
import type { Signature } from "../../../core/image/source.ts";
import { limits } from "../../../core/limits.ts";
import {
  artifactEntry,
  emptyIndex,
  type LayoutIndex,
  withArtifact,
  withImage,
} from "../../../transports/oci/index-json.ts";
import {
  messageType,
  readMessages,
  simpleSigningType,
  withMessages,
} from "../../../transports/oci/simple-signing.ts";
import { referrerEntry } from "../../../transports/shared/referrers.ts";
import { rejection } from "../../support/rejection.ts";
import { sampleImage } from "../../support/sample-images.ts";

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const describedAs = (seed: string) => {
  const { digest, bytes } = sampleImage({ seed, format: "oci" }).manifest;
  return { mediaType, digest: parseDigest(digest), size: bytes.length };
};
const [image, other] = [describedAs("image"), describedAs("other")];
const [one, two, three] = [1, 2, 3].map((each) => Uint8Array.of(0x90, each)) as [
  Signature,
  Signature,
  Signature,
];
const empty = withImage(withImage(emptyIndex, image, "a"), other, "b");

/** Content by digest, as a layout keeps it. */
class Kept {
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly reader = {
    hasBlob: (digest: Digest) => this.blobs.has(digest),
    openBlob: (digest: Digest) => this.#open(digest),
  };

  async *#open(digest: Digest): AsyncGenerator<Uint8Array> {
    yield this.blobs.get(digest) ?? new Uint8Array();
  }

  /** Lists what holds more signatures in place of what has held them. */
  async sign(
    index: LayoutIndex,
    subject: typeof image,
    ...messages: Signature[]
  ): Promise<LayoutIndex> {
    const made = await withMessages(index, { subject, messages }, this.reader);
    if (made === undefined) return index;
    const { artifact, replaced } = made;
    for (const { digest, bytes } of [...artifact.blobs, artifact.manifest]) {
      this.blobs.set(digest, bytes);
    }
    const gone = new Set<string>(replaced);
    const entries = index.entries.filter(({ digest }) => !gone.has(digest));
    return withArtifact(
      { ...index, entries },
      artifactEntry(referrerEntry(artifact), subject.digest),
    );
  }

  read(index: LayoutIndex, { digest } = image): Promise<readonly Signature[]> {
    return readMessages(index, digest, this.reader);
  }

  /** Lists an artifact that somebody else has made. */
  list(index: LayoutIndex, artifact: object): LayoutIndex {
    const bytes = new TextEncoder().encode(JSON.stringify(artifact));
    const manifest = { mediaType, digest: digestOf(bytes), bytes };
    this.blobs.set(manifest.digest, bytes);
    const entry = referrerEntry({ manifest, artifactType: simpleSigningType, blobs: [] });
    return withArtifact(index, artifactEntry(entry, image.digest));
  }
}

const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(one), size: 2 };

function artifactWith(layers: readonly object[], change: object = {}): object {
  const artifact = { schemaVersion: 2, mediaType, artifactType: simpleSigningType, config, layers };
  return { ...artifact, subject: image, ...change };
}

const layerOf = (bytes: Uint8Array, change: object = {}) => ({
  mediaType: messageType,
  digest: digestOf(bytes),
  size: bytes.length,
  ...change,
});

describe("OpenPGP signatures in a layout", () => {
  test("are read as they were put, each once, in one artifact without a name", async () => {
    const kept = new Kept();
    const first = await kept.sign(empty, image, one);
    const second = await kept.sign(first, image, two, one);
    expect(await kept.read(second)).toEqual([one, two]);
    expect(await kept.read(second, other)).toEqual([]);
    expect(await kept.sign(second, image, two)).toBe(second);
    expect(second.entries.map(({ name }) => name)).toEqual(["a", "b", undefined]);
    expect(second.entries.slice(0, 2)).toEqual([...empty.entries]);
    const manifest = kept.blobs.get(parseDigest(second.entries[2]?.digest ?? ""));
    expect(JSON.parse(new TextDecoder().decode(manifest))).toEqual({
      schemaVersion: 2,
      mediaType,
      artifactType: "application/vnd.dray.simple-signing.v1",
      config: {
        mediaType: "application/vnd.oci.empty.v1+json",
        digest: digestOf(new TextEncoder().encode("{}")),
        size: 2,
      },
      layers: [one, two].map((bytes) => ({
        mediaType: "application/vnd.dray.simple-signing.message.v1",
        digest: digestOf(bytes),
        size: 2,
      })),
      subject: image,
    });
  });

  test("of several images stay apart", async () => {
    const kept = new Kept();
    const signed = await kept.sign(await kept.sign(empty, image, one), other, two);
    expect([await kept.read(signed), await kept.read(signed, other)]).toEqual([[one], [two]]);
  });

  test("are found in all artifacts about an image, which become one when more are added", async () => {
    const kept = new Kept();
    for (const each of [one, two]) kept.blobs.set(digestOf(each), each);
    const lists = [[layerOf(one)], [layerOf(two), layerOf(one)]].map((all) => artifactWith(all));
    const index = lists.reduce<LayoutIndex>((before, each) => kept.list(before, each), empty);
    expect(await kept.read(index)).toEqual([one, two]);
    const signed = await kept.sign(index, image, three);
    expect(signed.entries).toHaveLength(3);
    expect(await kept.read(signed)).toEqual([one, two, three]);
  });

  test("are none where an artifact is about something else, or holds something else", async () => {
    const kept = new Kept();
    kept.blobs.set(digestOf(one), one);
    const strange = [
      artifactWith([layerOf(one)], { subject: other }),
      artifactWith([layerOf(one)], { subject: undefined }),
      artifactWith([layerOf(one)], { artifactType: "text/plain" }),
      artifactWith([layerOf(one, { mediaType: "text/plain" })]),
    ];
    const index = strange.reduce<LayoutIndex>((before, each) => kept.list(before, each), empty);
    expect(await kept.read(index)).toEqual([]);
  });

  test("have to be what was promised, and no more than anybody needs", async () => {
    const tries: readonly (readonly [Uint8Array, object, string])[] = [
      [two, layerOf(one), "Digest did not match"],
      [one, layerOf(one, { size: 1 }), ""],
      [one, layerOf(one, { size: limits.signatureBytes + 1 }), "Too many OpenPGP signatures"],
      [one, layerOf(one, { digest: "sha256:../x" }), "digest"],
      [Uint8Array.of(1, 2), layerOf(Uint8Array.of(1, 2)), "unrecognized signature format"],
    ];
    for (const [bytes, layer, why] of tries) {
      const kept = new Kept();
      for (const key of [digestOf(one), digestOf(bytes)]) kept.blobs.set(key, bytes);
      const index = kept.list(empty, artifactWith([layer]));
      const failure = await rejection(kept.read(index));
      expect(failure).toMatchObject({ code: "corrupt" });
      expect(failure.message).toContain(why);
    }
    const kept = new Kept();
    const sigstore = new TextEncoder().encode('\0sigstore-json\n{"payload":""}');
    kept.blobs.set(digestOf(sigstore), sigstore);
    const index = kept.list(empty, artifactWith([layerOf(sigstore)]));
    expect((await rejection(kept.read(index))).message).toContain("is no OpenPGP message");
  });

  test("are not added without end", async () => {
    const kept = new Kept();
    const many = Array.from({ length: limits.signatures + 1 }, (_, each) =>
      Uint8Array.of(0x90, each >> 4, each & 15),
    );
    const failure = await rejection(kept.sign(empty, image, ...many));
    expect(failure).toMatchObject({ code: "unsupported" });
    expect(kept.blobs.size).toBe(0);
  });
});
