import { describe, expect, test } from "bun:test";

import { type AdmissionRequest, admitSelected } from "../../../core/copy/admission.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { Gate, type Policy } from "../../../core/trust/gate.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { failureOf, holding, rejecting } from "../../support/engine.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";
import type { Sample } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

const image = sampleImage();
const list = sampleList();
const [amd64, arm64] = list.images.map(({ manifest }) => manifest.digest);

function sourceOf(sample: Sample): Promise<ImageSource> {
  return holding(sample).parseReference("a").openSource(transportContext());
}

function asking(wish: Partial<AdmissionRequest> & { readonly policy?: Policy }): AdmissionRequest {
  const { policy = acceptEverything, ...rest } = wish;
  return {
    gate: new Gate(policy, { requireSigned: false, now: () => new Date() }),
    images: "system",
    parallelBlobs: 3,
    tell: () => undefined,
    platform: { os: "linux", architecture: "amd64" },
    signatures: "copy",
    ...rest,
  };
}

describe("admitSelected", () => {
  test.each(["system", "all", "index-only"] as const)("admits an image: %s", async (images) => {
    const admission = await admitSelected(await sourceOf(image), asking({ images }));
    expect(admission).toMatchObject({ kind: "image", image: { digest: image.manifest.digest } });
    expect(admission.kind === "image" && admission.list).toBeUndefined();
  });

  test("admits one image of a list, and remembers the list", async () => {
    // Nobody asks about what stays behind, the list included.
    const policy = rejecting(arm64 ?? "", list.manifest.digest);
    const admission = await admitSelected(await sourceOf(list), asking({ policy }));
    expect(admission).toMatchObject({
      kind: "image",
      image: { digest: amd64 },
      list: { bytes: list.manifest.bytes },
    });
  });

  test("admits a list with its images, in its order", async () => {
    const admission = await admitSelected(await sourceOf(list), asking({ images: "all" }));
    if (admission.kind !== "list") throw new Error("no list");
    expect(String(admission.image.digest)).toBe(list.manifest.digest);
    expect(admission.instances.map((each) => String(each.image.digest))).toEqual(
      list.images.map(({ manifest }) => manifest.digest),
    );
  });

  test("says which image of how many is refused", async () => {
    const policy = rejecting(arm64 ?? "");
    const admitting = admitSelected(await sourceOf(list), asking({ images: "all", policy }));
    expect((await failureOf(admitting)).message).toStartWith(
      `copying image 2/${list.images.length} from manifest list: Source image rejected: `,
    );
    const chosen = rejecting(amd64 ?? "");
    const choosing = admitSelected(await sourceOf(list), asking({ policy: chosen }));
    expect((await failureOf(choosing)).message).toStartWith(
      "copying system image from manifest list: Source image rejected: ",
    );
  });
});
