// Engines and archives: they load what we write, and we read what they save.

import { afterAll, describe, expect } from "bun:test";
import {
  dockerNeeds,
  knowsContainerdStore,
  podmanNeeds,
  startDockerd,
  startPodman,
  type TestEngine,
} from "../support/engines.ts";
import { testWith } from "../support/needs.ts";
import { registryProgram } from "../support/peers.ts";
import { hexOf, type SampleImage, sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

interface Case {
  readonly what: string;
  readonly needs: readonly string[];
  readonly start: () => Promise<TestEngine>;
  /** Archives that it loads. */
  readonly loads: readonly ("docker-archive" | "oci-archive")[];
  /** How its client is asked for an archive, and what that is. */
  readonly saves: readonly (readonly [
    kind: "docker-archive" | "oci-archive",
    ...flags: string[],
  ])[];
}

const docker: Omit<Case, "what" | "start"> = {
  needs: dockerNeeds,
  loads: ["docker-archive"],
  saves: [["docker-archive"]],
};

const engines: readonly Case[] = [
  { ...docker, what: "dockerd", start: () => startDockerd() },
  {
    what: "podman",
    needs: podmanNeeds,
    start: startPodman,
    loads: ["docker-archive", "oci-archive"],
    saves: [
      ["docker-archive", "--format=docker-archive"],
      ["oci-archive", "--format=oci-archive"],
    ],
  },
];

const newer: Case = {
  ...docker,
  what: "dockerd with containerd's store",
  start: () => startDockerd({ containerdStore: true }),
  loads: ["docker-archive", "oci-archive"],
  // Both are in what it saves.
  saves: [["docker-archive"], ["oci-archive"]],
};

for (const engine of knowsContainerdStore() ? [...engines, newer] : engines) {
  describe(`archives and ${engine.what}`, () => {
    const engineTest = testWith(...engine.needs);
    let running: TestEngine | undefined;
    const theEngine = async (): Promise<TestEngine> => (running ??= await engine.start());
    afterAll(async () => running?.[Symbol.asyncDispose]());

    for (const kind of engine.loads) {
      engineTest(`it loads a ${kind}: that we wrote`, async () => {
        const { client } = await theEngine();
        await using scene = new Scene();
        const [sample, image] = await sourceOf(scene, kind);
        const archive = scene.at("archive.tar");
        const name = `localhost/loaded/${kind}:1`;
        await scene.copy(image, `${kind}:${archive}:${name}`);
        await client("load", "--input", archive);
        const layers = await layersOf(client, kind === "docker-archive" ? [name] : undefined);
        expect(layers).toContainEqual([...sample.diffIds]);
      });
    }

    engineTest("it loads all names of one image, and several images of one archive", async () => {
      const { client } = await theEngine();
      await using scene = new Scene();
      const [, image] = await sourceOf(scene, "docker-archive", "several");
      const [, other] = await sourceOf(scene, "docker-archive", "others");
      const archive = `docker-archive:${scene.at("archive.tar")}`;
      const further = "--additional-tag=localhost/several:2";
      await scene.copy(further, image, `${archive}:localhost/several:1`);
      await scene.copy("--dest-append", other, `${archive}:localhost/other:1`);
      await client("load", "--input", scene.at("archive.tar"));
      for (const name of ["localhost/several:1", "localhost/several:2", "localhost/other:1"]) {
        expect((await client("image", "inspect", name)).code).toBe(0);
      }
    });

    for (const [kind, ...flags] of engine.saves) {
      engineTest(`we read what it saves, as ${[kind, ...flags].join(" ")}`, async () => {
        const { host, client } = await theEngine();
        await using scene = new Scene();
        const [sample, image] = await sourceOf(scene, kind, "saved");
        const name = "localhost/saved:1";
        await scene.copy(`--dest-daemon-host=${host}`, image, `docker-daemon:${name}`);
        const archive = scene.at("saved.tar");
        await client("save", ...flags, "--output", archive, name);
        const whole = kind === "docker-archive" ? `${archive}:${name}` : archive;
        await scene.copy(`${kind}:${whole}`, "dir:there");
        const manifest = await Bun.file(scene.at("there/manifest.json")).json();
        const config = await Bun.file(scene.at("there", hexOf(manifest.config.digest))).json();
        expect(config.rootfs.diff_ids).toEqual(sample.diffIds);
        expect(manifest.layers.length).toBe(sample.diffIds.length);
        if (kind === "docker-archive") {
          expect(manifest.config.digest).toBe(sample.config.digest);
        }
      });
    }

    engineTest("we read one of several images that it saves, by each of its names", async () => {
      const { host, client } = await theEngine();
      await using scene = new Scene();
      const names = ["localhost/first:1", "localhost/first:2", "localhost/second:1"];
      const [first, firstImage] = await sourceOf(scene, "docker-archive", "first");
      const [second, secondImage] = await sourceOf(scene, "docker-archive", "second");
      await scene.copy(`--dest-daemon-host=${host}`, firstImage, `docker-daemon:${names[0]}`);
      await scene.copy(`--dest-daemon-host=${host}`, secondImage, `docker-daemon:${names[2]}`);
      await client("tag", names[0] ?? "", names[1] ?? "");
      const several = engine.needs === podmanNeeds ? ["--multi-image-archive"] : [];
      await client("save", ...several, "--output", scene.at("saved.tar"), ...names);
      for (const [name, sample] of [
        [names[0], first],
        [names[1], first],
        [names[2], second],
      ] as const) {
        const image = `docker-archive:${scene.at("saved.tar")}:${name}`;
        const { stdout } = await scene.dray("inspect", "--raw", image);
        expect(JSON.parse(stdout).config.digest).toBe(sample.config.digest);
      }
    });
  });
}

describe("archives and platforms", () => {
  const registryTest = testWith(...podmanNeeds, registryProgram);

  registryTest("podman loads its platform's image of a list in an oci-archive:", async () => {
    await using engine = await startPodman();
    await using scene = new Scene();
    const source = await scene.store("docker");
    const list = sampleList({ attested: false });
    await source.fill(list);
    await scene.copy("--all", source.image, `oci-archive:${scene.at("list.tar")}:localhost/list:1`);
    await engine.client("load", "--input", scene.at("list.tar"));
    expect(await engine.count()).toBe(1);
  });
});

/** Returns an image in a directory that an archive of a kind can hold as it is. */
async function sourceOf(
  scene: Scene,
  kind: "docker-archive" | "oci-archive",
  seed: string = kind,
): Promise<readonly [sample: SampleImage, image: string]> {
  const format = kind === "oci-archive" ? "oci" : "docker";
  const sample = sampleImage({ seed, format, layers: ["gzip", "none"] });
  const source = await scene.store("dir");
  await source.fill(sample);
  return [sample, source.image];
}

/** Returns the layers of images as an engine tells them; of all images if none is named. */
async function layersOf(
  client: TestEngine["client"],
  names?: readonly string[],
): Promise<readonly string[][]> {
  const all = await client("images", "--all", "--quiet", "--no-trunc");
  const ids = all.stdout.split("\n").filter((line) => line !== "");
  const found: readonly { RootFS: { Layers: string[] } }[] = JSON.parse(
    (await client("image", "inspect", ...(names ?? ids))).stdout,
  );
  return found.map(({ RootFS }) => RootFS.Layers);
}
