// Source: a Singularity image as an image of one layer.

import { type FileHandle, open } from "node:fs/promises";
import { Digester } from "../../core/content/digest.ts";
import { layerFamilies } from "../../core/content/media-types.ts";
import { during, Failure } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { ImageSource } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { type ImportedLayer, ImportedSource } from "../shared/imported-image.ts";
import { attempt } from "../shared/system.ts";
import { timestamp } from "../shared/timestamp.ts";
import { readContainer, type SifContainer, type SifObject } from "./container.ts";
import { runScriptOf } from "./definition.ts";
import { FileWindow } from "./file-window.ts";
import { type Root, rootArchive, runScriptPath } from "./root-archive.ts";
import { SquashFileSystem } from "./squashfs/file-system.ts";

/** Reads a Singularity image through, and gives it as an image of one layer. */
export async function openSource(name: ImageName, context: TransportContext): Promise<ImageSource> {
  await using opened = new AsyncDisposableStack();
  const { file, container } = await during("loading SIF file", async () => {
    const handle = opened.use(await openFile(name.text));
    const window = new FileWindow(handle, name.text, 0, (await handle.stat()).size);
    return { file: window, container: await readContainer(window) };
  });
  const runScript = await readRunScript(file, container);
  const layer = await during("converting rootfs from SquashFS to Tarball", async () => {
    const files = await SquashFileSystem.open(partOf(file, rootOf(container)));
    return await readLayer({ files, runScript, modified: container.modified }, container, context);
  });
  const image = {
    created: layer.created,
    os: "linux",
    architecture: container.architecture,
    layers: [layer],
    command: runScript === undefined ? ["bash"] : [runScriptPath],
    // The original says so whatever the image runs; keep.
    epilogue: ['/bin/sh -c #(nop) CMD ["bash"]'],
  };
  return new ImportedSource(name, image, opened.move());
}

async function openFile(path: string): Promise<FileHandle> {
  const handle = await open(path, "r").catch((error: unknown) =>
    attempt(() => {
      throw error;
    }),
  );
  const found = await handle.stat();
  if (found.isFile()) return handle;
  await handle.close();
  const what = found.isDirectory() ? "is a directory" : "not a regular file";
  throw new Failure("io", `reading global header: read ${path}: ${what}`);
}

function rootOf({ objects }: SifContainer): SifObject {
  const looking = "looking up rootfs from SIF file";
  if (objects.length === 0) throw new Failure("corrupt", `${looking}: no objects in image`);
  const [root, second] = objects.filter(({ primary }) => primary);
  if (second !== undefined) throw new Failure("corrupt", `${looking}: multiple objects found`);
  if (root === undefined) throw new Failure("corrupt", `${looking}: object not found`);
  return root;
}

/** Where there are several definitions, none of them is the one; as in the original. */
async function readRunScript(
  file: FileWindow,
  { objects }: SifContainer,
): Promise<string | undefined> {
  const [definition, second] = objects.filter(({ kind }) => kind === "definition");
  if (definition === undefined || second !== undefined) return undefined;
  if (definition.size > limits.configFileBytes) {
    throw new Failure(
      "corrupt",
      `The definition exceeded maximum allowed size of ${limits.configFileBytes} bytes`,
    );
  }
  const { size } = definition;
  return runScriptOf((await partOf(file, definition).read(0, size)).toString());
}

function partOf(file: FileWindow, { start, size }: SifObject): FileWindow {
  return file.part(start, size);
}

/** The archive is made once for its digest, and again whenever it is read: it is never kept. */
async function readLayer(
  root: Root,
  { id, modified }: SifContainer,
  { signal }: TransportContext,
): Promise<ImportedLayer> {
  const open = (...signals: readonly AbortSignal[]) => rootArchive(root, signal, ...signals);
  const digester = new Digester();
  let size = 0;
  for await (const chunk of open()) {
    digester.update(chunk);
    size += chunk.length;
  }
  const digest = digester.digest();
  return {
    descriptor: { mediaType: layerFamilies.oci.none, digest, size },
    diffId: digest,
    created: timestamp(BigInt(modified) * 1_000_000_000n),
    comment: `imported from SIF, uuid: ${id}`,
    open,
  };
}
