// Killed: at each of its steps, an executable leaves what was there before or what it was to do, and what
// the next one repairs.

import { describe, expect } from "bun:test";
import { succeed } from "../support/run.ts";
import { killedAt, type KillPoint, testKilling } from "../support/kill-points.ts";
import { imageOfLayers, madeLayers } from "../support/made-store.ts";
import { PodmanStore } from "../support/podman-store.ts";
import { type SampleImage, sampleImage, writeLayout } from "../support/sample-images.ts";
import { treeOf } from "../support/trees.ts";
import { memoryDirectory, Workspace } from "../support/workspace.ts";

/** Which steps: of the calls of a kind, every `step`th from the `first`. */
interface Steps {
  readonly call: string;
  readonly first: number;
  readonly step: number;
}

/** Lets `work` be killed at these steps, one after the other, until it comes to its end. */
async function atEach(
  { call, first, step }: Steps,
  work: (point: KillPoint) => Promise<boolean>,
): Promise<number> {
  let killed = 0;
  for (let at = first; await work({ call, at }); at += step) killed += 1;
  return killed;
}

/** A lock that was made last of all may stay for a while: it may be that of somebody who just begins. */
function lasting(faults: readonly string[]): readonly string[] {
  return faults.filter((fault) => !/^lock-.* was left$/.test(fault));
}

describe("killed at each step, a copy to a store and a deletion there", () => {
  for (const [driver, engine, first, step] of [
    ["overlay", "podman", 1, 4],
    ["overlay", "newer:podman", 3, 4],
    ["vfs", "newer:podman", 2, 5],
  ] as const) {
    testKilling("root", engine)(
      `are as before or finished: ${driver}, with ${engine}`,
      async () => {
        using store = new PodmanStore(driver, memoryDirectory);
        const layout = (name: string, image: SampleImage) => {
          writeLayout(store.workspace.at(name), { "1": image });
          return `oci:${store.workspace.at(name)}:1`;
        };
        const beside = layout("beside", imageOfLayers(madeLayers("base", "beside")));
        const cwd = store.workspace.path;
        const copying = ["--insecure-policy", "copy", "--quiet"];
        let count = 0;
        const repaired = async (image: string) => {
          count += 1;
          // Now and then somebody else comes by first.
          if (count % 6 === 0) await store.podman(engine, "images");
          await store.copy(beside, store.image("localhost/beside:1"));
          expect(lasting(store.faults())).toEqual([]);
          if (!store.images().some(({ names }) => names?.includes(image))) return;
          await store.copy(store.image(image), `dir:${store.workspace.at("out")}`);
        };
        const fresh = ({ call, at }: KillPoint, what: string) => {
          const name = `${what}-${call}-${at}`;
          const from = layout(name, imageOfLayers(madeLayers("base", name, `${name}-top`)));
          return { from, name: `localhost/${name}:1` };
        };
        let killed = 0;
        for (const call of ["rename", "fsync", "pwrite64", "symlink"]) {
          killed += await atEach({ call, first, step }, async (point) => {
            const { from, name } = fresh(point, "copied");
            const done = await killedAt(point, [...copying, from, store.image(name)], cwd);
            await repaired(name);
            return done;
          });
        }
        for (const [call, few] of [
          ["rename", 1],
          ["fsync", 1],
          ["unlinkat", 3],
        ] as const) {
          killed += await atEach({ call, first, step: step * few }, async (point) => {
            const { from, name } = fresh(point, "deleted");
            await store.copy(from, store.image(name));
            const deleting = ["--insecure-policy", "delete", store.image(name)];
            const done = await killedAt(point, deleting, cwd);
            await repaired(name);
            return done;
          });
        }
        expect(killed).toBeGreaterThan(5);
        const { stdout } = await store.podman(engine, "images", "--noheading");
        expect(stdout.trim().split("\n")).toHaveLength(store.images().length);
      },
      240_000,
    );
  }
});

describe("killed at each step, a copy that replaces an image", () => {
  for (const [transport, needs, nameIn] of [
    ["dir", [], (place: Workspace) => `dir:${place.at("image")}`],
    ["oci", [], (place: Workspace) => `oci:${place.at("layout")}:x`],
    ["ostree", ["ostree"], (place: Workspace) => `ostree:x:1@${place.at("repo")}`],
  ] as const) {
    testKilling(...needs)(
      `leaves one of them whole, and the next finishes: ${transport}`,
      async () => {
        using place = new Workspace(memoryDirectory);
        const cwd = place.path;
        const dray = (...args: readonly string[]) =>
          succeed(["--insecure-policy", ...args], { cwd });
        const images = ["old", "new"].map((seed) => {
          const wish = { seed, layers: ["gzip", "none"], odd: false, ballastBytes: 1000 } as const;
          writeLayout(place.at(seed), { "1": sampleImage(wish) });
          return `oci:${place.at(seed)}:1`;
        });
        const [from = "", next = ""] = images;
        const to = nameIn(place);
        const fsck = async () => {
          if (transport !== "ostree") return;
          await succeed([`--repo=${place.at("repo")}`, "fsck", "-q"], { program: "ostree", cwd });
        };
        if (transport === "ostree") {
          const making = [`--repo=${place.at("repo")}`, "init", "--mode=archive"];
          await succeed(making, { program: "ostree", cwd });
        }
        const manifests: string[] = [];
        for (const each of images) {
          await dray("copy", "-q", each, to);
          manifests.push((await dray("inspect", "--raw", to)).stdout);
        }
        let killed = 0;
        for (const call of ["rename", "fsync"]) {
          killed += await atEach(
            { call, first: 1, step: call === "rename" ? 3 : 2 },
            async (point) => {
              await dray("copy", "-q", from, to);
              const args = ["--insecure-policy", "copy", "-q", next, to];
              const done = await killedAt(point, args, cwd);
              expect(manifests).toContain((await dray("inspect", "--raw", to)).stdout);
              await dray("copy", "-q", to, `dir:${place.at("out")}`);
              await dray("copy", "-q", next, to);
              expect((await dray("inspect", "--raw", to)).stdout).toBe(manifests[1] ?? "");
              await fsck();
              return done;
            },
          );
        }
        expect(killed).toBeGreaterThan(1);
        await dray("copy", "-q", to, `dir:${place.at("out")}`);
        expect(Object.keys(treeOf(place.at("out"))).length).toBeGreaterThan(3);
      },
      120_000,
    );
  }
});
