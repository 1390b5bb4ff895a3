import { expect, test } from "bun:test";
import { parseDigest } from "../../../core/content/digest.ts";
import { layerIds, shortName } from "../../../transports/containers-storage/layer-ids.ts";

// As engines have been seen to call the layers of an image.
test("layerIds chains the digests of the archives", () => {
  const diffIds = [
    "sha256:3c8256d7abeacd4d3477fc359fa1a3bdace1beec605b12197b326aece52824c3",
    "sha256:bd54ed2b36475a43ed45aa9de4f7e0ce82235ffeba2aa58fae95f315dfff98a1",
    "sha256:77c21763354e9bfd62a587d52ac7de2a9e3e7be00d9b93651d2ecbb45c50933a",
  ];
  expect(layerIds(diffIds.map(parseDigest))).toEqual([
    "3c8256d7abeacd4d3477fc359fa1a3bdace1beec605b12197b326aece52824c3",
    "18d1a8dc36df1f83a847a2a378125ed9716786bf497433285aa381c33c8393c4",
    "ab7cba515b58ce47921f5204d9412df923c660d9cbdaa654dbb826803bbfdce4",
  ]);
  expect(layerIds([])).toEqual([]);
});

test("shortName is 26 letters and digits of base32, and never the same", () => {
  const names = Array.from({ length: 100 }, shortName);
  for (const name of names) expect(name).toMatch(/^[A-Z2-7]{26}$/);
  expect(new Set(names).size).toBe(100);
});
