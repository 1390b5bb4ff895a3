import { describe, expect } from "bun:test";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { RootlessUser, rootlessNeeds } from "../support/rootless.ts";
import { executable, succeed } from "../support/run.ts";
import {
  hexOf,
  imageOf,
  mediaTypes,
  sampleConfig,
  type SampleImage,
  writeDirectory,
} from "../support/sample-images.ts";
import { randomBytes } from "../support/random.ts";
import { tarOf } from "../support/tar-bytes.ts";
import { Workspace } from "../support/workspace.ts";

const capability = Buffer.from([1, 0, 0, 2, 0, 4, ...new Uint8Array(14)]);

const tars = [
  tarOf([
    { path: "./", kind: "directory", mode: 0o711, mtime: 5 },
    { path: "./etc/", kind: "directory", mode: 0o2755, gid: 5 },
    { path: "./etc/passwd", body: Buffer.from("root"), mode: 0o640, uid: 7, mtime: 1_700_000_000 },
    { path: "./etc/hard", kind: "hardLink", target: "etc/passwd", mode: 0o777 },
    { path: "./etc/link", kind: "symlink", target: "/etc/passwd", uid: 3 },
    { path: "dev/null", kind: "characterDevice", device: [1, 3] },
    { path: "run/fifo", kind: "fifo" },
    { path: "implicit/ünï/empty" },
    { path: "lib", kind: "symlink", target: "usr/lib" },
    { path: "usr/lib/", kind: "directory", mode: 0o755 },
    { path: "lib/large", body: randomBytes("large", 900_000) },
    {
      path: "usr/bin/ping",
      mode: 0o4755,
      body: randomBytes("ping", 1000),
      pax: { "SCHILY.xattr.security.capability": capability, "SCHILY.xattr.user.a": "b" },
    },
  ]),
  Buffer.concat([
    tarOf([
      { path: "etc/.wh.passwd" },
      { path: "usr/.wh..wh..opq" },
      { path: "x", body: capability },
    ]),
    Buffer.from("junk behind the end"),
  ]),
];

/** An image in the only form that the transport has, one layer as it is and one compressed. */
function sample(): SampleImage {
  const digest = (bytes: Uint8Array) => `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  const diffIds = tars.map(digest);
  const layers = tars.map((tar, index) => {
    const bytes = index === 0 ? Bun.gzipSync(Buffer.from(tar)) : tar;
    const mediaType = index === 0 ? mediaTypes.docker.gzip : mediaTypes.docker.none;
    return { mediaType, bytes, digest: digest(bytes) };
  });
  return imageOf("docker", sampleConfig("docker", diffIds), layers, diffIds);
}

describe.each(["bare", "bare-user", "archive"])(
  "ostree, by a repository of the mode %s",
  (mode) => {
    const policy = ["--insecure-policy"];

    async function prepared(workspace: Workspace) {
      const cwd = workspace.path;
      const repository = workspace.at("repo");
      await succeed([`--repo=${repository}`, "init", `--mode=${mode}`], { program: "ostree", cwd });
      writeDirectory(workspace.at("in"), sample());
      const fsck = () =>
        succeed([`--repo=${repository}`, "fsck", "--quiet"], { program: "ostree", cwd });
      const copy = (from: string, to: string) => succeed([...policy, "copy", from, to], { cwd });
      return { repository, fsck, copy, cwd };
    }

    testWith("root", "ostree")("gives every byte back, and ostree finds no fault", async () => {
      using workspace = new Workspace();
      const { repository, fsck, copy } = await prepared(workspace);
      const image = `ostree:some/image:1@${repository}`;
      await copy(`dir:${workspace.at("in")}`, image);
      await fsck();
      await copy(image, `dir:${workspace.at("out")}`);
      const manifest = JSON.parse(readFileSync(workspace.at("out/manifest.json"), "utf8"));
      const digests = manifest.layers.map((layer: { digest: string }) => layer.digest);
      expect(digests).toEqual(sample().diffIds);
      for (const [index, tar] of tars.entries()) {
        const bytes = readFileSync(workspace.at("out", hexOf(digests[index])));
        expect(Buffer.compare(bytes, tar)).toBe(0);
      }
      const { config } = sample();
      const held = readFileSync(workspace.at("out", hexOf(config.digest)));
      expect(Buffer.compare(held, config.bytes)).toBe(0);
    });

    testWith("root", "ostree")("keeps what ostree and the original know", async () => {
      using workspace = new Workspace();
      const { repository, copy, cwd } = await prepared(workspace);
      await copy(`dir:${workspace.at("in")}`, `ostree:some/image@${repository}`);
      const ask = async (...words: readonly string[]) =>
        (
          await succeed([`--repo=${repository}`, ...words], {
            program: "ostree",
            cwd,
            env: { LC_ALL: "C.UTF-8" },
          })
        ).stdout;
      const image = sample();
      const [layer] = image.layers;
      const branches = (await ask("refs")).trim().split("\n").toSorted();
      expect(branches).toEqual(
        [
          ...image.layers.map(({ digest }) => `ociimage/${hexOf(digest)}`),
          `ociimage/${hexOf(image.config.digest)}`,
          "ociimage/some_2Fimage_3Alatest",
        ].toSorted(),
      );
      const branch = `ociimage/${hexOf(layer?.digest ?? "")}`;
      const told = await ask("show", "--print-metadata-key=docker.uncompressed_digest", branch);
      expect(told.trim()).toBe(`'${image.diffIds[0]}'`);
      const named = "ociimage/some_2Fimage_3Alatest";
      expect((await ask("show", "--print-metadata-key=docker.digest", named)).trim()).toBe(
        `'${image.manifest.digest}'`,
      );
      expect(await ask("cat", named, "/manifest.json")).toBe(
        new TextDecoder().decode(image.manifest.bytes),
      );
      const files = (await ask("ls", "-R", branch)).replace(/ +/g, " ").trim().split("\n");
      expect(files.toSorted()).toEqual(
        [
          "d00711 0 0 0 /",
          "d00755 0 0 0 /dev",
          "d02755 0 5 0 /etc",
          "-00640 7 0 4 /etc/hard",
          "l00777 3 0 0 /etc/link -> /etc/passwd",
          "-00640 7 0 4 /etc/passwd",
          "d00755 0 0 0 /implicit",
          "d00755 0 0 0 /implicit/ünï",
          "-00644 0 0 0 /implicit/ünï/empty",
          "l00777 0 0 0 /lib -> usr/lib",
          "d00755 0 0 0 /run",
          "d00755 0 0 0 /usr",
          "d00755 0 0 0 /usr/bin",
          "-04755 0 0 1000 /usr/bin/ping",
          "d00755 0 0 0 /usr/lib",
          "-00644 0 0 900000 /usr/lib/large",
        ].toSorted(),
      );
    });

    testWith("root", "ostree")("reads what ostree itself has put together", async () => {
      using workspace = new Workspace();
      const { repository, copy, cwd, fsck } = await prepared(workspace);
      const ask = (...words: readonly string[]) =>
        succeed([`--repo=${repository}`, ...words], { program: "ostree", cwd });
      await copy(`dir:${workspace.at("in")}`, `ostree:a:1@${repository}`);
      // The same trees once more, checked out and committed by ostree.
      const image = sample();
      for (const { digest } of image.layers) {
        const branch = `ociimage/${hexOf(digest)}`;
        const metadata: string[] = [];
        for (const key of [
          "docker.size",
          "docker.uncompressed_size",
          "docker.uncompressed_digest",
          "tarsplit.output",
        ]) {
          const { stdout } = await ask("show", `--print-metadata-key=${key}`, branch);
          metadata.push(`--add-metadata-string=${key}=${stdout.trim().slice(1, -1)}`);
        }
        const tree = workspace.at("tree", hexOf(digest));
        mkdirSync(workspace.at("tree"), { recursive: true });
        await ask("checkout", "--user-mode", branch, tree);
        await ask("refs", "--delete", branch);
        await ask("commit", "-b", branch, `--tree=dir=${tree}`, ...metadata);
        rmSync(tree, { recursive: true });
      }
      await fsck();
      await copy(`ostree:a:1@${repository}`, `dir:${workspace.at("out")}`);
      for (const [index, tar] of tars.entries()) {
        const bytes = readFileSync(workspace.at("out", hexOf(image.diffIds[index] ?? "")));
        expect(Buffer.compare(bytes, tar)).toBe(0);
      }
    });

    testWith(...rootlessNeeds, "ostree")(
      "works for somebody who is not root, if it can",
      async () => {
        using workspace = new Workspace();
        const user = new RootlessUser(workspace);
        const repository = workspace.at("home/repo");
        const run = (...words: readonly string[]) => user.run(words, { cwd: workspace.at("home") });
        expect(await run("ostree", `--repo=${repository}`, "init", `--mode=${mode}`)).toMatchObject(
          {
            code: 0,
          },
        );
        writeDirectory(workspace.at("in"), sample());
        const image = `ostree:a:1@${repository}`;
        const written = await run(
          executable,
          ...policy,
          "copy",
          `dir:${workspace.at("in")}`,
          image,
        );
        if (mode === "bare") {
          expect(written.code).toBe(1);
          expect(written.stderr).toContain("a repository of the mode bare-user");
          return;
        }
        expect([written.code, written.code === 0 ? "" : written.stderr]).toEqual([0, ""]);
        expect(await run("ostree", `--repo=${repository}`, "fsck", "--quiet")).toMatchObject({
          code: 0,
        });
        const read = await run(
          executable,
          ...policy,
          "copy",
          image,
          `dir:${workspace.at("home/out")}`,
        );
        expect([read.code, read.code === 0 ? "" : read.stderr]).toEqual([0, ""]);
      },
    );
  },
);
