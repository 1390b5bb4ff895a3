// Root archives: a file system as a layer, as GNU tar lists it.

import { describe, expect } from "bun:test";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { rootArchive } from "../../../transports/sif/root-archive.ts";
import { SquashFileSystem } from "../../../transports/sif/squashfs/file-system.ts";
import { rejection } from "../../support/rejection.ts";
import { testWith } from "../../support/needs.ts";
import { withWindow } from "../../support/sif-files.ts";
import { squashOf, squashProgram } from "../../support/squash-image.ts";

const squashTest = testWith(squashProgram);
const tables = ["-noI", "-no-xattrs"];
const script = "#!/bin/bash\n\necho\n";

describe("rootArchive", () => {
  squashTest("has everything there is, and the same bytes each time", async () => {
    const image = squashOf((at) => {
      mkdirSync(at("d", "e"), { recursive: true });
      writeFileSync(at("d", "e", "file"), "content");
      linkSync(at("d", "e", "file"), at("d", "second"));
      symlinkSync("../e", at("d", "link"));
      Bun.spawnSync(["mkfifo", at("pipe")]);
      writeFileSync(at("x".repeat(120)), "long");
    });
    const archive = await archiveOf(image);
    expect(namesIn(archive)).toEqual([
      "./",
      "./d/",
      "./d/e/",
      "./d/e/file",
      "./d/link -> ../e",
      "./d/second link to ./d/e/file",
      "./pipe",
      `./${"x".repeat(120)}`,
    ]);
    expect(contentIn(archive, "./d/e/file")).toBe("content");
    expect(Buffer.compare(await archiveOf(image), archive)).toBe(0);
  });

  squashTest("adds a script, and a directory for it", async () => {
    const archive = await archiveOf(
      squashOf((at) => writeFileSync(at("file"), "")),
      script,
    );
    expect(namesIn(archive)).toEqual(["./", "./file", "./podman/", "./podman/runscript"]);
    expect(contentIn(archive, "./podman/runscript")).toBe(script);
  });

  squashTest("puts the script into the place of what was there", async () => {
    const image = squashOf((at) => {
      mkdirSync(at("podman"));
      writeFileSync(at("podman", "other"), "");
      writeFileSync(at("podman", "runscript"), "another");
    });
    const archive = await archiveOf(image, script);
    expect(namesIn(archive)).toEqual(["./", "./podman/", "./podman/other", "./podman/runscript"]);
    expect(contentIn(archive, "./podman/runscript")).toBe(script);
  });

  squashTest("F1: a link in the place of the directory leads nowhere", async () => {
    const archive = await archiveOf(
      squashOf((at) => symlinkSync("/etc", at("podman"))),
      script,
    );
    expect(namesIn(archive)).toEqual(["./", "./podman/", "./podman/runscript"]);
  });

  squashTest("F1: refuses a name that leads out", async () => {
    for (const name of ["..", ".", "a/b", "a\0b"]) {
      const image = Buffer.from(
        squashOf((at) => writeFileSync(at("N".repeat(name.length)), ""), ...tables),
      );
      // The listing is compressed along with the inodes, or not at all.
      const at = image.lastIndexOf("N".repeat(name.length));
      image.write(name, at, "latin1");
      expect(await rejection(archiveOf(image))).toMatchObject({
        code: "corrupt",
        message: `The root file system has a file that is called ${JSON.stringify(name)}`,
      });
    }
  });

  squashTest("P1: refuses a directory that is inside itself", async () => {
    const image = Buffer.from(
      squashOf(
        (at) => {
          mkdirSync(at("aaaa"));
          writeFileSync(at("aaaa", "f"), "");
        },
        ...tables,
      ),
    );
    // Both directories have 3 entries' worth of listing; the inner name is led to where the outer is.
    const root = Number(image.readBigUInt64LE(32)) & 0xffff;
    const entry = image.indexOf("aaaa", Number(image.readBigUInt64LE(72))) - 8;
    image.writeUInt16LE(root, entry);
    expect(await rejection(archiveOf(image))).toMatchObject({
      code: "corrupt",
      message: "The root file system has a directory that is inside itself",
    });
  });

  squashTest("ends when it is told to", async () => {
    const image = squashOf((at) => writeFileSync(at("file"), new Uint8Array(1_000_000)));
    const abort = new AbortController();
    const reading = withWindow(image, async (window) => {
      const files = await SquashFileSystem.open(window);
      for await (const _ of rootArchive({ files, modified: 0 }, abort.signal)) abort.abort();
    });
    expect(await reading.catch((error: Error) => error.name)).toBe("AbortError");
  });
});

async function archiveOf(image: Uint8Array, runScript?: string): Promise<Uint8Array> {
  return await withWindow(image, async (window) => {
    const files = await SquashFileSystem.open(window);
    return await collect(rootArchive({ files, runScript, modified: 0 }), Infinity);
  });
}

function namesIn(archive: Uint8Array): readonly string[] {
  const { stdout } = tar(["-tv"], archive);
  const lines = stdout.toString().trim().split("\n");
  return lines.map((line) => line.replace(/^.*?\d\d:\d\d /, ""));
}

function contentIn(archive: Uint8Array, name: string): string {
  return tar(["-xO", name], archive).stdout.toString();
}

function tar(args: readonly string[], stdin: Uint8Array) {
  return Bun.spawnSync(["tar", ...args], { stdin, env: { PATH: "/usr/bin:/bin", LC_ALL: "C" } });
}
