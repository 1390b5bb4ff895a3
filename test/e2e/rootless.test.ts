import { describe, expect } from "bun:test";
import { chmodSync, closeSync, constants, openSync, readFileSync } from "node:fs";
import { fileTreeOf } from "../support/file-tree.ts";
import { testWith } from "../support/needs.ts";
import { RootlessUser, rootlessNeeds } from "../support/rootless.ts";
import { executable } from "../support/run.ts";
import { runnableImage } from "../support/runnable-image.ts";
import {
  hexOf,
  imageOf,
  mediaTypes,
  sampleConfig,
  type SampleImage,
  writeLayout,
} from "../support/sample-images.ts";
import { tarOf } from "../support/tar-bytes.ts";
import { Workspace } from "../support/workspace.ts";

const capability = Buffer.from([1, 0, 0, 2, 0, 4, ...new Uint8Array(14)]);

const layers = [
  tarOf([
    { path: "etc/", kind: "directory", mode: 0o2755, gid: 5, mtime: 5 },
    { path: "etc/passwd", body: Buffer.from("root"), uid: 7, mode: 0o640, mtime: 1_700_000_000 },
    { path: "etc/hard", kind: "hardLink", target: "etc/passwd" },
    { path: "etc/link", kind: "symlink", target: "/etc/passwd", uid: 3 },
    { path: "closed/", kind: "directory", mode: 0, uid: 9 },
    { path: "closed/file", mode: 0, uid: 10, body: Buffer.from("closed") },
    { path: "dev/null", kind: "characterDevice", device: [1, 3] },
    { path: "run/fifo", kind: "fifo", mode: 0o600 },
    {
      path: "usr/bin/ping",
      mode: 0o4755,
      body: Buffer.from("ping"),
      pax: { "SCHILY.xattr.security.capability": capability, "SCHILY.xattr.trusted.a": "b" },
    },
  ]),
  tarOf([
    { path: "etc/.wh.passwd", uid: 6 },
    { path: "usr/.wh..wh..opq" },
    { path: "usr/new", body: Buffer.from("new") },
  ]),
];

/** An image with all that is special to somebody who is not root. */
function sample(): SampleImage {
  const digest = (bytes: Uint8Array) => `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  const diffIds = layers.map(digest);
  const blobs = layers.map((tar) => {
    const bytes = Bun.gzipSync(Buffer.from(tar));
    return { mediaType: mediaTypes.oci.gzip, bytes, digest: digest(bytes) };
  });
  return imageOf("oci", sampleConfig("oci", diffIds), blobs, diffIds);
}

/** A user with an image in a layout, and what it runs; it fails unless that succeeds. */
async function userWithLayout(workspace: Workspace) {
  const user = new RootlessUser(workspace);
  chmodSync(workspace.path, 0o755);
  writeLayout(workspace.at("layout"), { "1": sample() });
  await Bun.write(workspace.at("policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  const run = async (...words: readonly string[]) => {
    const result = await user.run(words, { cwd: workspace.at("home") });
    expect([result.code, result.code === 0 ? "" : result.stderr]).toEqual([0, ""]);
    return result.stdout;
  };
  const copy = (program: string, from: string, to: string) =>
    run(program, "--policy", workspace.at("policy.json"), "copy", "-q", from, to);
  return { user, run, copy, layout: `oci:${workspace.at("layout")}:1` };
}

/** Expects the layers of an image, unpacked, in a directory. */
function expectLayers(workspace: Workspace, name: string): void {
  const manifest = JSON.parse(readFileSync(workspace.at(name, "manifest.json"), "utf8"));
  const digests = manifest.layers.map((layer: { digest: string }) => layer.digest);
  expect(digests).toEqual(sample().diffIds);
  for (const digest of digests) {
    const bytes = readFileSync(workspace.at(name, hexOf(digest)));
    expect(Bun.CryptoHasher.hash("sha256", bytes, "hex")).toBe(hexOf(digest));
  }
}

describe.each(["vfs", "overlay"])("somebody who is not root, by %s", (driver) => {
  const storeIn = (workspace: Workspace, name: string) =>
    `${driver}@${workspace.at("home", name, "g")}+${workspace.at("run", name)}`;
  const imageIn = (workspace: Workspace, name: string) =>
    `containers-storage:[${storeIn(workspace, name)}]localhost/x:1`;

  testWith(...rootlessNeeds, "skopeo")("reads what skopeo stored", async () => {
    using workspace = new Workspace();
    const { run, copy, layout } = await userWithLayout(workspace);
    const image = imageIn(workspace, "s");
    await copy("skopeo", layout, image);
    const told = JSON.parse(await run(executable, "inspect", image));
    expect(told).toMatchObject({ Name: "localhost/x", Digest: sample().manifest.digest });
    await copy(executable, image, `dir:${workspace.at("home/out")}`);
    expectLayers(workspace, "home/out");
  });

  testWith(...rootlessNeeds, "skopeo")(
    "stores what skopeo stores, and skopeo reads it",
    async () => {
      using workspace = new Workspace();
      const startNs = BigInt(Date.now() - 1000) * 1_000_000n;
      const { copy, layout } = await userWithLayout(workspace);
      await copy(executable, layout, imageIn(workspace, "ours"));
      await copy("skopeo", layout, imageIn(workspace, "theirs"));
      const trees = ["ours", "theirs"].map((name) => {
        const root = workspace.at("home", name, "g");
        const records: readonly { readonly id: string }[] = JSON.parse(
          readFileSync(`${root}/${driver}-layers/layers.json`, "utf8"),
        );
        return records.map(({ id }) =>
          fileTreeOf(
            driver === "vfs" ? `${root}/vfs/dir/${id}` : `${root}/overlay/${id}/diff`,
            startNs,
            // To copy the layer below is to look at it.
            driver === "vfs" ? "unread" : undefined,
          ),
        );
      });
      expect(trees[0]).toEqual(trees[1]);
      expect(trees[0]).toHaveLength(2);
      await copy("skopeo", imageIn(workspace, "ours"), `dir:${workspace.at("home/out")}`);
      expectLayers(workspace, "home/out");
    },
  );

  testWith(...rootlessNeeds, "podman")("writes what podman lists and removes", async () => {
    using workspace = new Workspace();
    const { user, run, copy, layout } = await userWithLayout(workspace);
    await copy(executable, layout, imageIn(workspace, "p"));
    const [root, runRoot = ""] = [workspace.at("home/p/g"), workspace.at("run/p")];
    const podman = (...words: readonly string[]) =>
      run("podman", "--root", root, "--runroot", runRoot, "--storage-driver", driver, ...words);
    using _ = user.withPodman();
    const listed = JSON.parse(await podman("images", "--format", "json"));
    expect(listed).toMatchObject([{ Names: ["localhost/x:1"], Digest: sample().manifest.digest }]);
    await podman("rmi", "localhost/x:1");
    const records = readFileSync(`${root}/${driver}-layers/layers.json`, "utf8");
    expect(records).toBe("[]");
  });

  testWith(...rootlessNeeds, "podman")("writes what podman runs", async () => {
    using workspace = new Workspace();
    const { user, run, copy } = await userWithLayout(workspace);
    const below = [
      { path: "d", kind: "directory", mode: 0o755 },
      { path: "d/gone", body: Buffer.from("gone") },
      { path: "d/kept", body: Buffer.from("kept"), uid: 5, gid: 6, mode: 0o600 },
    ] as const;
    writeLayout(workspace.at("runnable"), {
      "1": runnableImage(below, [{ path: "d/.wh.gone" }]),
    });
    await copy(executable, `oci:${workspace.at("runnable")}:1`, imageIn(workspace, "p"));
    using _ = user.withPodman();
    const roots = ["--root", workspace.at("home/p/g"), "--runroot", workspace.at("run/p")];
    const podman = ["podman", ...roots, "--storage-driver", driver, "--cgroup-manager=cgroupfs"];
    const limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000"];
    const running = ["run", "--rm", "--network=none", ...limits, "localhost/x:1"];
    const listed = await run(...podman, ...running, "/bin/ls", "-ln", "/d");
    const [, line = "", ...others] = listed.trim().split("\n");
    expect(line.trim().split(/\s+/).toSpliced(4, 4)).toEqual(["-rw-------", "1", "5", "6", "kept"]);
    expect(others).toEqual([]);
  });
});

describe("a command in a namespace", () => {
  testWith(...rootlessNeeds, "mkfifo")("ends with the one that it was started by", async () => {
    using workspace = new Workspace();
    const user = new RootlessUser(workspace);
    await Bun.$`mkfifo -m 666 ${workspace.at("pipe")}`.quiet();
    const store = `vfs@${workspace.at("home/g")}+${workspace.at("run/r")}`;
    const words = ["copy", `oci-archive:${workspace.at("pipe")}`, `containers-storage:[${store}]x`];
    const running = user.start([executable, "--insecure-policy", ...words], {
      cwd: workspace.at("home"),
    });
    const inside = async () => {
      const { stdout } = await Bun.$`ps -o pid=,args= -U ${user.userId}`.nothrow().quiet();
      return stdout
        .toString()
        .trim()
        .split("\n")
        .filter((line) => line.includes("oci-archive"));
    };
    const writer = await openForReader(workspace.at("pipe"));
    expect(await inside()).toHaveLength(2);
    running.kill("SIGTERM");
    const { code, stderr } = await running.done;
    closeSync(writer);
    expect([code, stderr]).toEqual([143, expect.stringContaining("canceled by SIGTERM")]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(await inside()).toEqual([]);
  });
});

/** Opens a pipe for writing as soon as somebody reads it. */
async function openForReader(path: string): Promise<number> {
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENXIO")) throw error;
      await Bun.sleep(10);
    }
  }
}
