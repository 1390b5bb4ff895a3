// containers-storage, read: what podman, buildah and skopeo have stored, old and new, overlay and vfs.

import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { LayerStore } from "../support/layer-store.ts";
import { original, testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { startPeerRegistry } from "../support/peers.ts";
import { type RunOptions, run, succeed } from "../support/run.ts";
import { sampleImage, sampleList, writeLayout } from "../support/sample-images.ts";
import { treeOf } from "../support/trees.ts";
import { Workspace } from "../support/workspace.ts";

const samples = [
  [
    "an OCI image",
    (odd: boolean) => sampleImage({ format: "oci", layers: ["gzip", "none", "zstd"], odd }),
  ],
  ["a Docker image", (odd: boolean) => sampleImage({ odd })],
  ["an image that was chosen from a list", (odd: boolean) => sampleList({ attested: false, odd })],
  ["an image without layers", () => sampleImage({ layers: [] })],
] as const;

const cases = (["overlay", "vfs"] as const).flatMap((driver) =>
  samples.map(([what, sample]) => [driver, what, sample] as const),
);

const newerTest = testWith("root", "newer:skopeo");

function dray(workspace: Workspace, args: readonly string[], options: Partial<RunOptions> = {}) {
  return run(["--insecure-policy", ...args], { cwd: workspace.path, ...options });
}

describe("containers-storage, read", () => {
  for (const [driver, what, sample] of cases) {
    newerTest(`gives ${what} of ${driver} as the original does, to the last byte`, async () => {
      using workspace = new Workspace();
      const store = new LayerStore(workspace, driver);
      const skopeo = newerProgram("skopeo");
      // With vfs the original itself cannot give back what a layer's own whiteouts have removed.
      await store.add("x", sample(driver === "overlay"), skopeo);
      await store.take("x", `dir:${workspace.at("theirs")}`, skopeo);
      const image = store.image("localhost/x:1");
      const copied = await dray(workspace, ["copy", "--quiet", image, "dir:ours"]);
      expect(copied.stderr).toBe("");
      expect(treeOf(workspace.at("ours"))).toEqual(treeOf(workspace.at("theirs")));
    });
  }

  testWith("root", original())("gives what an old original has stored", async () => {
    using workspace = new Workspace();
    const store = new LayerStore(workspace);
    const sample = sampleImage({ format: "oci", layers: ["gzip", "none", "zstd"] });
    await store.add("x", sample, original());
    const image = store.image("localhost/x:1");
    expect((await dray(workspace, ["copy", image, "dir:ours"])).code).toBe(0);
    const names = Object.keys(treeOf(workspace.at("ours")));
    for (const diffId of sample.diffIds) expect(names).toContain(diffId.slice(7));
    const { stdout } = await dray(workspace, ["inspect", image]);
    // As the manifest lists them, not as they can be read.
    expect(JSON.parse(stdout)).toMatchObject({
      Name: "localhost/x",
      Digest: sample.manifest.digest,
      RepoTags: [],
      Layers: sample.layers.map(({ digest }) => digest),
    });
    const raw = await dray(workspace, ["inspect", "--raw", image]);
    expect(raw.stdout).toBe(new TextDecoder().decode(sample.manifest.bytes));
  });

  testWith(
    "root",
    "newer:podman",
    "newer:skopeo",
    "docker-registry",
  )(
    "gives what podman has pulled file by file",
    async () => {
      using workspace = new Workspace("/tmp");
      await using registry = await startPeerRegistry({ directory: workspace.at("registry") });
      const sample = sampleImage({ format: "oci", odd: false });
      writeLayout(workspace.at("layout"), { "1": sample });
      writeFileSync(workspace.at("policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
      const conf = [
        `[storage]\ndriver="overlay"\ngraphroot="${workspace.at("g")}"\nrunroot="${workspace.at("r")}"`,
        `[storage.options.pull_options]\nenable_partial_images="true"\n`,
      ];
      writeFileSync(workspace.at("storage.conf"), conf.join("\n"));
      const env = {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: workspace.path,
        _CONTAINERS_ROOTLESS_UID: "",
        CONTAINERS_STORAGE_CONF: workspace.at("storage.conf"),
      };
      const options = { cwd: workspace.path, env };
      const to = `docker://${registry.host}/x/chunked:1`;
      const push = ["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"];
      const compress = "--dest-compress-format=zstd:chunked";
      await succeed(
        [...push, compress, "--dest-force-compress-format", `oci:${workspace.at("layout")}:1`, to],
        {
          ...options,
          program: newerProgram("skopeo"),
        },
      );
      const pull = [
        "pull",
        `--signature-policy=${workspace.at("policy.json")}`,
        "--tls-verify=false",
        to,
      ];
      await succeed([`--tmpdir=${workspace.at("l")}`, ...pull], {
        ...options,
        program: newerProgram("podman"),
      });
      Bun.spawnSync(["umount", workspace.at("g/overlay")], { stderr: "ignore" });
      const records = readFileSync(workspace.at("g/overlay-layers/layers.json"), "utf8");
      expect(records).toContain("toc-digest");
      const image = `containers-storage:${registry.host}/x/chunked:1`;
      const copied = await dray(workspace, ["copy", "--quiet", image, "dir:ours"], options);
      expect(copied).toMatchObject({ code: 0, stderr: "" });
      const names = Object.keys(treeOf(workspace.at("ours")));
      for (const diffId of sample.diffIds) expect(names).toContain(diffId.slice(7));
    },
    120_000,
  );

  testWith("root", "newer:skopeo")(
    "gives images that are kept apart from containers, and leaves them alone",
    async () => {
      using workspace = new Workspace("/tmp");
      const sample = sampleImage({ format: "oci", odd: false });
      writeLayout(workspace.at("layout"), { "1": sample });
      const places = `graphroot="${workspace.at("g")}"\nrunroot="${workspace.at("r")}"`;
      const images = `imagestore="${workspace.at("i")}"`;
      const conf = `[storage]\ndriver="overlay"\n${places}\n${images}\n`;
      writeFileSync(workspace.at("storage.conf"), conf);
      const env = {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: workspace.path,
        CONTAINERS_STORAGE_CONF: workspace.at("storage.conf"),
      };
      const options = { cwd: workspace.path, env };
      const image = "containers-storage:localhost/x:1";
      const from = `oci:${workspace.at("layout")}:1`;
      await succeed(["--insecure-policy", "copy", "--quiet", from, image], {
        ...options,
        program: newerProgram("skopeo"),
      });
      for (const root of ["g", "i"]) {
        Bun.spawnSync(["umount", workspace.at(root, "overlay")], { stderr: "ignore" });
      }
      const copied = await dray(workspace, ["copy", "--quiet", image, "dir:ours"], options);
      expect(copied).toMatchObject({ code: 0, stderr: "" });
      const names = Object.keys(treeOf(workspace.at("ours")));
      for (const diffId of sample.diffIds) expect(names).toContain(diffId.slice(7));
      const before = treeOf(workspace.at("i"));
      for (const args of [
        ["copy", from, "containers-storage:localhost/y:1"],
        ["delete", image],
      ]) {
        const { code, stderr } = await dray(workspace, args, options);
        expect(code).toBe(1);
        expect(stderr).toContain("can only be read");
      }
      expect(treeOf(workspace.at("i"))).toEqual(before);
    },
  );

  testWith("root", "buildah")("gives what buildah has built", async () => {
    using workspace = new Workspace();
    const store = new LayerStore(workspace);
    writeFileSync(workspace.at("file"), "content");
    writeFileSync(workspace.at("Containerfile"), "FROM scratch\nCOPY file /etc/file\n");
    const roots = ["--root", store.root, "--runroot", workspace.at("s/r")];
    const build = ["--storage-driver=overlay", "bud", "--isolation=chroot", "-t", "localhost/b:1"];
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: workspace.path };
    await succeed([...roots, ...build, "."], { cwd: workspace.path, program: "buildah", env });
    const image = store.image("localhost/b:1");
    const before = await dray(workspace, ["inspect", "--format={{.Digest}}", image]);
    // Its layers are listed as they are kept, so nothing has to change.
    const copied = await dray(workspace, ["copy", "--preserve-digests", image, "dir:ours"]);
    expect(copied.stderr).toBe("");
    const manifest = readFileSync(workspace.at("ours/manifest.json"));
    expect(`sha256:${Bun.CryptoHasher.hash("sha256", manifest, "hex")}`).toBe(before.stdout.trim());
  });

  testWith("root", original())(
    "refuses to change what must not change, and what is not there",
    async () => {
      using workspace = new Workspace();
      const store = new LayerStore(workspace);
      await store.add("x", sampleImage({ format: "oci" }), original());
      const image = store.image("localhost/x:1");
      const frozen = await dray(workspace, ["copy", "--preserve-digests", image, "oci:there"]);
      expect(frozen.code).toBe(1);
      expect(frozen.stderr).toContain(
        "Copying this image would require changing layer representation, which we cannot do:",
      );
      const missing = await dray(workspace, ["copy", store.image("localhost/y:1"), "oci:there"]);
      expect(missing.code).toBe(2);
      expect(missing.stderr).toContain("does not resolve to an image ID");
      const tags = await dray(workspace, ["list-tags", image]);
      expect(tags.code).toBe(1);
    },
  );

  testWith("root", original())("asks the policy by the keys of the store", async () => {
    using workspace = new Workspace();
    const store = new LayerStore(workspace);
    await store.add("x", sampleImage({ format: "oci" }), original());
    const key = `[overlay@${store.root}]localhost/x`;
    const policy = {
      default: [{ type: "insecureAcceptAnything" }],
      transports: { "containers-storage": { [key]: [{ type: "reject" }] } },
    };
    writeFileSync(workspace.at("p.json"), JSON.stringify(policy));
    const image = store.image("localhost/x:1");
    const refused = await run(["--policy", "p.json", "copy", image, "dir:there"], {
      cwd: workspace.path,
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("Source image rejected");
    expect(Object.keys(treeOf(workspace.at("there")))).toEqual([]);
  });

  test("refuses names and stores in the original's words", async () => {
    using workspace = new Workspace();
    for (const [name, words] of [
      ["[", "invalid reference"],
      ["[g]x", "path name is not absolute"],
      ["", "is an empty reference: invalid reference"],
      [`[zfs@${workspace.path}]x`, "is not supported"],
      [`[overlay@${workspace.path}:overlay.odd=1]x`, "cannot be followed"],
      [`[overlay@${workspace.path}]x`, "does not resolve to an image ID"],
    ] as const) {
      const { code, stderr } = await dray(workspace, ["inspect", `containers-storage:${name}`]);
      expect(code).toBeGreaterThan(0);
      expect(stderr).toContain(words);
    }
    expect(Object.keys(treeOf(workspace.path))).toEqual([]);
  });
});
