import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { digestOf } from "../../../core/content/digest.ts";
import type { JsonObject } from "../../../core/json.ts";
import { LockedRecords } from "../../../transports/containers-storage/change-store.ts";
import {
  installImage,
  type ReadyImage,
} from "../../../transports/containers-storage/install-image.ts";
import { StorePlace } from "../../../transports/containers-storage/store-place.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const digest = digestOf(Buffer.from("m"));

async function install(
  workspace: Workspace,
  before: readonly JsonObject[],
  wish: Partial<ReadyImage> = {},
): Promise<readonly JsonObject[]> {
  const place = new StorePlace(workspace.path, "overlay");
  mkdirSync(workspace.at("overlay-images"), { recursive: true });
  writeFileSync(workspace.at("overlay-images/images.json"), JSON.stringify(before));
  const path = workspace.at("item");
  writeFileSync(path, "m");
  await using images = await LockedRecords.lock(place, "images", transportContext());
  const image: ReadyImage = {
    id: "i",
    layer: "top",
    name: "x:1",
    items: [{ key: "manifest", path, size: 1, digest }],
    metadata: "{}",
    created: "2024-01-01T00:00:00Z",
    ...wish,
  };
  await installImage(image, images, place);
  return images.read();
}

describe("installImage", () => {
  test("records an image as engines do, member for member", async () => {
    using workspace = new Workspace();
    await install(workspace, []);
    expect(readFileSync(workspace.at("overlay-images/images.json"), "utf8")).toBe(
      `[{"id":"i","digest":"${digest}","names":["x:1"],"names-history":["x:1"],"layer":"top","metadata":"{}","big-data-names":["manifest"],"big-data-sizes":{"manifest":1},"big-data-digests":{"manifest":"${digest}"},"created":"2024-01-01T00:00:00Z"}]`,
    );
    expect(readFileSync(workspace.at("overlay-images/i/manifest"), "utf8")).toBe("m");
    expect(existsSync(workspace.at("item"))).toBe(false);
  });

  test("takes a name from who has had it, and from nobody else", async () => {
    using workspace = new Workspace();
    const others = [
      { id: "a", names: ["x:1"], "names-history": ["x:1"], odd: 1 },
      { id: "b", names: ["y:1", "x:1"], names2: 2 },
      { id: "c", names: ["z:1"] },
    ];
    const records = await install(workspace, others);
    expect(records.slice(0, 3)).toEqual([
      { id: "a", "names-history": ["x:1"], odd: 1 },
      { id: "b", names: ["y:1"], names2: 2 },
      { id: "c", names: ["z:1"] },
    ]);
    expect(records[3]).toMatchObject({ id: "i", names: ["x:1"] });
  });

  test("goes on with an image that is there, and keeps what only others know", async () => {
    using workspace = new Workspace();
    const old = {
      id: "i",
      names: ["old:1"],
      "names-history": ["old:1"],
      layer: "top",
      "mapped-layers": ["m"],
      "big-data-names": ["own"],
      "big-data-sizes": { own: 3 },
      created: "2020-01-01T00:00:00Z",
      flags: { odd: true },
    };
    const [record] = await install(workspace, [old]);
    expect(record).toMatchObject({
      names: ["x:1", "old:1"],
      "names-history": ["x:1", "old:1"],
      "mapped-layers": ["m"],
      "big-data-names": ["own", "manifest"],
      "big-data-sizes": { own: 3, manifest: 1 },
      created: "2020-01-01T00:00:00Z",
      flags: { odd: true },
    });
  });

  test("leaves an image alone that has other layers", async () => {
    using workspace = new Workspace();
    const failure = await rejection(install(workspace, [{ id: "i", layer: "other" }]));
    expect(failure).toMatchObject({
      code: "refused",
      message:
        'image with ID "i" already exists, but uses a different top layer: that ID is already in use',
    });
    expect(existsSync(workspace.at("overlay-images/i"))).toBe(false);
  });
});
