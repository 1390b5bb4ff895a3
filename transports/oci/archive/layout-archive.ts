// Layout archive: the files of an OCI layout, in an archive.

import { collect } from "../../../core/blob/collect.ts";
import { type Digest, digestAlgorithm, digestHex } from "../../../core/content/digest.ts";
import { Failure, inContext } from "../../../core/failure.ts";
import { limits } from "../../../core/limits.ts";
import { Archive, type ArchiveComponent, type ArchiveContext } from "../../shared/archive.ts";
import { type LayoutIndex, parseIndex } from "../index-json.ts";

/** The file of a layout that says what it is. */
export const markerFile = "oci-layout";

/** The file of a layout that lists its images. */
export const indexFile = "index.json";

/** Returns the name of a blob in a layout. */
export function blobFile(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** A layout in an open archive. Disposing closes it. */
export class LayoutArchive implements AsyncDisposable {
  readonly archive: Archive;
  readonly index: LayoutIndex;

  private constructor(archive: Archive, index: LayoutIndex) {
    this.archive = archive;
    this.index = index;
  }

  /** Opens the archive at a path. Fails with `io`, or with `corrupt` if it holds no layout. */
  static async open(path: string, context: ArchiveContext): Promise<LayoutArchive> {
    const archive = await Archive.open(path, context);
    try {
      return new LayoutArchive(archive, await readIndex(archive));
    } catch (error) {
      await archive[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Finds a blob; undefined if it is not there. Fails with `corrupt` if it is there twice. */
  find(digest: Digest): ArchiveComponent | undefined {
    return this.archive.find(blobFile(digest));
  }

  /** Returns all of a manifest; undefined if it is not there. */
  async readManifest(digest: Digest): Promise<Uint8Array | undefined> {
    const found = this.find(digest);
    return found === undefined ? undefined : collect(found.open(), limits.manifestBytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.archive[Symbol.asyncDispose]();
  }
}

async function readIndex(archive: Archive): Promise<LayoutIndex> {
  const bytes = await archive.read(indexFile, limits.indexJsonBytes);
  if (bytes === undefined) {
    const docker = archive.find("manifest.json") !== undefined;
    throw new Failure("corrupt", `There is no ${indexFile} in it`, {
      hint: docker
        ? `an archive of docker save is read as docker-archive:${archive.path}`
        : "it is no archive of an OCI layout",
    });
  }
  try {
    return parseIndex(bytes);
  } catch (error) {
    throw inContext(`parsing ${indexFile}`, error);
  }
}
