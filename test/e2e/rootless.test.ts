import { describe, expect } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { RootlessUser, rootlessNeeds } from "../support/rootless.ts";
import { executable } from "../support/run.ts";
import { hexOf, sampleImage, writeLayout } from "../support/sample-images.ts";
import { Workspace } from "../support/workspace.ts";

const sample = sampleImage({ format: "oci", layers: ["gzip", "none"], odd: false });

/** A user with an image in a layout, and what it runs; it fails unless that succeeds. */
async function userWithLayout(workspace: Workspace) {
  const user = new RootlessUser(workspace);
  chmodSync(workspace.path, 0o755);
  writeLayout(workspace.at("layout"), { "1": sample });
  await Bun.write(workspace.at("policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  const run = async (...words: readonly string[]) => {
    const result = await user.run(words, { cwd: workspace.at("home") });
    expect([result.code, result.code === 0 ? "" : result.stderr]).toEqual([0, ""]);
    return result.stdout;
  };
  const copy = (program: string, from: string, to: string) =>
    run(program, "--policy", workspace.at("policy.json"), "copy", "-q", from, to);
  return { run, copy, layout: `oci:${workspace.at("layout")}:1` };
}

describe("somebody who is not root", () => {
  for (const driver of ["vfs", "overlay"] as const) {
    testWith(...rootlessNeeds, "skopeo")(`reads what skopeo stored, by ${driver}`, async () => {
      using workspace = new Workspace();
      const { run, copy, layout } = await userWithLayout(workspace);
      const store = `${driver}@${workspace.at("home/g")}+${workspace.at("run/r")}`;
      const image = `containers-storage:[${store}]localhost/x:1`;
      await copy("skopeo", layout, image);
      const told = JSON.parse(await run(executable, "inspect", image));
      expect(told).toMatchObject({ Name: "localhost/x", Digest: sample.manifest.digest });
      await copy(executable, image, `dir:${workspace.at("home/out")}`);
      const manifest = JSON.parse(readFileSync(workspace.at("home/out/manifest.json"), "utf8"));
      const digests = manifest.layers.map((layer: { digest: string }) => layer.digest);
      expect(digests).toEqual(sample.diffIds);
      for (const digest of digests) {
        const bytes = readFileSync(workspace.at("home/out", hexOf(digest)));
        expect(Bun.CryptoHasher.hash("sha256", bytes, "hex")).toBe(hexOf(digest));
      }
    });
  }
});
