// F7: several processes write into one layout, and none of them loses what another one wrote.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import type { Store } from "../support/stores.ts";

describe("F7, row 38: eight writers, one layout", () => {
  test("all of them find their name afterwards, in five rounds", async () => {
    await using scene = new Scene();
    const stores = await Promise.all(Array.from({ length: 8 }, (_, index) => filled(scene, index)));
    for (let round = 0; round < 5; round += 1) {
      const layout = scene.at(`layout-${round}`);
      const names = stores.map((_, index) => `name-${index}`);
      const writers = stores.map(({ image }, index) =>
        scene.copy(image, `oci:${layout}:${names[index]}`),
      );
      await Promise.all(writers);
      expect(namesIn(layout)).toEqual(names);
    }
  });

  test("deleting and copying at once lose nothing either", async () => {
    await using scene = new Scene();
    const layout = scene.at("layout");
    const [a, b] = [await filled(scene, 1), await filled(scene, 2)];
    await scene.copy(a.image, `oci:${layout}:old`);
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([
        scene.copy(b.image, `oci:${layout}:new-${round}`),
        scene.dray("delete", `oci:${layout}:old`),
      ]);
      expect(namesIn(layout)).toContain(`new-${round}`);
      expect(namesIn(layout)).not.toContain("old");
      await scene.copy(`oci:${layout}:new-${round}`, `dir:${scene.at("read")}`);
      await scene.copy(a.image, `oci:${layout}:old`);
    }
  });
});

async function filled(scene: Scene, index: number): Promise<Store> {
  const store = await scene.store("dir");
  await store.fill(sampleImage({ format: "oci", seed: `writer-${index}`, layers: ["gzip"] }));
  return store;
}

function namesIn(layout: string): readonly string[] {
  const index: { manifests: readonly { annotations?: Record<string, string> }[] } = JSON.parse(
    readFileSync(`${layout}/index.json`, "utf8"),
  );
  const key = "org.opencontainers.image.ref.name";
  return index.manifests.flatMap(({ annotations }) => annotations?.[key] ?? []).toSorted();
}
