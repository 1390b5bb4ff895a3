import { describe, expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { imageOf, mediaTypes, type SampleImage, sampleConfig } from "../support/sample-images.ts";
import { fileTreeOf } from "../support/file-tree.ts";
import { LayerStore } from "../support/layer-store.ts";
import { testWith } from "../support/needs.ts";
import { type Fate, oddLayers } from "../support/odd-layers.ts";
import { unpack } from "../support/unpack.ts";
import type { LayerTarget } from "../../transports/containers-storage/extract/layer-writer.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { tarOf } from "../support/tar-bytes.ts";
import { Workspace } from "../support/workspace.ts";

/** An image of one layer, uncompressed. */
function imageWith(tar: Uint8Array): SampleImage {
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", tar, "hex")}`;
  const layer = { mediaType: mediaTypes.oci.none, bytes: tar, digest };
  return imageOf("oci", sampleConfig("oci", [digest]), [layer], [digest]);
}

describe.each(["overlay", "vfs"] as const)("layers in a store, by %s", (driver) => {
  for (const { name, tar, fate, ours = fate } of oddLayers) {
    const expected = (driver === "vfs" ? fate[1] : undefined) ?? fate[0];
    const own = (driver === "vfs" ? ours[1] : undefined) ?? ours[0];
    testWith("root", "skopeo")(`with ${name} are ${own}`, async () => {
      using workspace = new Workspace();
      const startNs = BigInt(Date.now() - 1000) * 1_000_000n;
      const store = new LayerStore(workspace, driver);
      const added = await store.add("x", imageWith(tar));
      const [layer] = added.code === 0 ? store.layers() : [];
      // Its own mode is given by whoever makes the directory, and to read files is to change their times.
      const treeBelow = (path: string) => ({ ...fileTreeOf(path, startNs), "": "" });
      const theirTree = layer === undefined ? undefined : treeBelow(store.files(layer.id));
      const theirs = await fateOf(store, workspace, added.code);
      expect([theirs, theirs === expected ? "" : added.stderr]).toEqual([expected, ""]);

      const unpacking = unpack(workspace, tar, { whiteouts: driver, rootless: false });
      if (own === "refused") return await expect(unpacking).rejects.toThrow();
      const { written, files, rebuild } = await unpacking;
      if (own === "lost") return await expect(rebuild()).rejects.toThrow();
      const ourTree = treeBelow(files);
      expect(Buffer.compare(await rebuild(), tar)).toBe(0);
      expect<string | undefined>(written.diffId).toBe(imageWith(tar).diffIds[0]);
      if (layer === undefined) return;
      expect([written.uids, written.gids]).toEqual([layer.uidset ?? [], layer.gidset ?? []]);
      expect<unknown>(ourTree).toEqual(theirTree);
    });
  }
});

const special = tarOf([
  { path: "./", kind: "directory", mode: 0o711, uid: 44 },
  { path: "etc/", kind: "directory", mode: 0o2755, gid: 5, mtime: 5 },
  { path: "etc/passwd", body: Buffer.from("root"), uid: 7, mode: 0o640, mtime: 1_700_000_000 },
  { path: "etc/hard", kind: "hardLink", target: "etc/passwd", uid: 8 },
  { path: "etc/link", kind: "symlink", target: "/etc/passwd", uid: 3 },
  { path: "dev/null", kind: "characterDevice", device: [1, 3], mode: 0o666 },
  { path: "dev/block", kind: "blockDevice", device: [259, 70_000], mode: 0o660, gid: 6 },
  { path: "run/fifo", kind: "fifo", mode: 0o600 },
  {
    path: "usr/bin/ping",
    mode: 0o4755,
    body: Buffer.from("ping"),
    pax: {
      "SCHILY.xattr.security.capability": Buffer.from([1, 0, 0, 2, 0, 4, ...new Uint8Array(14)]),
      "SCHILY.xattr.trusted.a": "b",
    },
  },
  { path: "etc/.wh.gone", uid: 6 },
  { path: "usr/.wh..wh..opq" },
  { path: "implicit/a/b" },
]);

describe("layers in a store for fuse-overlayfs", () => {
  const program = "overlay.mount_program=/usr/bin/fuse-overlayfs";
  const cases: readonly (readonly [string, Partial<LayerTarget>])[] = [
    [program, {}],
    [`${program},overlay.force_mask=0700`, { forceMask: 0o700 }],
    [`${program},overlay.force_mask=shared`, { forceMask: 0o755 }],
  ];
  for (const [options, how] of cases) {
    testWith(
      "root",
      "newer:skopeo",
      "fuse-overlayfs",
    )(`are alike with ${options}`, async () => {
      using workspace = new Workspace();
      const startNs = BigInt(Date.now() - 1000) * 1_000_000n;
      const store = new LayerStore(workspace, "overlay", options);
      const added = await store.add("x", imageWith(special), newerProgram("skopeo"));
      expect([added.code, added.stderr]).toEqual([0, ""]);
      const [layer] = store.layers();
      const { files } = await unpack(workspace, special, {
        whiteouts: "overlay-fuse",
        rootless: false,
        ...how,
      });
      const [ours, theirs] = [files, store.files(layer?.id ?? "")].map((path) => {
        const { "": root = "", ...rest } = fileTreeOf(path, startNs);
        return { ...rest, "": root.replace(/^\S+/, "") };
      });
      expect(ours).toEqual(theirs);
    });
  }
});

/** What has become of the only image of a store. */
async function fateOf(store: LayerStore, workspace: Workspace, code: number): Promise<Fate> {
  if (code !== 0) return "refused";
  mkdirSync(workspace.at("out"));
  const taken = await store.take("x", `dir:${workspace.at("out")}`);
  return taken.code === 0 ? "kept" : "lost";
}
