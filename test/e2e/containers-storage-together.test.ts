// containers-storage, together: several programs on one store.

import { describe, expect } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { PodmanStore } from "../support/podman-store.ts";
import { executable, start } from "../support/run.ts";
import { madeLayers, imageOfLayers } from "../support/made-store.ts";
import { type Sample, sampleImage, writeLayout } from "../support/sample-images.ts";

const layered = { format: "oci", layers: ["gzip", "none", "zstd"], ballastBytes: 200_000 } as const;

function layoutOf(store: PodmanStore, sample: Sample, name = "layout"): string {
  writeLayout(store.workspace.at(name), { "1": sample });
  return `oci:${store.workspace.at(name)}:1`;
}

describe("containers-storage, together", () => {
  for (const engine of ["podman", "newer:podman"] as const) {
    testWith("root", engine, "newer:skopeo")(
      `two writers of ours, one of others, ${engine} reading and removing: nothing of 50 images is lost`,
      async () => {
        using store = new PodmanStore();
        const skopeo = newerProgram("skopeo");
        // Half of them share layers with others.
        const sources = Array.from({ length: 50 }, (_, index) => {
          const files =
            index % 2 === 0 ? [`shared-${index % 5}`, `own-${index}`] : [`own-${index}`];
          return layoutOf(store, imageOfLayers(madeLayers(...files)), `layout-${index}`);
        });
        const removed = new Set<number>();
        const written = new Set<number>();
        const write = async (indexes: readonly number[], by: "dray" | "skopeo") => {
          for (const index of indexes) {
            const to = store.image(`localhost/x:${index}`);
            const from = sources[index] ?? "";
            if (by === "dray") await store.copy(from, to);
            else await store.program(skopeo, "--insecure-policy", "copy", "--quiet", from, to);
            written.add(index);
          }
        };
        const every = (first: number) =>
          Array.from({ length: 50 }, (_, i) => i).filter((i) => i % 3 === first);
        let busy = true;
        const read = async () => {
          while (busy) {
            const { code, stderr } = await store.tryPodman(engine, "images", "--all");
            // It looks twice, and does not mind saying so if an image is gone the second time.
            if (code !== 0) expect(stderr).toMatch(/(image|layer) not known|no such image/);
            await Bun.sleep(100);
          }
        };
        const remove = async () => {
          while (busy) {
            const next = [...written].find((index) => index % 7 === 3 && !removed.has(index));
            if (next === undefined) {
              await Bun.sleep(20);
              continue;
            }
            if (next % 2 === 0) await store.podman(engine, "rmi", `localhost/x:${next}`);
            else {
              const result = await store.dray("delete", store.image(`localhost/x:${next}`));
              expect(result).toMatchObject({ code: 0, stderr: "" });
            }
            removed.add(next);
          }
        };
        const beside = Promise.all([read(), remove()]);
        try {
          await Promise.all([
            write(every(0), "dray"),
            write(every(1), "dray"),
            write(every(2), "skopeo"),
          ]);
          await Bun.sleep(300);
        } finally {
          busy = false;
          await beside;
        }
        expect(removed.size).toBeGreaterThan(0);
        const names = store.images().flatMap((image) => image.names ?? []);
        const expected = Array.from({ length: 50 }, (_, i) => i).filter(
          (index) => !removed.has(index),
        );
        expect(names.toSorted()).toEqual(
          expected.map((index) => `localhost/x:${index}`).toSorted(),
        );
        expect(store.faults()).toEqual([]);
        for (const index of expected.slice(0, 10)) {
          const image = store.image(`localhost/x:${index}`);
          await store.copy(image, `dir:${store.workspace.at(`ours-${index}`)}`);
          const to = `dir:${store.workspace.at(`theirs-${index}`)}`;
          await store.program(skopeo, "--insecure-policy", "copy", "--quiet", image, to);
        }
      },
      300_000,
    );
  }

  testWith("root", "podman")("waits for whoever holds a lock, and takes an abort", async () => {
    using store = new PodmanStore();
    await store.copy(layoutOf(store, sampleImage(layered)), store.image("localhost/x:1"));
    const path = `${store.graphRoot}/overlay-layers/layers.lock`;
    const holder = Bun.spawn(["python3", "-c", holding, path], { stdin: "pipe", stdout: "pipe" });
    const reader = holder.stdout.getReader();
    await reader.read();
    const writer = start(
      [
        "--insecure-policy",
        "copy",
        "--quiet",
        layoutOf(store, sampleImage({ ...layered, seed: "y" }), "y"),
        store.image("localhost/y:1"),
      ],
      { cwd: store.workspace.path },
    );
    await Bun.sleep(500);
    expect(existsSync(`/proc/${writer.pid}`)).toBe(true);
    holder.kill("SIGKILL");
    expect((await writer.done).code).toBe(0);
    expect(store.images()).toHaveLength(2);
    expect(readdirSync(`${store.graphRoot}/overlay/tempdirs`)).toEqual([]);
    expect(executable).toBeTruthy();
  });
});

/** Holds a POSIX record lock, as engines do. */
const holding = `
import fcntl, sys, time
f = open(sys.argv[1], "r+b")
fcntl.lockf(f, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
`;
