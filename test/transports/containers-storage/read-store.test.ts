import { describe, expect, test } from "bun:test";
import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { chooseStore } from "../../../transports/containers-storage/choose-store.ts";
import {
  chainOf,
  placesOf,
  readImages,
  readLayers,
} from "../../../transports/containers-storage/read-store.ts";
import { madeLayers, makeStore, storeContext } from "../../support/made-store.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const layers = madeLayers("a", "b");

describe("reading a store", () => {
  test("finds each image once, where it counts", async () => {
    using workspace = new Workspace();
    makeStore(workspace.at("own"), { images: [{ names: ["own:1"], layers }] });
    makeStore(workspace.at("more"), {
      images: [{ names: ["more:1"], layers }, { layers: madeLayers("c") }],
    });
    const conf = { options: [`imagestore=${workspace.at("more")}`] };
    const context = storeContext(workspace.at("own"), conf);
    const store = await chooseStore({}, context);
    const images = await readImages(store, context);
    expect(images.map(({ record }) => record.names)).toEqual([["own:1"], []]);
    expect(images.map(({ place }) => place.root)).toEqual([
      workspace.at("own"),
      workspace.at("more"),
    ]);
    expect((await readLayers(store, context)).size).toBe(3);
  });

  test("finds nothing where nothing is, and makes nothing", async () => {
    using workspace = new Workspace();
    const context = storeContext(workspace.at("none"));
    const store = await chooseStore({}, context);
    expect(await readImages(store, context)).toEqual([]);
    expect((await readLayers(store, context)).size).toBe(0);
  });

  test("knows the layers of containers, too", async () => {
    using workspace = new Workspace();
    makeStore(workspace.path, { images: [{ layers }] });
    const [base] = layers;
    const volatile = [{ id: "f".repeat(64), parent: base?.id }];
    writeFileSync(workspace.at("overlay-layers/volatile-layers.json"), JSON.stringify(volatile));
    const context = storeContext(workspace.path);
    expect((await readLayers(await chooseStore({}, context), context)).size).toBe(3);
  });

  test("waits for no pipe, and reads nothing endless", async () => {
    using workspace = new Workspace();
    makeStore(workspace.path, { images: [{ layers }] });
    const context = storeContext(workspace.path);
    const store = await chooseStore({}, context);
    const path = workspace.at("overlay-images/images.json");
    rmSync(path);
    Bun.spawnSync(["mkfifo", path, workspace.at("overlay-images/images.lock")]);
    expect(await rejection(readImages(store, context))).toMatchObject({ code: expect.any(String) });
    rmSync(workspace.at("overlay-images/images.lock"));
    expect((await rejection(readImages(store, context))).message).toContain("is no file");
    rmSync(path);
    writeFileSync(path, "");
    truncateSync(path, 2 ** 40);
    const failure = await rejection(readImages(store, context));
    expect(failure.message).toContain("is larger than anybody needs");
  });

  test("names the file that cannot be understood", async () => {
    using workspace = new Workspace();
    makeStore(workspace.path, { images: [{ layers }] });
    writeFileSync(workspace.at("overlay-images/images.json"), "{}");
    const context = storeContext(workspace.path);
    const failure = await rejection(readImages(await chooseStore({}, context), context));
    expect(failure.message).toContain("images.json");
  });
});

test("chainOf ends, whatever parents say", async () => {
  using workspace = new Workspace();
  makeStore(workspace.path, { images: [{ layers: madeLayers("a") }] });
  const [only] = madeLayers("a");
  const path = workspace.at("overlay-layers/layers.json");
  writeFileSync(path, JSON.stringify([{ id: only?.id, parent: only?.id }]));
  const context = storeContext(workspace.path);
  const found = await readLayers(await chooseStore({}, context), context);
  expect(failureOf(() => chainOf(only?.id, found))).toMatchObject({ code: "corrupt" });
  expect(failureOf(() => chainOf("unknown", found))).toMatchObject({
    message: expect.stringContaining("layer not known"),
  });
  expect(chainOf(undefined, found)).toEqual([]);
});

test("placesOf writes to the place of images, where there is one", async () => {
  const context = storeContext("/g", { imageStore: "/i", options: ["imagestore=/a"] });
  const places = placesOf(await chooseStore({}, context));
  expect(places.map(({ root }) => root)).toEqual(["/i", "/g", "/a"]);
});
