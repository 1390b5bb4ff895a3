import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import type { ImageReference } from "../../../core/image/transport.ts";
import { mayHaveChosen, OpenedList } from "../../../core/sync/opened-list.ts";
import { holding } from "../../support/engine.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

const list = sampleList();
const context = transportContext();
const platform = { os: "linux", architecture: "amd64" };
const [first, second] = list.images.map(({ manifest }) => parseDigest(manifest.digest));

/** Counts how often a source is opened and closed. */
function watched(reference: ImageReference) {
  const counts = { opened: 0, closed: 0 };
  const watching: ImageReference = {
    ...reference,
    async openSource(own) {
      counts.opened++;
      const source = await reference.openSource(own);
      return Object.assign(Object.create(source), {
        async [Symbol.asyncDispose]() {
          counts.closed++;
        },
      });
    },
  };
  return { counts, reference: watching };
}

describe("OpenedList", () => {
  test("tells which image a copy would take, and whether as it is", async () => {
    const reference = holding(list).parseReference("a");
    await using opened = await OpenedList.open({ reference, context });
    if (first === undefined || second === undefined) throw new Error("two images are needed");
    const format = "application/vnd.docker.distribution.manifest.v1+json";
    expect(await opened.chooses(first, { platform })).toBe(true);
    expect(await opened.chooses(second, { platform })).toBe(false);
    expect(await opened.chooses(first, { platform, format })).toBe(false);
    const nowhere = { os: "plan9", architecture: "amd64" };
    expect(await opened.chooses(first, { platform: nowhere })).toBe(false);
  });

  test("is no choice where there is no list", async () => {
    const image = sampleImage();
    const reference = holding(image).parseReference("a");
    await using opened = await OpenedList.open({ reference, context });
    expect(await opened.chooses(parseDigest(image.manifest.digest), { platform })).toBe(false);
  });

  test("closes what nobody has taken over, and leaves the rest to whoever has", async () => {
    const { counts, reference } = watched(holding(list).parseReference("a"));
    {
      await using _ = await OpenedList.open({ reference, context });
    }
    expect(counts).toEqual({ opened: 1, closed: 1 });
    const opened = await OpenedList.open({ reference, context });
    const source = await opened.reference.openSource(context);
    await opened[Symbol.asyncDispose]();
    expect(counts).toEqual({ opened: 2, closed: 1 });
    await source[Symbol.asyncDispose]();
    expect(counts).toEqual({ opened: 2, closed: 2 });
    await opened.reference.openSource(context);
    expect(counts.opened).toBe(3);
  });
});

test("mayHaveChosen asks for a list on the one side and an image on the other", () => {
  const [image, index] = ["manifest", "index"].map((kind) => ({
    digest: parseDigest(list.manifest.digest),
    perhapsSigned: false,
    mediaType: `application/vnd.oci.image.${kind}.v1+json`,
  }));
  if (image === undefined || index === undefined) throw new Error("two are needed");
  const one = { images: "system" } as const;
  expect(mayHaveChosen({ source: index, destination: image }, one)).toBe(true);
  expect(mayHaveChosen({ source: index, destination: image }, { images: "all" })).toBe(false);
  expect(mayHaveChosen({ source: index, destination: index }, one)).toBe(false);
  expect(mayHaveChosen({ source: image, destination: image }, one)).toBe(false);
  expect(mayHaveChosen({ destination: image }, one)).toBe(false);
  expect(mayHaveChosen({ source: index }, one)).toBe(false);
});
