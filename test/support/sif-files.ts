// SIF files: windows on bytes of a test, as the transport reads them.

import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { FileWindow } from "../../transports/sif/file-window.ts";
import { Workspace } from "./workspace.ts";

/** Gives `work` a window on a file of these bytes. */
export async function withWindow<T>(
  bytes: Uint8Array,
  work: (window: FileWindow) => Promise<T>,
): Promise<T> {
  using workspace = new Workspace();
  const path = workspace.at("file");
  writeFileSync(path, bytes);
  await using file = await open(path);
  return await work(new FileWindow(file, path, 0, bytes.length));
}
