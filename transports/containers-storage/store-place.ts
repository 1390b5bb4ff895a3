// Store place: one directory that has images and layers, and where in it everything is.

import { join } from "node:path";
import type { DriverName } from "./options.ts";

/** Where a store, or a part of one that is kept apart, has its files. */
export class StorePlace {
  readonly root: string;
  readonly driver: DriverName;

  constructor(root: string, driver: DriverName) {
    this.root = root;
    this.driver = driver;
  }

  get imagesDirectory(): string {
    return join(this.root, `${this.driver}-images`);
  }

  get layersDirectory(): string {
    return join(this.root, `${this.driver}-layers`);
  }

  get containersDirectory(): string {
    return join(this.root, `${this.driver}-containers`);
  }

  /** What only the driver knows its way about in. */
  get driverDirectory(): string {
    return join(this.root, this.driver);
  }

  /** Holds everything else of one layer, and its files. */
  layerDirectory(id: string): string {
    return this.driver === "vfs"
      ? join(this.driverDirectory, "dir", id)
      : join(this.driverDirectory, id);
  }

  /** Where the files of one layer are. With vfs those of the layers below it are there, too. */
  filesDirectory(id: string): string {
    return this.driver === "vfs" ? this.layerDirectory(id) : join(this.layerDirectory(id), "diff");
  }

  tarSplitPath(id: string): string {
    return join(this.layersDirectory, `${id}.tar-split.gz`);
  }

  /** Returns the file that keeps an item of an image. */
  bigDataPath(imageId: string, key: string): string {
    return join(this.imagesDirectory, imageId, bigDataFile(key));
  }
}

/** The last character is not looked at: what engines once wrote so they have to find again. */
function bigDataFile(key: string): string {
  if (/^[a-z0-9][a-z0-9.]*[^/]?$/.test(key)) return key;
  return `=${Buffer.from(key).toString("base64")}`;
}
