import { expect, test } from "bun:test";
import { StorePlace } from "../../../transports/containers-storage/store-place.ts";

test("StorePlace knows its way about, by driver", () => {
  const overlay = new StorePlace("/g", "overlay");
  expect(overlay.imagesDirectory).toBe("/g/overlay-images");
  expect(overlay.layersDirectory).toBe("/g/overlay-layers");
  expect(overlay.containersDirectory).toBe("/g/overlay-containers");
  expect(overlay.layerDirectory("a")).toBe("/g/overlay/a");
  expect(overlay.filesDirectory("a")).toBe("/g/overlay/a/diff");
  expect(overlay.tarSplitPath("a")).toBe("/g/overlay-layers/a.tar-split.gz");
  const vfs = new StorePlace("/g", "vfs");
  expect(vfs.driverDirectory).toBe("/g/vfs");
  expect(vfs.filesDirectory("a")).toBe("/g/vfs/dir/a");
});

// Names as engines have been seen to give them.
test.each([
  ["manifest", "manifest"],
  ["signatures", "signatures"],
  ["manifest-sha256:ab", "=bWFuaWZlc3Qtc2hhMjU2OmFi"],
  ["sha256:ab", "=c2hhMjU2OmFi"],
  ["odd-1", "=b2RkLTE="],
  ["odd_", "odd_"],
  ["..", "=Li4="],
  ["a/", "=YS8="],
])("StorePlace keeps the item %s as %s", (key, file) => {
  expect(new StorePlace("/g", "overlay").bigDataPath("i", key)).toBe(`/g/overlay-images/i/${file}`);
});
