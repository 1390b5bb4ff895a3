import { expect, test } from "bun:test";

import { type Making, recipeFor } from "../../../core/sync/recipe.ts";

const plain: Making = {
  platform: { os: "linux", architecture: "arm", variant: "v7" },
  images: "system",
  signatures: "copy",
  preserveDigests: false,
};

test("recipeFor says on one line what decides what an image becomes, and no two say the same", () => {
  const wishes: readonly Partial<Making>[] = [
    {},
    { platform: { os: "linux", architecture: "arm" } },
    { images: "all" },
    { images: { platforms: [{ os: "linux", architecture: "arm" }], others: "keep" } },
    { images: { platforms: [{ os: "linux", architecture: "arm" }], others: "strip" } },
    { format: "application/vnd.oci.image.manifest.v1+json" },
    { signatures: "remove" },
    { preserveDigests: true },
  ];
  const recipes = wishes.map((wish) => recipeFor({ ...plain, ...wish }) ?? "");
  expect(recipes[0]).toBe("edition 1, for linux/arm/v7, system, as it is, signatures copy");
  expect(new Set(recipes).size).toBe(wishes.length);
  expect(recipes.filter((recipe) => /[\r\n]|^$/.test(recipe))).toEqual([]);
});

test("recipeFor has none for what comes out differently each time", () => {
  expect(recipeFor({ ...plain, signing: { signers: [] } })).toBeUndefined();
  expect(recipeFor({ ...plain, crypt: {} as never })).toBeUndefined();
  expect(recipeFor({ ...plain, compression: {} as never })).toBeUndefined();
});
