// Deleting images from layouts: theirs alone goes, all else stays.

import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { oci } from "../../../transports/oci/reference.ts";
import { putSample } from "../../support/carry.ts";
import {
  blobsOf,
  hexOf,
  manifestsOf,
  type Sample,
  sampleImage,
  sampleList,
  writeLayout,
} from "../../support/sample-images.ts";
import { type ContextWish, transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampleImage({ seed: "image", format: "oci", ballastBytes: 100 });
const other = sampleImage({ seed: "other", format: "oci", ballastBytes: 100 });
const list = sampleList({ seed: "list", ballastBytes: 100 });

describe("deleteImage", () => {
  test("removes an image and its blobs, and ends the index as the original does", async () => {
    using workspace = filled({ image, other, list });
    chmodSync(workspace.at("layout", "index.json"), 0o600);
    await remove(workspace, "image");
    expect(blobsIn(workspace)).toEqual(hexesOf(other, list));
    expect(namesIn(workspace)).toEqual(["other", "list"]);
    expect(readFileSync(workspace.at("layout", "index.json"), "utf8")).toEndWith("}]}\n");
    expect(statSync(workspace.at("layout", "index.json")).mode & 0o777).toBe(0o600);
  });

  test("removes a list with all of its images", async () => {
    using workspace = filled({ image, list });
    await remove(workspace, "list");
    expect(blobsIn(workspace)).toEqual(hexesOf(image));
  });

  test("keeps what another image has too", async () => {
    using workspace = filled({ a: image, b: image, list });
    await remove(workspace, "a");
    expect(blobsIn(workspace)).toEqual(hexesOf(image, list));
    await remove(workspace, "@0");
    expect(blobsIn(workspace)).toEqual(hexesOf(list));
  });

  test("does not mind blobs that are missing", async () => {
    using workspace = filled({ image, list });
    for (const { digest } of [...image.layers, ...list.images.map(({ manifest }) => manifest)]) {
      rmSync(workspace.at("layout", "blobs", "sha256", hexOf(digest)));
    }
    await remove(workspace, "image");
    await remove(workspace, "list");
    expect(namesIn(workspace)).toEqual([]);
  });

  test.each([
    ["nothing", "not-found", 'no descriptor found for reference "nothing"'],
    ["@7", "refused", "index 7 is too large, only 2 entries available"],
    ["", "refused", "more than one image in oci, choose an image"],
  ])("changes nothing if there is no image %p", async (wanted, code, message) => {
    using workspace = filled({ image, other });
    const before = readFileSync(workspace.at("layout", "index.json"), "utf8");
    expect(await rejection(remove(workspace, wanted))).toMatchObject({ code, message });
    expect(readFileSync(workspace.at("layout", "index.json"), "utf8")).toBe(before);
    expect(blobsIn(workspace)).toEqual(hexesOf(image, other));
  });

  test("makes no layout where there is none", async () => {
    using workspace = new Workspace();
    expect(await rejection(remove(workspace, "image"))).toMatchObject({ code: "io" });
    expect(readdirSync(workspace.path)).toEqual([]);
  });

  test("refuses to count in an index with entries of other types", async () => {
    using workspace = filled({ image, docker: sampleImage({ ballastBytes: 10 }) });
    expect(await rejection(remove(workspace, "image"))).toMatchObject({
      code: "unsupported",
      message:
        'unsupported mediaType in index: "application/vnd.docker.distribution.manifest.v2+json"',
    });
    expect(namesIn(workspace)).toEqual(["image", "docker"]);
  });

  test("C9: a list that holds itself ends", async () => {
    using workspace = filled({ image, list });
    // Only a collision of SHA-256 makes one; a file that lies about its name is easier.
    const index = {
      schemaVersion: 2,
      mediaType: list.manifest.mediaType,
      manifests: [entryOf(list)],
    };
    writeFileSync(
      workspace.at("layout", "blobs", "sha256", hexOf(list.manifest.digest)),
      JSON.stringify(index),
    );
    await remove(workspace, "list");
    expect(namesIn(workspace)).toEqual(["image"]);
  });

  test("keeps the blobs in a directory that layouts share", async () => {
    using workspace = filled({ image });
    renameSync(workspace.at("layout", "blobs"), workspace.at("shared"));
    const before = readdirSync(workspace.at("shared", "sha256"));
    await remove(workspace, "image", {
      settings: { oci: { sharedBlobDirectory: workspace.at("shared") } },
    });
    expect(readdirSync(workspace.at("shared", "sha256"))).toEqual(before);
    expect(namesIn(workspace)).toEqual([]);
  });

  test("F7: takes no blob from a copy that goes on meanwhile, and says so", async () => {
    using workspace = filled({ image });
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message) };
    {
      const reference = oci.parseReference(`${workspace.at("layout")}:copy`);
      await using destination = await reference.openDestination(transportContext());
      await remove(workspace, "image", { log });
      await putSample(destination, image);
      await destination.commit();
    }
    expect(warnings).toEqual([expect.stringMatching(/^Keeping the blobs of /)]);
    expect(namesIn(workspace)).toEqual(["copy"]);
    expect(blobsIn(workspace)).toEqual(hexesOf(image));
  });
});

describe("planDeletion", () => {
  const plan = (workspace: Workspace, wanted: string, wish?: ContextWish) =>
    oci
      .parseReference(`${workspace.at("layout")}:${wanted}`)
      .planDeletion?.(transportContext(wish), false);

  test("says which blobs go, and takes none", async () => {
    using workspace = filled({ image, same: image, list });
    const before = treeOf(workspace.path);
    expect(await plan(workspace, "image")).toMatchObject({
      digest: image.manifest.digest,
      removals: [],
    });
    const planned = await plan(workspace, "list");
    const hexes = planned?.removals.map(({ name }) => hexOf(name)).toSorted();
    expect(hexes).toEqual([...hexesOf(list)]);
    expect(treeOf(workspace.path)).toEqual(before);
    const sizes = new Map(planned?.removals.map(({ name, size }) => [name, size]));
    await remove(workspace, "list");
    const gone = Object.keys(before).filter((path) => !(path in treeOf(workspace.path)));
    expect(gone.map((path) => path.split("/").at(-1) ?? "").toSorted()).toEqual([...(hexes ?? [])]);
    expect(sizes.get(list.manifest.digest as never)).toBe(list.manifest.bytes.length);
  });

  test("fails where there is no such image, and keeps what layouts share", async () => {
    using workspace = filled({ image });
    expect(plan(workspace, "nothing")).rejects.toMatchObject({ code: "not-found" });
    const shared = { oci: { sharedBlobDirectory: workspace.at("layout", "blobs") + "/" } };
    const planned = await plan(workspace, "image", { settings: shared });
    expect(planned?.removals).toEqual([]);
    expect(planned?.notes).toHaveLength(1);
  });
});

function filled(samples: Readonly<Record<string, Sample>>): Workspace {
  const workspace = new Workspace();
  writeLayout(workspace.at("layout"), samples);
  return workspace;
}

async function remove(workspace: Workspace, wanted: string, wish?: ContextWish): Promise<void> {
  const reference = oci.parseReference(`${workspace.at("layout")}:${wanted}`);
  await reference.deleteImage?.(transportContext(wish));
}

function blobsIn(workspace: Workspace): readonly string[] {
  return readdirSync(workspace.at("layout", "blobs", "sha256")).toSorted();
}

function hexesOf(...samples: readonly Sample[]): readonly string[] {
  const blobs = samples.flatMap((sample) => [...blobsOf(sample), ...manifestsOf(sample)]);
  return [...new Set(blobs.map(({ digest }) => hexOf(digest)))].toSorted();
}

function namesIn(workspace: Workspace): readonly string[] {
  const index = JSON.parse(readFileSync(workspace.at("layout", "index.json"), "utf8"));
  return index.manifests.map(
    (entry: { readonly annotations: Readonly<Record<string, string>> }) =>
      entry.annotations["org.opencontainers.image.ref.name"],
  );
}

function entryOf({ manifest }: Sample) {
  const { mediaType, digest, bytes } = manifest;
  return { mediaType, digest, size: bytes.length };
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
