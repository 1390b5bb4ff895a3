// The deprecated `layers`: the same directory as the original makes, and not past the gate.

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, renameSync } from "node:fs";
import { original, testWith } from "../support/needs.ts";
import { run, succeed } from "../support/run.ts";
import { hexOf, sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { treeOf } from "../support/trees.ts";

const image = sampleImage({ seed: "layers", format: "docker", layers: ["gzip", "gzip"] });
const warning = "DEPRECATED: skopeo layers is deprecated in favor of skopeo copy\n";

/** Moves the directory that a run has made to a name that is known. */
function renameResult(scene: Scene, to: string): void {
  const [made] = readdirSync(scene.path).filter((name) => name.startsWith("layers-"));
  renameSync(scene.at(made ?? ""), scene.at(to));
}

describe("layers", () => {
  testWith(original())("makes what the original makes", async () => {
    await using scene = new Scene();
    const store = await scene.store("dir");
    await store.fill(image);
    for (const wanted of [[], [hexOf(image.layers[1]?.digest ?? "")]]) {
      const ours = await scene.dray("layers", store.image, ...wanted);
      expect(ours).toMatchObject({ code: 0, stdout: "", stderr: warning });
      renameResult(scene, `ours-${wanted.length}`);
      await succeed(["--insecure-policy", "layers", store.image, ...wanted], {
        cwd: scene.path,
        program: original(),
      });
      renameResult(scene, `theirs-${wanted.length}`);
      const theirs = treeOf(scene.at(`theirs-${wanted.length}`));
      expect(treeOf(scene.at(`ours-${wanted.length}`))).toEqual(theirs);
    }
  });

  test("G1: writes nothing that the policy refuses, not even a directory", async () => {
    await using scene = new Scene();
    const store = await scene.store("oci");
    await store.fill(image);
    await Bun.write(scene.at("policy.json"), JSON.stringify({ default: [{ type: "reject" }] }));
    const args = ["--policy", scene.at("policy.json"), "layers", store.image];
    const result = await run(args, { cwd: scene.path });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("Source image rejected: Running image ");
    expect(existsSync(scene.at("policy.json"))).toBe(true);
    expect(readdirSync(scene.path).filter((name) => name.startsWith("layers-"))).toEqual([]);
  });

  test.each([
    [[], "Usage: layers imageReference [layer...]"],
    [["oci:x", "zz"], "invalid digest"],
  ])("refuses %j", async (words, message) => {
    await using scene = new Scene();
    const result = await scene.dray("layers", ...words);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(message);
  });
});
