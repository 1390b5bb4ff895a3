// Progress on a terminal: the original's last words for each blob, and a summary.

import { describe, expect, test } from "bun:test";
import { runOnTerminal } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const image = sampleImage({ format: "oci" });

describe("copy on a terminal", () => {
  test("ends each blob's line as the original does, whether it was moved or there", async () => {
    await using scene = new Scene();
    const [first, second] = [await copied(scene), await copied(scene)];
    for (const layer of image.layers) {
      const short = layer.digest.slice("sha256:".length, "sha256:".length + 12);
      expect(first).toContain(`Copying blob ${short} done`);
      expect(second).toContain(`Copying blob ${short} skipped: already exists`);
    }
    expect(first).toContain("Writing manifest to image destination");
  });

  test("sums up what was moved and what was there", async () => {
    await using scene = new Scene();
    expect(await copied(scene)).toMatch(/moved in 4 blobs, 0B reused in 0, .* s\s*$/);
    expect(await copied(scene)).toMatch(/^0B moved in 0 blobs, .* reused in 4, .* s\s*$/m);
  });

  test("uses no colour where NO_COLOR is set, and draws nothing with --quiet", async () => {
    await using scene = new Scene();
    expect(await copied(scene, { NO_COLOR: "1" })).not.toMatch(/\u001b\[[\d;]*m/);
    expect(await copied(scene, {}, "--quiet")).toBe("");
  });
});

/** Copies the image into a layout of the scene, and returns what was drawn. */
async function copied(
  scene: Scene,
  env: Readonly<Record<string, string>> = {},
  ...flags: readonly string[]
): Promise<string> {
  const source = await scene.store("dir");
  await source.fill(image);
  const args = ["--insecure-policy", "copy", ...flags, source.image, "oci:there:1"];
  const { code, drawn } = await runOnTerminal(args, { cwd: scene.path, env });
  expect(code).toBe(0);
  return drawn;
}
