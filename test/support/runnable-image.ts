// Runnable images: a few programs of this machine with the libraries they need, as an image.

import { readFileSync, realpathSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../core/content/digest.ts";
import { imageOf, mediaTypes, type SampleImage } from "./sample-images.ts";
import { type TarEntry, tarOf } from "./tar-bytes.ts";

const programs = ["cat", "ls", "true"];

/** Returns an image that can run `cat`, `ls` and `true`, with further layers of these entries above. */
export function runnableImage(...layers: readonly (readonly TarEntry[])[]): SampleImage {
  const tars = [baseEntries(), ...layers].map((entries) => tarOf(entries));
  const diffIds = tars.map((tar) => digestOf(tar));
  const blobs = tars.map((tar) => {
    const bytes = gzipSync(tar, { level: 1 });
    return { mediaType: mediaTypes.oci.gzip, bytes, digest: digestOf(bytes) };
  });
  const text = JSON.stringify({
    created: "2024-01-02T03:04:05Z",
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: { Cmd: ["/bin/true"], Env: ["PATH=/bin"] },
    rootfs: { type: "layers", diff_ids: diffIds },
  });
  const bytes = new TextEncoder().encode(text);
  const config = { mediaType: mediaTypes.oci.config, bytes, digest: digestOf(bytes) };
  return imageOf("oci", config, blobs, diffIds);
}

function baseEntries(): readonly TarEntry[] {
  const files = new Map<string, Uint8Array>();
  for (const program of programs) {
    const path = Bun.which(program);
    if (path === null) throw new Error(`there is no ${program} here`);
    files.set(`bin/${program}`, readFileSync(realpathSync(path)));
    const { stdout } = Bun.spawnSync(["ldd", path]);
    for (const [, library = ""] of stdout.toString().matchAll(/(\/\S+\.so\S*)/g)) {
      files.set(library.slice(1), readFileSync(realpathSync(library)));
    }
  }
  const directories = new Set<string>();
  for (const file of files.keys()) {
    const parts = file.split("/").slice(0, -1);
    for (let count = 1; count <= parts.length; count++) {
      directories.add(parts.slice(0, count).join("/"));
    }
  }
  return [
    ...Array.from(directories, (path): TarEntry => ({ path, kind: "directory", mode: 0o755 })),
    ...Array.from(files, ([path, body]): TarEntry => ({ path, body, mode: 0o755 })),
    ...["dev", "etc", "proc", "sys", "run", "tmp"].map((path): TarEntry => ({
      path,
      kind: "directory",
      mode: 0o755,
    })),
  ];
}
