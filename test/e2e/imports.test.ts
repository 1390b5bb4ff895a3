// Imports: what becomes an image although it was none, by tarball: and sif:, as the original does it.

import { describe, expect } from "bun:test";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { original, testWith } from "../support/needs.ts";
import { randomBytes } from "../support/random.ts";
import { executable, run } from "../support/run.ts";
import { hexOf, sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { primary, sifOf } from "../support/sif-bytes.ts";
import { squashOf, squashProgram } from "../support/squash-image.ts";
import { tarOf } from "../support/tar-bytes.ts";
import { treeOf } from "../support/trees.ts";

const plainTest = testWith();
const originalTest = testWith(original());
const umociTest = testWith("umoci");
const squashTest = testWith(squashProgram, original(), "fakeroot");

// Devices, names that are no text, attributes that are none, whiteouts: all that a layer may hold.
const odd = sampleImage({ format: "oci", layers: ["none", "gzip", "zstd"] });
const files = ["a.tar", "b.tar.gz", "c.tar.zst"];
/** Old releases of the original do not know zstd. */
const comparable = [["a.tar", "b.tar.gz"], ["a.tar"], ["b.tar.gz"]];

describe("tarball", () => {
  originalTest("makes the original's image, byte for byte", async () => {
    await using scene = filledScene();
    for (const [index, names] of comparable.entries()) {
      const image = `tarball:${names.join(":")}`;
      const [ours, theirs] = [`ours-${index}`, `theirs-${index}`];
      await scene.copy(image, `dir:${ours}`);
      await scene.originalCopy(image, `dir:${theirs}`);
      const manifest = readFileSync(scene.at(ours, "manifest.json"), "utf8");
      // Old releases leave the media type out.
      const mediaType = '"mediaType":"application/vnd.oci.image.manifest.v1+json",';
      expect([manifest, manifest.replace(mediaType, "")]).toContain(
        readFileSync(scene.at(theirs, "manifest.json"), "utf8"),
      );
      const { "manifest.json": _, ...blobs } = treeOf(scene.at(ours));
      expect(treeOf(scene.at(theirs))).toMatchObject(blobs);
    }
  });

  plainTest("makes the same image in every time zone", async () => {
    await using scene = filledScene();
    const manifests = [];
    for (const TZ of ["UTC", "Asia/Kolkata"]) {
      const result = await scene.run(["inspect", "--raw", "tarball:a.tar"], { env: { TZ } });
      manifests.push(result.stdout);
    }
    expect(manifests[0]).toContain(odd.diffIds[0]!);
    expect(manifests[1]).toBe(manifests[0]!);
  });

  plainTest("reads standard input, and leaves nothing of it", async () => {
    await using scene = filledScene();
    mkdirSync(scene.at("tmp"));
    const copy = 'cat c.tar.zst | "$0" --tmpdir=tmp --insecure-policy copy -q tarball:- dir:there';
    const result = await run(["-c", copy, executable], { cwd: scene.path, program: "/bin/sh" });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(scene.at("there", hexOf(odd.layers[2]!.digest)))).toBe(true);
    expect(readdirSync(scene.at("tmp"))).toEqual([]);
  });

  plainTest("layers with every odd entry go through all archives unchanged", async () => {
    await using scene = filledScene();
    await scene.copy(`tarball:${files.join(":")}`, "docker-archive:d.tar:odd/image:1");
    await scene.copy("docker-archive:d.tar:odd/image:1", "oci-archive:o.tar:1");
    await scene.copy("--dest-decompress", "oci-archive:o.tar:1", "dir:there");
    for (const diffId of odd.diffIds) {
      const bytes = readFileSync(scene.at("there", hexOf(diffId)));
      expect(`sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`).toBe(diffId);
    }
  });

  umociTest("makes layouts that others unpack", async () => {
    await using scene = new Scene();
    const body = new TextEncoder().encode("content");
    writeFileSync(scene.at("a.tar"), tarOf([{ path: "file", body }]));
    await scene.copy("tarball:a.tar", "oci:there:1");
    const args = ["unpack", "--rootless", "--image", "there:1", "bundle"];
    expect(await run(args, { cwd: scene.path, program: "umoci" })).toMatchObject({ code: 0 });
    expect(readFileSync(scene.at("bundle/rootfs/file"), "utf8")).toBe("content");
  });

  plainTest("delete removes the files, and nothing that is no file", async () => {
    await using scene = filledScene();
    symlinkSync("a.tar", scene.at("link"));
    const refused = await scene.dray("delete", "tarball:a.tar:link");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('error removing \\"link\\": not a regular file');
    expect(existsSync(scene.at("a.tar"))).toBe(true);
    expect(await scene.dray("delete", "tarball:a.tar:b.tar.gz")).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect(readdirSync(scene.path).toSorted()).toEqual(["c.tar.zst", "link"]);
  });

  plainTest("a policy singles it out by its transport alone", async () => {
    await using scene = filledScene();
    const policy = {
      default: [{ type: "insecureAcceptAnything" }],
      transports: { tarball: { "": [{ type: "reject" }] } },
    };
    writeFileSync(scene.at("policy.json"), JSON.stringify(policy));
    const args = ["--policy=policy.json", "copy", "tarball:a.tar", "dir:there"];
    const result = await run(args, { cwd: scene.path });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(
      "Source image rejected: Running image tarball:a.tar is rejected by policy.",
    );
    expect(existsSync(scene.at("there"))).toBe(false);
  });
});

describe("sif", () => {
  squashTest("makes the original's image, but for how the archive is put together", async () => {
    await using scene = new Scene();
    const definition = new TextEncoder().encode("%environment\nA=b\n%runscript\necho hello\n");
    const root = squashOf((at) => {
      mkdirSync(at("etc", "deep", "deeper"), { recursive: true });
      writeFileSync(at("etc", "noise"), randomBytes("sif", 400_000));
      writeFileSync(at("etc", "zeros"), new Uint8Array(1_000_000));
      writeFileSync(at("etc", "program"), "#!/bin/sh\n", { mode: 0o4755 });
      linkSync(at("etc", "program"), at("second"));
      symlinkSync("../../out", at("etc", "deep", "link"));
      Bun.spawnSync(["mkfifo", at("pipe")]);
    });
    const objects = [
      { kind: "definition", body: definition },
      { kind: "partition", body: root, partition: primary },
    ] as const;
    writeFileSync(scene.at("image.sif"), sifOf(objects));
    await scene.copy("sif:image.sif", "dir:ours");
    await scene.originalCopy("sif:image.sif", "dir:theirs");
    const [ours, theirs] = [partsOf(scene, "ours"), partsOf(scene, "theirs")];
    expect(ours.config).toBe(theirs.config);
    expect(ours.tree).toEqual(theirs.tree);
    expect(ours.tree).toContain("./podman/runscript f 0755 1 27");
    expect(ours.tree).toContain("./second f 04755 2 10");
  });

  squashTest("F1: a link in the image leads no file of ours out of it", async () => {
    await using scene = new Scene();
    mkdirSync(scene.at("outside"));
    const root = squashOf((at) => symlinkSync(scene.at("outside"), at("podman")));
    const body = new TextEncoder().encode("%runscript\necho\n");
    const image = sifOf([
      { kind: "definition", body },
      { kind: "partition", body: root, partition: primary },
    ]);
    writeFileSync(scene.at("image.sif"), image);
    await scene.copy("sif:image.sif", "dir:there");
    expect(readdirSync(scene.at("outside"))).toEqual([]);
    expect(partsOf(scene, "there").tree).toContain("./podman d 0755");
  });
});

function filledScene(): Scene {
  const scene = new Scene();
  for (const [index, name] of files.entries()) {
    writeFileSync(scene.at(name), odd.layers[index]!.bytes);
    utimesSync(scene.at(name), 0, 1_700_000_000 + index / 8);
  }
  return scene;
}

/** Returns the config without what depends on how the archive was put together, and what is in it. */
function partsOf(scene: Scene, directory: string) {
  const read = (name: string) => readFileSync(scene.at(directory, name), "utf8");
  const { config, layers } = JSON.parse(read("manifest.json"));
  const unpacked = scene.at(`${directory}-unpacked`);
  mkdirSync(unpacked);
  const layer = scene.at(directory, hexOf(layers[0].digest));
  const { success, stderr } = Bun.spawnSync(["tar", "-xpf", layer, "-C", unpacked]);
  if (!success) throw new Error(stderr.toString());
  return {
    config: read(hexOf(config.digest)).replaceAll(hexOf(layers[0].digest), "DIGEST"),
    tree: listed(unpacked),
  };
}

/** Names, kinds, permissions, and of all but directories how many names they have, and how long they are. */
function listed(directory: string): readonly string[] {
  const said = ["(", "-type", "d", "-printf", "%p %y %#m\\n", ")"];
  const { stdout } = Bun.spawnSync(
    ["find", ".", ...said, "-o", "-printf", "%p %y %#m %n %s %l\\n"],
    { cwd: directory },
  );
  return stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.trimEnd())
    .toSorted();
}
