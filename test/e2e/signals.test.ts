// F8: a signal in the middle of a blob ends the copy, and nothing of it is left.

import { describe, expect, test } from "bun:test";
import { startHoldingRegistry } from "../support/holding-registry.ts";
import { executable, start } from "../support/run.ts";
import { sampleImage, writeLayout } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { StuckPipe } from "../support/stuck-pipe.ts";
import { treeOf } from "../support/trees.ts";

const image = sampleImage({ format: "oci", ballastBytes: 2_000_000 });
const signals = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

describe("F8, row 39: a signal while a blob is read", () => {
  for (const kind of ["dir", "oci"] as const) {
    test.each(signals)(
      `leaves nothing in ${kind}: after %s, and exits with %d`,
      async (signal, code) => {
        await using scene = new Scene();
        await using registry = startHoldingRegistry("download", image);
        const args = [
          "copy",
          "--src-tls-verify=false",
          registry.image,
          `${kind}:${scene.at("there")}`,
        ];
        const running = start(["--insecure-policy", ...args], { cwd: scene.path });
        await registry.held;
        running.kill(signal);
        const result = await running.done;
        expect(result.code).toBe(code);
        expect(result.wallMs).toBeLessThan(10_000);
        expect(treeOf(scene.path)).toEqual({});
      },
    );

    test(`keeps what was in ${kind}: before`, async () => {
      await using scene = new Scene();
      await using registry = startHoldingRegistry("download", image);
      const store = await scene.store(kind);
      await store.fill(sampleImage({ format: "oci", seed: "old" }));
      const before = treeOf(scene.path);
      const args = ["copy", "--src-tls-verify=false", registry.image, store.image];
      const running = start(["--insecure-policy", ...args], { cwd: scene.path });
      await registry.held;
      running.kill("SIGTERM");
      expect((await running.done).code).toBe(143);
      const after = treeOf(scene.path);
      expect(after).toMatchObject(before);
      // Whole blobs may stay behind in a layout that others use, parts and names may not.
      for (const path of Object.keys(after).filter((each) => !(each in before))) {
        expect(path).toMatch(/^oci-1\/blobs\/sha256\/[0-9a-f]{64}$/);
        expect(after[path]).toEndWith(path.slice(-64));
      }
    });
  }

  test("is obeyed at once when it comes twice", async () => {
    await using scene = new Scene();
    await using registry = startHoldingRegistry("download", image);
    const args = ["copy", "--src-tls-verify=false", registry.image, "dir:there"];
    const running = start(["--insecure-policy", ...args], { cwd: scene.path });
    await registry.held;
    running.kill("SIGINT");
    running.kill("SIGINT");
    expect((await running.done).code).toBe(130);
  });
});

describe("F8, row 39: a signal while a blob is sent", () => {
  test.each(signals)("gives the upload up after %s, and exits with %d", async (signal, code) => {
    await using scene = new Scene();
    await using registry = startHoldingRegistry("upload", image);
    const store = await scene.store("oci");
    await store.fill(image);
    const args = ["copy", "--dest-tls-verify=false", store.image, registry.image];
    const running = start(["--insecure-policy", ...args], { cwd: scene.path });
    await registry.held;
    running.kill(signal);
    expect((await running.done).code).toBe(code);
    expect(
      registry.lines.some((line) => line.startsWith("PUT ") && line.includes("/manifests/")),
    ).toBe(false);
    expect(
      registry.lines.some((line) => line.startsWith("DELETE ") && line.includes("/blobs/uploads/")),
    ).toBe(true);
  });
});

describe("a signal while a reader has stopped reading", () => {
  /** Starts the executable with one of its streams, or a descriptor beyond them, on a pipe. */
  const startInto = (scene: Scene, redirection: string, ...args: readonly string[]) =>
    start(["-c", `exec "$0" "$@" ${redirection}`, executable, "--insecure-policy", ...args], {
      cwd: scene.path,
      program: "/bin/sh",
    });

  test.each([
    ["events", "4>pipe", ["--events", "fd:4"]],
    ["events in a named pipe", "", ["--events", "pipe"]],
    ["progress as JSON", "2>pipe", ["--progress", "json"]],
    ["lines of progress", ">pipe", []],
  ])("ends a copy that has told %s, and leaves nothing", async (_, redirection, flags) => {
    await using scene = new Scene();
    await using registry = startHoldingRegistry("download", image);
    using __ = new StuckPipe(scene.at("pipe"));
    const args = ["copy", "--src-tls-verify=false", ...flags, registry.image, "dir:there"];
    const running = startInto(scene, redirection, ...args);
    await registry.held;
    running.kill("SIGINT");
    expect((await running.done).code).toBe(130);
    expect(Object.keys(treeOf(scene.path))).toEqual(["pipe"]);
  });

  test.each([
    ["a result", ["schema", "events"]],
    ["a docker-archive", ["copy", "oci:image", "docker-archive:-"]],
    ["an oci-archive", ["copy", "oci:image", "oci-archive:-"]],
  ])("ends a command in the middle of %s", async (_, args) => {
    await using scene = new Scene();
    writeLayout(scene.at("image"), { one: image });
    using pipe = new StuckPipe(scene.at("pipe"), 1);
    const running = startInto(scene, ">pipe", ...args);
    await pipe.filled();
    running.kill("SIGTERM");
    const { code, stderr } = await running.done;
    expect(code).toBe(143);
    expect(stderr).toContain("canceled by SIGTERM");
  });

  test("a command waits for readers, and loses nothing", async () => {
    await using scene = new Scene();
    using pipe = new StuckPipe(scene.at("pipe"));
    const running = startInto(scene, ">pipe", "schema", "events");
    const said = await pipe.take(running.done);
    expect((await running.done).code).toBe(0);
    expect(said).toBe((await scene.dray("schema", "events")).stdout);
  });
});
