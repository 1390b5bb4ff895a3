import { expect, test } from "bun:test";

import { lackingImages } from "../../../transports/shared/lacking-images.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";

test("lackingImages tells of a list whether all of its images are there", () => {
  for (const format of ["docker", "oci"] as const) {
    const { manifest, images } = sampleList({ format });
    const first = images[0]?.manifest.digest;
    expect(lackingImages(manifest, () => true)).toEqual({ lacksImages: false });
    expect(lackingImages(manifest, (digest) => digest === first)).toEqual({ lacksImages: true });
    expect(lackingImages(sampleImage({ format }).manifest, () => false)).toEqual({});
  }
});
