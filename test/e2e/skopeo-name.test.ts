// The name skopeo: linked under it, the executable is a drop-in for the original.

import { describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { original, testWith } from "../support/needs.ts";
import { executable, linkedAs, run } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

describe("linked as skopeo", () => {
  test("says skopeo in its version, and dray where it is called so", async () => {
    await using scene = new Scene();
    const program = linkedAs("skopeo", scene.path);
    const asSkopeo = await run(["--version"], { cwd: scene.path, program });
    expect(asSkopeo.stdout).toMatch(/^skopeo version \d+\.\d+\.\d+[^\n]*\n$/);
    const asDray = await run(["--version"], { cwd: scene.path });
    expect(asDray.stdout).toMatch(/^dray version \d+\.\d+\.\d+[^\n]*\n$/);
  });

  test("does so under a copy of that name too, found by the PATH", async () => {
    await using scene = new Scene();
    copyFileSync(executable, scene.at("skopeo"));
    const env = { PATH: scene.path };
    const result = await run(["--version"], { cwd: "/", program: "skopeo", env });
    expect(result.stdout).toStartWith("skopeo version ");
  });

  test("misses a command in the original's words", async () => {
    await using scene = new Scene();
    const program = linkedAs("skopeo", scene.path);
    const none = await run([], { cwd: scene.path, program });
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("Missing command 'skopeo COMMAND'");
    const unknown = await run(["cpoy"], { cwd: scene.path, program });
    expect(unknown.stderr).toContain("Unrecognized command `skopeo cpoy`");
  });

  testWith(original())("does what the original does", async () => {
    await using scene = new Scene();
    const program = linkedAs("skopeo", scene.path);
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    const args = ["--insecure-policy", "copy", "-q", source.image];
    expect(await run([...args, "oci:ours:1"], { cwd: scene.path, program })).toMatchObject({
      code: 0,
      stdout: "",
    });
    const raw = ["inspect", "--raw", "oci:ours:1"];
    const ours = await run(raw, { cwd: scene.path, program });
    expect(ours.stdout).toBe((await scene.original(...raw)).stdout);
  });
});
