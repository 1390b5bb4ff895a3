import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { EarlierImages } from "../../../transports/docker-archive/earlier-images.ts";
import { Archive } from "../../../transports/shared/archive.ts";
import { DockerTarReader } from "../../../transports/shared/docker-tar-reader.ts";
import { DockerTarWriter } from "../../../transports/shared/docker-tar-writer.ts";
import { openTarOutput } from "../../../transports/shared/tar-output.ts";
import { TarWriter } from "../../../transports/shared/tar-writer.ts";
import {
  bytesOf,
  configOf,
  type DockerTarWish,
  dockerTar,
  one,
  two,
} from "../../support/docker-tars.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const context = transportContext();

const both: DockerTarWish = {
  items: [
    { Config: "c.json", RepoTags: ["x:1", "y:1"], Layers: ["1/layer.tar", "2/layer.tar"] },
    { Config: "d.json", RepoTags: null, Layers: ["2/layer.tar"] },
  ],
  entries: [
    { path: "d.json", body: bytesOf(configOf(two.digest)) },
    // Engines of today keep layers compressed.
    { path: "2/layer.tar", body: Bun.gzipSync(Buffer.from(two.bytes)) },
  ],
};

/** Carries over what is in an archive, and returns the names and layers of what arrives. */
async function carried(wish: DockerTarWish, taken: readonly string[]): Promise<readonly object[]> {
  using workspace = new Workspace();
  writeFileSync(workspace.at("a.tar"), dockerTar(wish));
  await using output = await openTarOutput(workspace.at("b.tar"), context);
  await using earlier = await EarlierImages.open(workspace.at("a.tar"), context);
  const writer = new DockerTarWriter(new TarWriter(output, context));
  await earlier.carryAll(writer, taken);
  await writer.finish();
  await output.complete();
  await using archive = await Archive.open(workspace.at("b.tar"), context);
  const reader = await DockerTarReader.open(archive);
  const images = reader.items.map(async ({ tags }, position) => {
    const { layers } = await reader.readImage({ by: "position", position });
    return { tags, layers: layers.map(({ digest }) => digest) };
  });
  return await Promise.all(images);
}

test("EarlierImages carries images over under their full names", async () => {
  expect(await carried(both, [])).toEqual([
    {
      tags: ["docker.io/library/x:1", "docker.io/library/y:1"],
      layers: [one.digest, two.digest],
    },
    { tags: [], layers: [two.digest] },
  ]);
});

test("EarlierImages leaves out the names that are taken, and images that had no others", async () => {
  const [x, y] = ["docker.io/library/x:1", "docker.io/library/y:1"] as const;
  const nameless = { tags: [], layers: [two.digest] };
  expect(await carried(both, [x])).toEqual([
    { tags: [y], layers: [one.digest, two.digest] },
    nameless,
  ]);
  expect(await carried(both, [x, y])).toEqual([nameless]);
});

test("EarlierImages refuses a name that it cannot keep", async () => {
  const failure = await rejection(carried({ item: { RepoTags: ["UPPER"] } }, []));
  expect(failure.message).toMatch(/^keeping an image of .*a\.tar: invalid reference format/);
});
