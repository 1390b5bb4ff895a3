// zstd:chunked: podman fetches only what it lacks of a layer that we wrote.

import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { chunkedAnnotations } from "../../core/content/chunked-layer.ts";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { registryProgram } from "../support/peers.ts";
import { randomBytes } from "../support/random.ts";
import { run, succeed } from "../support/run.ts";
import { imageOf, mediaTypes, type SampleImage, sampleConfig } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { type TarEntry, tarOf } from "../support/tar-bytes.ts";

const partialTest = testWith("newer:podman", registryProgram, "root");

/** Programs of a newer Debian ask for `chroot`. */
const PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

const unchanged = randomBytes("unchanged", 3_000_000);

/** An image of one layer, most of which is the same in every version. */
function imageNamed(version: string): SampleImage & { readonly files: readonly TarEntry[] } {
  const files: TarEntry[] = [
    { path: "usr/", kind: "directory", mode: 0o755 },
    { path: "usr/large", body: unchanged, mtime: 1_700_000_000 },
    { path: "usr/link", kind: "symlink", target: "large", mode: 0o777 },
    { path: "usr/hard", kind: "hardLink", target: "usr/large" },
    { path: "etc/", kind: "directory", mode: 0o755 },
    { path: "etc/version", body: Buffer.from(version), uid: 1000, mode: 0o640 },
    { path: "etc/new", body: randomBytes(version, 50_000) },
    { path: "dev/", kind: "directory", mode: 0o755 },
  ];
  const bytes = tarOf(files);
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  const layer = { mediaType: mediaTypes.oci.none, bytes, digest };
  return { ...imageOf("oci", sampleConfig("oci", [digest]), [layer], [digest]), files };
}

/** A store of podman's own, for layers that are fetched in part. */
function prepareStore(scene: Scene): (image: string) => Promise<string> {
  mkdirSync(scene.at("store"));
  writeFileSync(scene.at("policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  writeFileSync(
    scene.at("storage.conf"),
    `[storage]
driver = "overlay"
graphroot = "${scene.at("store/root")}"
runroot = "${scene.at("store/run")}"
[storage.options.pull_options]
enable_partial_images = "true"
use_hard_links = "false"
convert_images = "false"
`,
  );
  return async (image) => {
    const policy = `--signature-policy=${scene.at("policy.json")}`;
    const words = ["--log-level=debug", "pull", "--tls-verify=false", policy, image];
    const { code, stderr } = await run(words, {
      cwd: scene.path,
      env: { PATH, HOME: scene.path, CONTAINERS_STORAGE_CONF: scene.at("storage.conf") },
      program: newerProgram("podman"),
      limitMs: 60_000,
    });
    expect({ code, log: code === 0 ? "" : stderr }).toEqual({ code: 0, log: "" });
    return stderr;
  };
}

describe("zstd:chunked", () => {
  partialTest("lets podman fetch of a layer only the files it lacks", async () => {
    await using scene = new Scene();
    const host = await scene.registry();
    const pull = prepareStore(scene);
    const fetched: number[] = [];
    for (const version of ["one", "two"]) {
      const image = imageNamed(version);
      const source = await scene.store("dir");
      await source.fill(image);
      const chunked = `docker://${host}/chunked/${version}:1`;
      await scene.copy("--dest-compress-format=zstd:chunked", source.image, chunked);
      const before = await bytesSent(scene, version);
      const log = await pull(chunked);
      expect(log.includes("Retrieved partial blob sha256:")).toBe(true);
      fetched.push((await bytesSent(scene, version)) - before);
      checkFiles(scene, version, image.files);
    }
    const [first = 0, second = Infinity] = fetched;
    expect(first).toBeGreaterThan(unchanged.length);
    expect(second).toBeLessThan(200_000);
  });
});

describe("zstd:chunked and the original", () => {
  const sharingTest = testWith("newer:skopeo", registryProgram, "root");

  for (const [first, second] of [
    ["dray", "skopeo"],
    ["skopeo", "dray"],
  ] as const) {
    sharingTest(`${second} mounts what ${first} has compressed, in that format only`, async () => {
      await using scene = new Scene();
      const host = await scene.registry();
      const source = await scene.store("dir");
      await source.fill(imageNamed(first));
      const copy = async (name: string, format: string, repository: string) => {
        const insisting = [`--dest-compress-format=${format}`, "--dest-force-compress-format"];
        const target = `docker://${host}/${repository}:1`;
        const plain = ["--insecure-policy", "copy", "--dest-tls-verify=false"];
        const program = name === "dray" ? {} : { program: newerProgram("skopeo") };
        const env = { PATH, HOME: scene.at("home") };
        const words = [...plain, ...insisting, source.image, target];
        return succeed(words, { cwd: scene.path, env, ...program });
      };
      const manifestOf = async (repository: string) => {
        const accept = mediaTypes.oci.manifest;
        const url = `http://${host}/v2/${repository}/manifests/1`;
        const answer = await fetch(url, { headers: { accept } });
        return (await answer.json()) as { readonly layers: readonly Layer[] };
      };
      await copy(first, "zstd:chunked", "one/x");
      await copy(second, "zstd:chunked", "two/y");
      const [layer] = (await manifestOf("one/x")).layers;
      if (layer === undefined) throw new Error("the image has no layer");
      expect(Object.keys(layer.annotations ?? {})).toEqual(Object.values(chunkedAnnotations));
      expect((await manifestOf("two/y")).layers).toEqual([layer]);
      // What is chunked is zstd, and no gzip.
      await copy(second, "zstd", "three/z");
      expect((await manifestOf("three/z")).layers).toEqual([layer]);
      await copy(second, "gzip", "four/u");
      const [packed] = (await manifestOf("four/u")).layers;
      expect(packed?.mediaType).toBe(mediaTypes.oci.gzip);
      expect(packed?.annotations).toBeUndefined();
    });
  }
});

/** A layer as a manifest has it. */
interface Layer {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How many bytes of blobs the registry says it has sent. */
async function bytesSent(scene: Scene, version: string): Promise<number> {
  const lines = (await scene.registryLog()).split("\n");
  const answers = lines.filter(
    (line) =>
      line.includes("response completed") &&
      line.includes("method=GET") &&
      line.includes(`/v2/chunked/${version}/blobs/`),
  );
  return answers
    .map((line) => Number(/http\.response\.written=(\d+)/.exec(line)?.[1] ?? 0))
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** Checks what podman has made of a layer, in the directory that has the right version. */
function checkFiles(scene: Scene, version: string, files: readonly TarEntry[]): void {
  const overlay = scene.at("store/root/overlay");
  const found = readdirSync(overlay)
    .map((name) => `${overlay}/${name}/diff`)
    .find((path) => {
      const file = `${path}/etc/version`;
      return existsSync(file) && readFileSync(file, "utf8") === version;
    });
  for (const { path, body } of files) {
    if (body === undefined) continue;
    expect(readFileSync(`${found}/${String(path)}`).equals(body)).toBe(true);
  }
}
