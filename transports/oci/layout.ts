// Layout: the files of an OCI layout, and how its index is changed by several at a time.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestAlgorithm, digestHex, isDigest } from "../../core/content/digest.ts";
import { asFailure, Failure, inContext } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { lockDirectory } from "../shared/directory-lock.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { NewFile, syncDirectory } from "../shared/new-file.ts";
import { removeLeftovers } from "../shared/temporary.ts";
import { emptyIndex, encodeIndex, type LayoutIndex, parseIndex } from "./index-json.ts";

/** Programs that write without asking anybody are given way to, but not for ever. */
const attempts = 20;

/** Returns an index as it shall be, given it as it is. */
export type IndexChange = (index: LayoutIndex) => LayoutIndex | Promise<LayoutIndex>;

/** A directory in the format of OCI layouts, there already or about to be. */
export class Layout {
  readonly path: string;
  /** Holds a directory of blobs for each digest algorithm. */
  readonly blobRoot: string;
  /** The layout's own `blobs`; not `blobRoot` where a directory is shared with other layouts. */
  readonly ownBlobs: string;
  readonly #context: TransportContext;

  constructor(path: string, context: TransportContext) {
    this.path = path === "" ? "." : path;
    this.ownBlobs = join(this.path, "blobs");
    this.blobRoot = context.settings.oci.sharedBlobDirectory ?? this.ownBlobs;
    this.#context = context;
  }

  /** Says that the directory is a layout, and of which version. */
  get markerPath(): string {
    return join(this.path, "oci-layout");
  }

  get indexPath(): string {
    return join(this.path, "index.json");
  }

  /** Returns where a blob is kept. */
  blobPath(digest: Digest): string {
    return join(this.blobDirectory(digest), digestHex(digest));
  }

  /** Returns the digests of all blobs that have one of SHA-256. */
  blobDigests(): readonly Digest[] {
    const directory = join(this.blobRoot, "sha256");
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .sort()
      .map((hex) => `sha256:${hex}`)
      .filter(isDigest);
  }

  /** Returns the directory of all blobs with digests of the same algorithm. */
  blobDirectory(digest: Digest): string {
    return join(this.blobRoot, digestAlgorithm(digest));
  }

  /** Reads the index. Fails with `io` if there is none. */
  async readIndex(): Promise<LayoutIndex> {
    return this.#parse(await this.#indexBytes());
  }

  /**
   * Changes the index while no other run of this program does. A missing one counts as empty.
   *
   * `change` is called again if a program that does not ask changed the index meanwhile.
   */
  async changeIndex(change: IndexChange, ending = ""): Promise<void> {
    await using _ = await lockDirectory(this.path, "exclusive", this.#context);
    for (let attempt = 1; attempt <= attempts; attempt++) {
      if (await this.#tryChange(change, ending)) {
        await syncDirectory(this.path);
        this.#removeLeftovers();
        return;
      }
    }
    throw new Failure("io", `${this.indexPath} is being changed by another program all the time`, {
      hint: "try again when it is done",
    });
  }

  async #tryChange(change: IndexChange, ending: string): Promise<boolean> {
    const found = statSync(this.indexPath, { throwIfNoEntry: false });
    const before = found === undefined ? undefined : await this.#indexBytes();
    const index = await change(before === undefined ? emptyIndex : this.#parse(before));
    await using file = NewFile.create(this.path, this.indexPath);
    await file.write(encodeIndex(index));
    await file.write(new TextEncoder().encode(ending));
    await file.complete(found);
    const now = existsSync(this.indexPath) ? await this.#indexBytes() : undefined;
    if (!equalBytes(before, now)) return false;
    file.publish(this.indexPath);
    return true;
  }

  async #indexBytes(): Promise<Uint8Array> {
    return readSmallFile(this.indexPath, limits.indexJsonBytes);
  }

  #parse(bytes: Uint8Array): LayoutIndex {
    try {
      return parseIndex(bytes);
    } catch (error) {
      throw inContext(`parsing ${this.indexPath}`, error);
    }
  }

  /** The file that was written just now tells the time. */
  #removeLeftovers(): void {
    try {
      const nowMs = statSync(this.indexPath).mtimeMs;
      removeLeftovers(this.path, nowMs);
      if (existsSync(this.blobRoot)) removeLeftovers(this.blobRoot, nowMs);
    } catch (error) {
      // The change has been made; it has not failed because somebody else's rest stays.
      this.#context.log.debug(`Cannot remove leftovers: ${asFailure(error).message}`);
    }
  }
}

function equalBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}
