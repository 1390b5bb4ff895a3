// Images of an archive: listing them, and packing all of a layout at once.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../../core/failure.ts";
import type { TransportContext } from "../../../core/image/transport.ts";
import { fileStream } from "../../shared/file-stream.ts";
import { openTarOutput } from "../../shared/tar-output.ts";
import { TarWriter } from "../../shared/tar-writer.ts";
import { namesIn } from "../images.ts";
import { LayoutArchive } from "./layout-archive.ts";

/** Lists the images of an archive that have a name, as the texts of references. */
export async function listImages(
  path: string,
  context: TransportContext,
): Promise<readonly string[]> {
  if (!existsSync(path)) throw new Failure("io", `archive file not found: ${JSON.stringify(path)}`);
  await using layout = await LayoutArchive.open(path, context);
  return namesIn(layout.index).map((name) => `${path}:${name}`);
}

/** Writes all that a layout holds as one archive, which appears when it is whole. */
export async function packLayout(
  layout: string,
  path: string,
  context: TransportContext,
): Promise<void> {
  await using output = await openTarOutput(path, context);
  const writer = new TarWriter(output, context);
  // What says what it is comes first, and what names the images last.
  await addFile("oci-layout");
  await addAll("blobs");
  await addFile("index.json");
  await writer.finish();
  await output.complete();

  async function addAll(name: string): Promise<void> {
    await writer.addDirectory(name);
    for (const entry of readdirSync(join(layout, name), { withFileTypes: true }).sort(byName)) {
      const inside = `${name}/${entry.name}`;
      if (entry.isDirectory()) await addAll(inside);
      else if (entry.isFile() && !entry.name.startsWith(".")) await addFile(inside);
    }
  }

  async function addFile(name: string): Promise<void> {
    const { size } = statSync(join(layout, name));
    await writer.addFile({ name, size }, fileStream(join(layout, name), context.signal));
  }
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}
