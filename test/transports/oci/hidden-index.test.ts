import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";

import { type Digest, digestOf, parseDigest } from "../../../core/content/digest.ts";
import type { Referrer, SmallBlob } from "../../../core/image/source.ts";
import type { Transport } from "../../../core/image/transport.ts";
import { ociArchive } from "../../../transports/oci/archive/reference.ts";
import { withHidden, withHiddenEntries } from "../../../transports/oci/hidden-index.ts";
import {
  artifactEntry,
  emptyIndex,
  hiddenIndexOf,
  withHiddenIndex,
  withImage,
} from "../../../transports/oci/index-json.ts";
import { oci } from "../../../transports/oci/reference.ts";
import { bundleOf, bundleType, referrerOf } from "../../support/bundles.ts";
import { putSample } from "../../support/carry.ts";
import { rejection } from "../../support/rejection.ts";
import { type Sample, sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const image = sampleImage({ seed: "image", format: "oci" });
const digest = parseDigest(image.manifest.digest);
const other = parseDigest(`sha256:${"1".repeat(64)}`);
const index = withImage(emptyIndex, { mediaType, digest, size: 1 }, "a");

function kept() {
  const blobs = new Map<Digest, Uint8Array>();
  return {
    blobs,
    reader: {
      hasBlob: (wanted: Digest) => blobs.has(wanted),
      openBlob: async function* (wanted: Digest) {
        yield blobs.get(wanted) ?? new Uint8Array();
      },
    },
    put: async (blob: SmallBlob) => void blobs.set(blob.digest, blob.bytes),
  };
}

const artifact = (name: string, about = digest) => {
  const json = { mediaType, digest: digestOf(Buffer.from(name)), size: 1, artifactType: "a/b" };
  return artifactEntry(json, about);
};
const none = new Set<string>();

describe("the hidden index", () => {
  test("leads to what is about an image, and lists nothing more", async () => {
    const place = kept();
    const [one, two, three] = ["1", "2", "3"].map((name) => artifact(name));
    if (one === undefined || two === undefined || three === undefined) throw new Error();
    const first = await withHidden(
      index,
      { image: digest, added: [one, two], replaced: none },
      place,
    );
    expect(first.entries).toHaveLength(1);
    const change = { image: digest, added: [two, three], replaced: new Set([one.digest]) };
    const second = await withHidden(first, change, place);
    const whole = await withHiddenEntries(second, [digest], place.reader);
    expect(whole.entries.slice(1)).toEqual([two, three]);
    expect(await withHiddenEntries(second, [other], place.reader)).toBe(second);
  });

  test("stays behind an image that gets another name, or comes again", () => {
    const hidden = withHiddenIndex(index, digest, other);
    const twice = withImage(hidden, { mediaType, digest, size: 1 }, "b");
    expect(twice.entries.map(hiddenIndexOf)).toEqual([other, other]);
    const replaced = withImage(hidden, { mediaType, digest: other, size: 1 }, "a");
    expect(replaced.entries.map(hiddenIndexOf)).toEqual([other, undefined]);
  });

  test("may have been cleared away, and has to be what it is called", async () => {
    const place = kept();
    const change = { image: digest, added: [artifact("1")], replaced: none };
    const signed = await withHidden(index, change, place);
    const [hidden] = place.blobs.keys();
    place.blobs.set(hidden ?? digest, new TextEncoder().encode('{"manifests":[]}'));
    const failure = await rejection(withHiddenEntries(signed, [digest], place.reader));
    expect(failure).toMatchObject({ code: "corrupt" });
    place.blobs.clear();
    expect(await withHiddenEntries(signed, [digest], place.reader)).toBe(signed);
    const odd = withHiddenIndex(index, digest, "sha256:../x");
    expect(await withHiddenEntries(odd, [digest], place.reader)).toBe(odd);
  });
});

const places: readonly (readonly [string, Transport, string])[] = [
  ["oci", oci, "layout"],
  ["oci-archive", ociArchive, "a.tar"],
];

describe.each(places)("%s", (_, transport, path) => {
  const context = transportContext({ settings: { oci: { appends: true } } });
  const list = sampleList({ seed: "list", format: "oci" });
  const digestsOf = (sample: Sample) =>
    [sample, ...("images" in sample ? sample.images : [])].map((each) =>
      parseDigest(each.manifest.digest),
    );
  const message = (of: Digest, name = "") =>
    Buffer.concat([Uint8Array.of(0x90), Buffer.from(of + name)]);
  const open = (workspace: Workspace, name: string) =>
    transport.parseReference(`${workspace.at(path)}:${name}`);

  const bundle = bundleOf();

  function bundleAbout(of: Digest): Referrer {
    const bytes = referrerOf({ digest: of, size: 1 }, bundle);
    const blob = (type: string, content: Uint8Array) => {
      return { mediaType: type, digest: digestOf(content), bytes: content };
    };
    return {
      manifest: blob(mediaType, bytes),
      artifactType: bundleType,
      blobs: [blob(bundleType, bundle), blob("a/b", new TextEncoder().encode("{}"))],
    };
  }

  /** Writes a sample with a signature of it and of each of its images, and bundles if so wished. */
  async function write(
    workspace: Workspace,
    name: string,
    sample: Sample,
    more = "",
  ): Promise<void> {
    await using destination = await open(workspace, name).openDestination(context);
    await putSample(destination, sample);
    for (const of of digestsOf(sample)) {
      await destination.putSignatures([message(of, more)], { digest: of });
      if (more === "") await destination.putReferrers?.([bundleAbout(of)], { digest: of });
    }
    await destination.commit();
  }

  async function held(workspace: Workspace, name: string, sample: Sample) {
    await using source = await open(workspace, name).openSource(context);
    return await Promise.all(
      digestsOf(sample).map(async (of) => {
        const referrers = await source.readReferrers?.(of, bundleType);
        const bundles = referrers?.filter(
          ({ bytes }) => digestOf(bytes) === bundleAbout(of).manifest.digest,
        );
        return {
          signatures: await source.readSignatures({ digest: of }),
          bundles: bundles?.length,
        };
      }),
    );
  }

  test("keeps OpenPGP signatures and bundles, of lists and their images, beside others", async () => {
    using workspace = new Workspace();
    await write(workspace, "image", image);
    await write(workspace, "list", list);
    for (const [name, sample] of [
      ["image", image],
      ["list", list],
    ] as const) {
      expect(await held(workspace, name, sample)).toEqual(
        digestsOf(sample).map((of) => ({ signatures: [message(of)], bundles: 1 })),
      );
    }
  });

  test("adds signatures to those that are there", async () => {
    using workspace = new Workspace();
    await write(workspace, "list", list);
    await write(workspace, "image", image);
    await write(workspace, "list", list, "more");
    expect(await held(workspace, "list", list)).toEqual(
      digestsOf(list).map((of) => ({ signatures: [message(of), message(of, "more")], bundles: 1 })),
    );
    expect(await held(workspace, "image", image)).toMatchObject([{ bundles: 1 }]);
  });
});

test("delete takes what is hidden behind an image along", async () => {
  using workspace = new Workspace();
  const context = transportContext();
  const reference = oci.parseReference(`${workspace.at("layout")}:a`);
  {
    await using destination = await reference.openDestination(context);
    await putSample(destination, image);
    await destination.putSignatures([Uint8Array.of(0x90)], { digest });
    await destination.commit();
  }
  expect(readdirSync(workspace.at("layout", "blobs", "sha256")).length).toBeGreaterThan(3);
  await reference.deleteImage?.(context);
  expect(readdirSync(workspace.at("layout", "blobs", "sha256"))).toEqual([]);
  expect(readFileSync(workspace.at("layout", "index.json"), "utf8")).toContain('"manifests":[]');
});
