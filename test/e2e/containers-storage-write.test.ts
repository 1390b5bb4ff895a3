// containers-storage, written: what podman, buildah and skopeo, old and new, make of it.

import { describe, expect } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { digestOf } from "../../core/content/digest.ts";
import { podmanNeeds, startPodman } from "../support/engines.ts";
import { original, testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { startPeerRegistry } from "../support/peers.ts";
import { PodmanStore } from "../support/podman-store.ts";
import { runnableImage } from "../support/runnable-image.ts";
import { run, start } from "../support/run.ts";
import {
  type Sample,
  sampleImage,
  sampleList,
  writeDirectory,
  writeLayout,
} from "../support/sample-images.ts";
import { SmallDisk } from "../support/small-disk.ts";
import { treeOf } from "../support/trees.ts";

const engines = ["podman", "newer:podman"] as const;
const drivers = ["overlay", "vfs"] as const;
const layered = { format: "oci", layers: ["gzip", "none", "zstd"] } as const;

function layoutOf(store: PodmanStore, sample: Sample, name = "layout"): string {
  writeLayout(store.workspace.at(name), { "1": sample });
  return `oci:${store.workspace.at(name)}:1`;
}

const upper = [
  { path: "w", kind: "directory", mode: 0o755 },
  { path: "w/gone", body: Buffer.from("gone") },
  { path: "w/kept", body: Buffer.from("kept"), mode: 0o4750, uid: 12, gid: 34 },
  { path: "w/full", kind: "directory", mode: 0o700 },
  { path: "w/full/old", body: Buffer.from("old") },
] as const;

const uppermost = [
  { path: "w/.wh.gone" },
  { path: "w/full", kind: "directory", mode: 0o711, uid: 5, gid: 6 },
  { path: "w/full/.wh..wh..opq" },
  { path: "w/full/new", body: Buffer.from("new") },
] as const;

describe("containers-storage, written", () => {
  for (const driver of drivers) {
    for (const engine of engines) {
      testWith("root", engine, "unshare")(
        `${driver}: ${engine} lists, inspects, runs and removes what was written`,
        async () => {
          using store = new PodmanStore(driver);
          const sample = runnableImage(upper, uppermost);
          await store.copy(layoutOf(store, sample), store.image("localhost/x:1"));
          const listed = await store.podman(engine, "images", "--no-trunc", "--format=json");
          const id = sample.config.digest.slice(7);
          expect(JSON.parse(listed.stdout)).toMatchObject([
            { Id: id, Digest: sample.manifest.digest, Names: ["localhost/x:1"] },
          ]);
          const inspected = await store.podman(engine, "inspect", "localhost/x:1");
          expect(JSON.parse(inspected.stdout)).toMatchObject([
            {
              Id: id,
              RepoTags: ["localhost/x:1"],
              RepoDigests: [`localhost/x@${sample.manifest.digest}`],
              RootFS: { Layers: sample.diffIds },
              NamesHistory: ["localhost/x:1"],
            },
          ]);
          const seen = await store.runContainer(
            engine,
            [],
            "localhost/x:1",
            "/bin/ls",
            "-lnR",
            "/w",
          );
          const lines = seen.stdout.split("\n").map((line) => line.trim().split(/\s+/));
          const entries = lines
            .filter((fields) => fields.length >= 9)
            .map(([mode, , uid, gid, ...rest]) =>
              [mode?.slice(0, 10), uid, gid, rest.at(-1)].join(" "),
            );
          expect(entries).toEqual([
            "drwx--x--x 5 6 full",
            "-rwsr-x--- 12 34 kept",
            "-rw-r--r-- 0 0 new",
          ]);
          await store.podman(engine, "rmi", "localhost/x:1");
          expect(store.images()).toEqual([]);
          expect(store.faults()).toEqual([]);
        },
        120_000,
      );
    }

    testWith("root", "newer:skopeo")(
      `${driver}: stores the same as the original, and gives back the same`,
      async () => {
        using ours = new PodmanStore(driver);
        using theirs = new PodmanStore(driver);
        const skopeo = newerProgram("skopeo");
        const samples = [
          sampleImage({ ...layered, odd: driver === "overlay" }),
          sampleImage({ odd: driver === "overlay" }),
          sampleList({ attested: false, odd: driver === "overlay" }),
          sampleImage({ layers: [] }),
        ];
        for (const [index, sample] of samples.entries()) {
          const from = layoutOf(ours, sample, `layout-${index}`);
          await ours.copy(from, ours.image(`localhost/x:${index}`));
          const args = ["--insecure-policy", "copy", "--quiet", from];
          await theirs.program(skopeo, ...args, theirs.image(`localhost/x:${index}`));
          for (const store of [ours, theirs]) {
            const to = `dir:${store.workspace.at(`out-${index}`)}`;
            const out = [
              "--insecure-policy",
              "copy",
              "--quiet",
              store.image(`localhost/x:${index}`),
              to,
            ];
            await store.program(skopeo, ...out);
          }
          const [mine, other] = [ours, theirs].map(({ workspace }) =>
            treeOf(workspace.at(`out-${index}`)),
          );
          expect(mine).toEqual(other as never);
        }
        for (const file of ["images/images.json", "layers/layers.json"]) {
          const [mine, other] = [ours, theirs].map(({ graphRoot }) =>
            withoutTimes(readFileSync(join(graphRoot, `${driver}-${file}`), "utf8")),
          );
          expect(mine).toBe(other as string);
        }
        expect(modesOf(ours.graphRoot)).toEqual(modesOf(theirs.graphRoot));
        expect(ours.faults()).toEqual([]);
      },
      120_000,
    );
  }

  testWith(
    "root",
    original(),
    "buildah",
    "podman",
  )(
    "what one writes another one goes on with",
    async () => {
      using store = new PodmanStore();
      const from = layoutOf(store, runnableImage());
      await store.copy(from, store.image("localhost/base:1"));
      writeFileSync(store.workspace.at("file"), "content");
      writeFileSync(
        store.workspace.at("Containerfile"),
        "FROM localhost/base:1\nCOPY file /file\n",
      );
      const roots = [`--root=${store.graphRoot}`, `--runroot=${store.runRoot}`];
      const bud = ["--storage-driver=overlay", "bud", "--isolation=chroot", "-t", "localhost/b:1"];
      await store.program("buildah", ...roots, ...bud, store.workspace.path);
      await store.copy(store.image("localhost/b:1"), store.image("localhost/c:2"));
      await store.podman(
        "podman",
        "push",
        "localhost/c:2",
        `oci:${store.workspace.at("pushed")}:1`,
      );
      await store.podman("podman", "rmi", "localhost/base:1");
      const seen = await store.runContainer("podman", [], "localhost/c:2", "/bin/cat", "/file");
      expect(seen.stdout).toBe("content");
      await store.podman("podman", "rmi", "--all", "--force");
      expect(store.faults()).toEqual([]);
    },
    120_000,
  );

  for (const engine of engines) {
    testWith(
      "root",
      engine,
      "docker-registry",
      "unshare",
    )(
      `${engine} pulls into the store what shares layers, builds upon it, and pushes it`,
      async () => {
        using store = new PodmanStore();
        await using registry = await startPeerRegistry({
          directory: store.workspace.at("registry"),
        });
        const [base, top] = [[], [[{ path: "top", body: Buffer.from("above") }]]].map((above) =>
          runnableImage(...above),
        );
        if (base === undefined || top === undefined) throw new Error("no images");
        const plain = ["--tls-verify=false", "--quiet"];
        const remote = (name: string) => `docker://${registry.host}/x/${name}:1`;
        await store.copy(layoutOf(store, base, "base"), store.image("localhost/base:1"));
        await store.copy("--dest-tls-verify=false", layoutOf(store, top, "top"), remote("top"));
        const ours = store.layers().map(({ id }) => id);

        await store.podman(engine, "pull", ...plain, remote("top"));
        // The base is the one that was there.
        expect(store.layers().map(({ id }) => id)).toEqual([...ours, expect.any(String)]);
        const pulled = `${registry.host}/x/top:1`;
        const seen = await store.runContainer(engine, [], pulled, "/bin/cat", "/top");
        expect(seen.stdout).toBe("above");
        // What it knows of blobs is right for what we do with them, too.
        await store.copy(store.image(pulled), `dir:${store.workspace.at("out")}`);

        writeFileSync(store.workspace.at("file"), "content");
        writeFileSync(store.workspace.at("Containerfile"), `FROM ${pulled}\nCOPY file /file\n`);
        const build = ["build", "--isolation=chroot", "-t", "localhost/built:1"];
        await store.podman(engine, ...build, "-f", store.workspace.at("Containerfile"), ".");
        const built = await store.runContainer(
          engine,
          [],
          "localhost/built:1",
          "/bin/cat",
          "/file",
        );
        expect(built.stdout).toBe("content");

        for (const name of ["base", "built"]) {
          await store.podman(engine, "push", ...plain, `localhost/${name}:1`, remote(name));
        }
        const back = store.image("localhost/back:1");
        await store.copy("--src-tls-verify=false", remote("built"), back);
        const kept = (name: string) => store.images().find(({ names }) => names?.includes(name));
        // The config is the same, so it is the same image.
        expect(kept("localhost/back:1")?.names).toContain("localhost/built:1");
        const raw = await store.dray("inspect", "--tls-verify=false", "--config", remote("base"));
        expect(JSON.parse(raw.stdout).rootfs.diff_ids).toEqual(base.diffIds);

        await store.podman(engine, "rmi", "--all", "--force");
        expect(store.faults()).toEqual([]);
      },
      120_000,
    );
  }

  testWith("root", "podman")("does not send what the store has", async () => {
    using store = new PodmanStore();
    const sample = sampleImage(layered);
    const from = layoutOf(store, sample);
    await store.copy(from, store.image("localhost/x:1"));
    const again = await store.dray("copy", from, store.image("localhost/x:2"));
    expect(again.code).toBe(0);
    const names = store.images().map(({ names }) => names);
    expect(names).toEqual([["localhost/x:2", "localhost/x:1"]]);
    expect(store.faults()).toEqual([]);
  });

  testWith("root")("a dry run says what would be done, and makes nothing", async () => {
    using store = new PodmanStore();
    const from = layoutOf(store, sampleImage(layered));
    const before = treeOf(store.workspace.path);
    const first = await store.dray("copy", "--dry-run", from, store.image("localhost/x:1"));
    expect(first).toMatchObject({ code: 0 });
    expect(treeOf(store.workspace.path)).toEqual(before);
    await store.copy(from, store.image("localhost/x:1"));
    const second = await store.dray("copy", "--dry-run", from, store.image("localhost/x:2"));
    expect(second.code).toBe(0);
    expect(second.stdout).not.toBe(first.stdout);
    expect(store.images()[0]?.names).toEqual(["localhost/x:1"]);
  });

  testWith(...podmanNeeds)("an engine that is running sees what comes and goes", async () => {
    await using engine = await startPodman();
    using store = new PodmanStore();
    const socket = engine.host.slice("unix://".length);
    const directory = dirname(socket);
    const place = `overlay@${join(directory, "g")}+${join(directory, "r")}`;
    const listed = async () => {
      const answer = await fetch("http://engine/v4.0.0/libpod/images/json", { unix: socket });
      const images: unknown = await answer.json();
      return Array.isArray(images) ? images.map(({ Names }) => Names) : images;
    };
    expect(await listed()).toEqual([]);
    const image = `containers-storage:[${place}]localhost/x:1`;
    await store.copy(layoutOf(store, sampleImage(layered)), image);
    expect(await listed()).toEqual([["localhost/x:1"]]);
    expect(await store.dray("delete", image)).toMatchObject({ code: 0, stderr: "" });
    expect(await listed()).toEqual([]);
  });

  testWith("root", "newer:skopeo")("keeps schema 1 as the original does", async () => {
    using ours = new PodmanStore();
    using theirs = new PodmanStore();
    const skopeo = newerProgram("skopeo");
    const old = `dir:${ours.workspace.at("old")}`;
    await ours.copy(
      "--format=v2s1",
      layoutOf(ours, sampleImage({ ...layered, layers: ["gzip"] })),
      old,
    );
    await ours.copy(old, ours.image("localhost/x:1"));
    const args = ["--insecure-policy", "copy", "--quiet", old, theirs.image("localhost/x:1")];
    await theirs.program(skopeo, ...args);
    expect(ours.images()).toEqual(theirs.images());
    const outs = [ours, theirs].map(({ workspace }) => workspace.at("out"));
    await ours.copy(theirs.image("localhost/x:1"), `dir:${outs[0]}`);
    const out = [
      "--insecure-policy",
      "copy",
      "--quiet",
      ours.image("localhost/x:1"),
      `dir:${outs[1]}`,
    ];
    await theirs.program(skopeo, ...out);
    const [mine, other] = outs.map((path) => Object.keys(treeOf(path)));
    expect(mine).toEqual(other as string[]);
  });

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    testWith("root")(`F8: leaves nothing where ${signal} ends it`, async () => {
      using store = new PodmanStore();
      const sample = sampleImage({ ...layered, odd: false, ballastBytes: 20_000_000 });
      const from = layoutOf(store, sample);
      const writer = start(
        ["--insecure-policy", "copy", "-q", from, store.image("localhost/x:1")],
        {
          cwd: store.workspace.path,
        },
      );
      const staging = join(store.graphRoot, "overlay/tempdirs");
      while (Object.keys(treeOf(staging)).length < 4) await Bun.sleep(5);
      writer.kill(signal);
      expect((await writer.done).code).toBe(code);
      expect(treeOf(staging)).toEqual({});
      expect(treeOf(join(store.graphRoot, "overlay-layers/tmp"))).toEqual({});
      expect(treeOf(join(store.graphRoot, "overlay/l"))).toEqual({});
    });
  }

  testWith("root", "podman")("gives a name to one image only", async () => {
    using store = new PodmanStore();
    const [one, two] = ["one", "two"].map((seed) => sampleImage({ ...layered, seed }));
    if (one === undefined || two === undefined) throw new Error("no samples");
    await store.copy(layoutOf(store, one, "one"), store.image("localhost/x:1"));
    await store.copy(layoutOf(store, two, "two"), store.image("localhost/x:1"));
    const records = store.images();
    expect(records.map(({ names }) => names)).toEqual([undefined, ["localhost/x:1"]]);
    expect(records.map((record) => record["names-history"])).toEqual([
      ["localhost/x:1"],
      ["localhost/x:1"],
    ]);
  });

  testWith("root")("puts known layers above others, byte for byte", async () => {
    using store = new PodmanStore();
    const sample = sampleImage({ ...layered, layers: ["gzip", "gzip"] });
    await store.copy(layoutOf(store, sample), store.image("localhost/x:1"));
    // The same layers, in another order and one of them twice.
    const [base, top] = sample.layers;
    const [baseId = "", topId = ""] = sample.diffIds;
    if (base === undefined || top === undefined) throw new Error("no layers");
    const { imageOf, mediaTypes } = await import("../support/sample-images.ts");
    const bytes = Buffer.from(
      JSON.stringify({
        architecture: "amd64",
        os: "linux",
        config: {},
        rootfs: { type: "layers", diff_ids: [topId, baseId, topId] },
      }),
    );
    const config = { mediaType: mediaTypes.oci.config, bytes, digest: digestOf(bytes) };
    const other = imageOf("oci", config, [top, base, top], [topId, baseId, topId]);
    await store.copy(layoutOf(store, other, "other"), store.image("localhost/y:1"));
    await store.copy(store.image("localhost/y:1"), `dir:${store.workspace.at("out")}`);
    expect(Object.keys(treeOf(store.workspace.at("out")))).toContain(topId.slice(7));
    expect(store.layers()).toHaveLength(5);
    expect(store.faults()).toEqual([]);
  });

  testWith("root")("deletes an image, and what nothing else needs", async () => {
    using store = new PodmanStore();
    const [one, two] = ["one", "two"].map((seed) => sampleImage({ ...layered, seed }));
    if (one === undefined || two === undefined) throw new Error("no samples");
    await store.copy(layoutOf(store, one, "one"), store.image("localhost/x:1"));
    await store.copy(layoutOf(store, two, "two"), store.image("localhost/y:1"));
    await store.copy(layoutOf(store, one, "one"), store.image("localhost/z:1"));
    const before = [store.images(), store.layers()];
    const dry = await store.dray("delete", "--dry-run", store.image("localhost/z:1"));
    expect(dry).toMatchObject({ code: 0, stderr: "" });
    for (const name of ["localhost/x:1", "localhost/z:1", ...one.diffIds, "Nothing was deleted."]) {
      expect(dry.stdout).toContain(name);
    }
    expect([store.images(), store.layers()]).toEqual(before);
    const deleted = await store.dray("delete", store.image("localhost/z:1"));
    expect(deleted).toMatchObject({ code: 0, stderr: "" });
    expect(store.images().map(({ names }) => names)).toEqual([["localhost/y:1"]]);
    expect(store.layers()).toHaveLength(3);
    expect(store.faults()).toEqual([]);
    const missing = await store.dray("delete", store.image("localhost/x:1"));
    expect(missing.code).toBe(2);
    await store.copy(store.image("localhost/y:1"), `dir:${store.workspace.at("out")}`);
  });

  testWith(
    "root",
    "podman",
    "unshare",
  )("deletes no image that a container needs", async () => {
    using store = new PodmanStore();
    await store.copy(layoutOf(store, runnableImage()), store.image("localhost/x:1"));
    await store.podman("podman", "create", "--network=none", "localhost/x:1", "/bin/true");
    const { code, stderr } = await store.dray("delete", store.image("localhost/x:1"));
    expect(code).toBe(1);
    expect(stderr).toContain("image is in use by a container");
    await store.podman("podman", "rm", "--all");
    expect((await store.dray("delete", store.image("localhost/x:1"))).code).toBe(0);
  });

  testWith(
    "root",
    "newer:podman",
    "unshare",
  )("deletes no image that a container needs which outlives no crash", async () => {
    using store = new PodmanStore();
    await store.copy(layoutOf(store, runnableImage()), store.image("localhost/x:1"));
    const create = ["create", "--network=none", "localhost/x:1", "/bin/true"];
    await store.podman("newer:podman", "--transient-store", ...create);
    const { code, stderr } = await store.dray("delete", store.image("localhost/x:1"));
    expect(code).toBe(1);
    expect(stderr).toContain("image is in use by a container");
    expect([store.images().length, store.layers().length]).toEqual([1, 1]);
  });

  testWith("root")("leaves nothing of an image that could not be written", async () => {
    using store = new PodmanStore();
    const plain = { ...layered, odd: false };
    await store.copy(layoutOf(store, sampleImage(plain)), store.image("localhost/x:1"));
    const before = treeOf(store.graphRoot);
    const broken = sampleImage({ ...plain, seed: "broken" });
    const from = layoutOf(store, broken, "broken");
    const [, second] = broken.layers;
    const blob = store.workspace.at("broken/blobs/sha256", second?.digest.slice(7) ?? "");
    writeFileSync(blob, Buffer.from(second?.bytes ?? []).fill(1, 5000, 5001));
    const { code, stderr } = await store.dray("copy", from, store.image("localhost/y:1"));
    expect(code).toBe(1);
    expect(stderr).toContain("Digest did not match");
    expect(treeOf(store.graphRoot)).toEqual(before);
  });

  testWith("root")("refuses what is no image, in the original's words", async () => {
    using store = new PodmanStore();
    const sample = sampleImage({ format: "oci", layers: ["none"] });
    const list = sampleList();
    const all = await store.dray("copy", "--all", layoutOf(store, list), store.image("x:1"));
    expect(all.stderr).toContain("does not support copying multiple images as a group");
    const text = Buffer.from(sample.manifest.bytes)
      .toString()
      .replace("application/vnd.oci.image.config.v1+json", "application/vnd.example+json");
    const bytes = Buffer.from(text);
    const artifact = {
      ...sample,
      manifest: { ...sample.manifest, bytes, digest: digestOf(bytes) },
    };
    const { code, stderr } = await store.dray(
      "copy",
      layoutOf(store, artifact, "artifact"),
      store.image("x:1"),
    );
    expect(code).toBe(1);
    expect(stderr).toContain("writing to c/storage without a valid image config:");
    expect(readdirSync(join(store.graphRoot, "overlay/l"))).toEqual([]);
  });

  testWith("root")("a list's digest leads to the image that was chosen from it", async () => {
    using store = new PodmanStore();
    const list = sampleList({ attested: false });
    const from = layoutOf(store, list);
    await store.copy(from, store.image(`localhost/x@${list.manifest.digest}`));
    const raw = await store.dray(
      "inspect",
      "--raw",
      store.image(`localhost/x@${list.manifest.digest}`),
    );
    expect(raw.stdout).toBe(Buffer.from(list.manifest.bytes).toString());
    const out = `dir:${store.workspace.at("out")}`;
    await store.copy(store.image(`localhost/x@${list.manifest.digest}`), out);
    const [chosen] = list.images;
    const names = Object.keys(treeOf(store.workspace.at("out")));
    for (const diffId of chosen?.diffIds ?? []) expect(names).toContain(diffId.slice(7));
  });

  testWith(
    "root",
    "newer:skopeo",
    "fuse-overlayfs",
    "getfattr",
  )("keeps owners and modes in attributes, where all files of a store have one mode", async () => {
    using ours = new PodmanStore();
    using theirs = new PodmanStore();
    const options = "overlay.mount_program=/usr/bin/fuse-overlayfs,overlay.force_mask=0750";
    const sample = sampleImage({ ...layered, odd: false });
    const trees = [];
    for (const store of [ours, theirs]) {
      const place = `overlay@${store.graphRoot}+${store.runRoot}:${options}`;
      const to = `containers-storage:[${place}]localhost/x:1`;
      const from = layoutOf(store, sample);
      if (store === ours) await store.copy(from, to);
      else await store.program(newerProgram("skopeo"), "--insecure-policy", "copy", "-q", from, to);
      await store.copy(to, `dir:${store.workspace.at("out")}`);
      trees.push(attributesOf(store));
    }
    expect(trees[0]).toContain('user.containers.override_stat="0:0:0755:dir"');
    expect(trees[0]).toBe(trees[1] as string);
  });

  testWith("root", "newer:podman", "unshare")(
    "puts layers above those of a store that is only read",
    async () => {
      using below = new PodmanStore();
      using store = new PodmanStore();
      await below.copy(layoutOf(below, runnableImage()), below.image("localhost/base:1"));
      const before = treeOf(below.graphRoot);
      const top = runnableImage([{ path: "top", body: Buffer.from("above") }]);
      const from = layoutOf(store, top);
      writeFileSync(
        store.workspace.at("storage.conf"),
        `[storage]\ndriver="overlay"\ngraphroot="${store.graphRoot}"\nrunroot="${store.runRoot}"\n[storage.options]\nadditionalimagestores=["${below.graphRoot}"]\n`,
      );
      const env = { CONTAINERS_STORAGE_CONF: store.workspace.at("storage.conf") };
      const copied = await run(
        ["--insecure-policy", "copy", "-q", from, "containers-storage:localhost/top:1"],
        { cwd: store.workspace.path, env },
      );
      expect(copied).toMatchObject({ code: 0, stderr: "" });
      expect(store.layers()).toHaveLength(1);
      expect(treeOf(below.graphRoot)).toEqual(before);
      const option = `--storage-opt=overlay.imagestore=${below.graphRoot}`;
      const seen = await store.runContainer(
        "newer:podman",
        [option],
        "localhost/top:1",
        "/bin/cat",
        "/top",
      );
      expect(seen.stdout).toBe("above");
    },
    120_000,
  );

  testWith("root", "newer:skopeo")("keeps signatures for others, and takes theirs", async () => {
    using store = new PodmanStore();
    const skopeo = newerProgram("skopeo");
    const sample = sampleImage({ format: "oci", layers: ["none"] });
    const source = store.workspace.at("source");
    writeDirectory(source, sample);
    const signature = Buffer.concat([Buffer.from([0x89]), Buffer.from("a signature of old")]);
    writeFileSync(join(source, "signature-1"), signature);
    await store.copy(`dir:${source}`, store.image("localhost/x:1"));
    const theirs = [
      "--insecure-policy",
      "copy",
      "-q",
      `dir:${source}`,
      store.image("localhost/y:1"),
    ];
    await store.program(skopeo, ...theirs);
    const outs = ["a", "b"].map((name) => store.workspace.at(name));
    await store.program(
      skopeo,
      ...["--insecure-policy", "copy", "-q", store.image("localhost/x:1"), `dir:${outs[0]}`],
    );
    await store.copy(store.image("localhost/y:1"), `dir:${outs[1]}`);
    for (const out of outs)
      expect(readFileSync(join(out, "signature-1")).equals(signature)).toBe(true);
  });

  testWith("root")("the same image may be written by several at once", async () => {
    using store = new PodmanStore();
    const sample = sampleImage({ ...layered, ballastBytes: 1_000_000 });
    const from = layoutOf(store, sample);
    const names = ["a", "b", "c", "d"].map((name) => `localhost/${name}:1`);
    await Promise.all(names.map((name) => store.copy(from, store.image(name))));
    expect(store.images()).toHaveLength(1);
    expect(store.images()[0]?.names?.toSorted()).toEqual(names);
    expect(store.layers()).toHaveLength(3);
    expect(store.faults()).toEqual([]);
  });

  testWith("root", "mount")("F9: leaves nothing on a full disk", async () => {
    using disk = new SmallDisk(4 * 1024 * 1024);
    using store = new PodmanStore();
    const sample = sampleImage({ ...layered, ballastBytes: 3_000_000 });
    const to = `containers-storage:[overlay@${disk.at("g")}+${disk.at("r")}]localhost/x:1`;
    const { code, stderr } = await store.dray("copy", layoutOf(store, sample), to);
    expect(code).toBe(1);
    expect(stderr).toContain("no space left on device");
    for (const directory of ["overlay/tempdirs", "overlay-layers/tmp", "overlay/l"]) {
      expect(readdirSync(disk.at("g", directory))).toEqual([]);
    }
    const small = sampleImage({ ...layered, ballastBytes: 1000 });
    await store.copy(layoutOf(store, small, "small"), to);
  });
});

/** Returns the modes, owners and attributes of all files of layers. */
function attributesOf({ graphRoot }: PodmanStore): string {
  const script = `cd "$0" && for each in stat getfattr; do
    find . -path './*/diff*' -not -type l | LC_ALL=C sort | case $each in
      stat) xargs -d '\\n' stat -c '%n %a %u:%g';;
      getfattr) xargs -d '\\n' getfattr -d -m -;;
    esac
  done`;
  const { stdout } = Bun.spawnSync(["sh", "-c", script, join(graphRoot, "overlay")]);
  return stdout.toString();
}

/** Returns records but for the moments in which layers were made. */
function withoutTimes(text: string): string {
  return text.replaceAll(/"created":"2026-[^"]*"|"created":"20[3-9]\d-[^"]*"/g, '"created":""');
}

/** Returns the modes and owners of all that a store consists of, with random names left out. */
function modesOf(root: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    // What other programs keep there besides.
    if (!/^(overlay|vfs)(-images|-layers)?\//.test(name)) continue;
    if (
      /^overlay\/(l\/|\.has-mount-program)|\/diff\/|^vfs\/dir\/[^/]+\/|mount|\/tmp$|tempdirs/.test(
        name,
      )
    )
      continue;
    const { mode, uid, gid } = statSync(join(root, name));
    found[name] = `${mode.toString(8)} ${uid}:${gid}`;
  }
  return found;
}
