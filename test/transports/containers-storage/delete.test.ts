import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseDigest } from "../../../core/content/digest.ts";
import { deleteImage, planDeletion } from "../../../transports/containers-storage/delete.ts";
import { parseStorageName } from "../../../transports/containers-storage/name.ts";
import { madeLayers, makeStore, storeContext } from "../../support/made-store.ts";
import { testWith } from "../../support/needs.ts";
import { rejection } from "../../support/rejection.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

const rootTest = testWith("root");

function remove(workspace: Workspace, text: string, conf = {}): Promise<void> {
  return deleteImage(parseStorageName(text), storeContext(workspace.path, conf));
}

function layerIdsIn(workspace: Workspace): readonly string[] {
  const text = readFileSync(workspace.at("overlay-layers/layers.json"), "utf8");
  return JSON.parse(text).map(({ id }: { id: string }) => id);
}

const shared = madeLayers("a", "b");
const longer = madeLayers("a", "b", "c");
const images = [
  { names: ["docker.io/library/x:1", "docker.io/library/x:2"], layers: longer },
  { names: ["docker.io/library/y:1"], layers: shared },
];

describe("deleteImage", () => {
  rootTest(
    "takes an image with all of its names, and the layers that nothing else needs",
    async () => {
      using workspace = new Workspace();
      makeStore(workspace.path, { images });
      await remove(workspace, "x:2");
      expect(layerIdsIn(workspace)).toEqual(shared.map(({ id }) => id));
      expect(readdirSync(workspace.at("overlay")).toSorted()).toEqual(
        ["tempdirs", ...shared.map(({ id }) => id)].toSorted(),
      );
      await remove(workspace, "y:1");
      expect(layerIdsIn(workspace)).toEqual([]);
      expect(readdirSync(workspace.at("overlay/tempdirs"))).toEqual([]);
      expect(readdirSync(workspace.at("overlay-images")).toSorted()).toEqual([
        "images.json",
        "images.lock",
      ]);
    },
  );

  rootTest("keeps layers below those of containers", async () => {
    using workspace = new Workspace();
    makeStore(workspace.path, { images: [images[1] as never] });
    const top = shared.at(-1)?.id;
    const volatile = [{ id: "e".repeat(64), parent: top }];
    writeFileSync(workspace.at("overlay-layers/volatile-layers.json"), JSON.stringify(volatile));
    await remove(workspace, "y:1");
    expect(layerIdsIn(workspace)).toEqual(shared.map(({ id }) => id));
  });

  rootTest("keeps an image that a container needs, and changes nothing", async () => {
    using workspace = new Workspace();
    const [sample] = makeStore(workspace.path, { images: [images[1] as never] });
    const container = { id: "c", image: sample?.config.digest.slice(7) };
    for (const file of ["containers.json", "volatile-containers.json"]) {
      mkdirSync(workspace.at("overlay-containers"), { recursive: true });
      writeFileSync(workspace.at("overlay-containers", file), JSON.stringify([container]));
      const failure = await rejection(remove(workspace, "y:1"));
      expect(failure).toMatchObject({
        code: "refused",
        message: "image used by c: image is in use by a container",
      });
      expect(layerIdsIn(workspace)).toHaveLength(2);
      writeFileSync(workspace.at("overlay-containers", file), "[]");
    }
  });

  rootTest("keeps what containers need that are recorded below the run root", async () => {
    using workspace = new Workspace();
    const [sample] = makeStore(workspace.path, { images: [images[1] as never] });
    const top = shared.at(-1)?.id;
    for (const [file, record] of [
      ["run/overlay-layers/volatile-layers.json", { id: "e".repeat(64), parent: top }],
      ["run/overlay-containers/volatile-containers.json", { id: "c", layer: top }],
    ] as const) {
      makeStore(workspace.path, { images: [images[1] as never] });
      mkdirSync(dirname(workspace.at(file)), { recursive: true });
      writeFileSync(workspace.at(file), JSON.stringify([record]));
      await remove(workspace, "y:1");
      expect(layerIdsIn(workspace)).toEqual(shared.map(({ id }) => id));
      rmSync(workspace.at("run"), { recursive: true });
    }
    makeStore(workspace.path, { images: [images[1] as never] });
    const file = workspace.at("run/overlay-containers/volatile-containers.json");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify([{ id: "c", image: sample?.config.digest.slice(7) }]));
    expect((await rejection(remove(workspace, "y:1"))).code).toBe("refused");
  });

  rootTest("deletes nothing from stores that are only read, or from none", async () => {
    using workspace = new Workspace();
    makeStore(workspace.at("more"), { images });
    const before = treeOf(workspace.at("more"));
    const options = [`imagestore=${workspace.at("more")}`];
    expect((await rejection(remove(workspace, "x:1", { options }))).code).toBe("not-found");
    expect(treeOf(workspace.at("more"))).toEqual(before);
    expect((await rejection(remove(workspace, "x:1"))).code).toBe("not-found");
    expect(Object.keys(treeOf(workspace.path)).filter((path) => !path.startsWith("more"))).toEqual(
      [],
    );
  });

  rootTest("leaves images alone that are kept apart from containers", async () => {
    using workspace = new Workspace();
    makeStore(workspace.at("i"), { images });
    const before = treeOf(workspace.path);
    const conf = { imageStore: workspace.at("i") };
    expect((await rejection(remove(workspace, "x:1", conf))).code).toBe("unsupported");
    expect(treeOf(workspace.path)).toEqual(before);
  });
});

describe("planDeletion", () => {
  const plan = (workspace: Workspace, text: string, conf = {}) =>
    planDeletion(parseStorageName(text), storeContext(workspace.path, conf));

  test("tells which names and layers go, and changes nothing", async () => {
    using workspace = new Workspace();
    const [first, second] = makeStore(workspace.path, { images });
    const before = treeOf(workspace.path);
    const [, , top] = longer;
    expect(await plan(workspace, "x:2")).toEqual({
      digest: parseDigest(first?.manifest.digest ?? ""),
      removals: [
        { kind: "tag", name: "docker.io/library/x:1" },
        { kind: "tag", name: "docker.io/library/x:2" },
        { kind: "blob", name: top?.digest ?? "", size: top?.tar.length ?? 0 },
      ],
      notes: ["layers that something else needs stay"],
    });
    // All of its layers are those of the other one.
    expect(await plan(workspace, "y:1")).toMatchObject({
      digest: parseDigest(second?.manifest.digest ?? ""),
      removals: [{ kind: "tag", name: "docker.io/library/y:1" }],
    });
    expect(treeOf(workspace.path)).toEqual(before);
  });

  test("fails as deleting would", async () => {
    using workspace = new Workspace();
    makeStore(workspace.at("more"), { images });
    const options = [`imagestore=${workspace.at("more")}`];
    expect((await rejection(plan(workspace, "x:1", { options }))).code).toBe("not-found");
    expect((await rejection(plan(workspace, "x:1"))).code).toBe("not-found");
    const conf = { imageStore: workspace.at("i") };
    expect((await rejection(plan(workspace, "x:1", conf))).code).toBe("unsupported");
    const [sample] = makeStore(workspace.path, { images: [images[1] as never] });
    const container = { id: "c", image: sample?.config.digest.slice(7) };
    mkdirSync(workspace.at("overlay-containers"));
    writeFileSync(workspace.at("overlay-containers/containers.json"), JSON.stringify([container]));
    expect((await rejection(plan(workspace, "y:1"))).code).toBe("refused");
  });
});
