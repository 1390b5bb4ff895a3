// Leftovers: what runs that did not come to their end have left of an image, for the next one to go on with.

import { lstatSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { HeldStart } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { heldStartIn } from "../shared/blob-file.ts";
import { tryLockDirectory } from "../shared/directory-lock.ts";
import { isTemporaryName } from "../shared/temporary.ts";
import { blobFile } from "./files.ts";
import { isBlob } from "./verify-file.ts";

/** Where we gather an image. */
export interface OwnWorkshop {
  readonly workshop: string;
  /** Absent where nobody can tell whether it is in use. */
  readonly own: AsyncDisposable | undefined;
  readonly context: TransportContext;
}

/** Where an image is gathered, ours alone, and what others have left there. */
export class Leftovers implements AsyncDisposable {
  readonly #workshop: string;
  /** Ours. */
  readonly #uid: number;
  readonly #context: TransportContext;
  readonly #adopted: readonly string[];
  readonly #locks: readonly AsyncDisposable[];

  private constructor(
    {
      workshop,
      uid,
      context,
    }: {
      readonly workshop: string;
      readonly uid: number;
      readonly context: TransportContext;
    },
    adopted: ReadonlyMap<string, AsyncDisposable>,
  ) {
    this.#workshop = workshop;
    this.#uid = uid;
    this.#context = context;
    this.#adopted = [...adopted.keys()].filter((path) => path !== workshop);
    this.#locks = [...adopted.values()];
  }

  /**
   * Takes over what lies in a directory beside our own `workshop`, unless somebody is at work there. `own`
   * keeps others from doing the same with ours. What belongs to another user stays theirs, who could change
   * it after it was verified.
   */
  static async adopt(
    directory: string,
    { workshop, own, context }: OwnWorkshop,
  ): Promise<Leftovers> {
    const adopted = new Map<string, AsyncDisposable>();
    if (own !== undefined) adopted.set(workshop, own);
    const { uid } = lstatSync(workshop);
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (path === workshop || !isTemporaryName(name)) continue;
      if (lstatSync(path, { throwIfNoEntry: false })?.uid !== uid) continue;
      const lock = await lockUnlessGone(path);
      if (lock !== undefined) adopted.set(path, lock);
    }
    return new Leftovers({ workshop, uid, context }, adopted);
  }

  /** Moves a blob into the workshop if it is there, whole. */
  async take(blob: Descriptor): Promise<number | undefined> {
    const name = blobFile(blob.digest);
    for (const directory of [this.#workshop, ...this.#adopted]) {
      const path = join(directory, name);
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined || !found.isFile() || found.uid !== this.#uid) continue;
      if (!(await isBlob(path, { ...blob, size: blob.size ?? found.size }, this.#context)))
        continue;
      renameSync(path, join(this.#workshop, name));
      return found.size;
    }
    return undefined;
  }

  /** Returns the start of a blob, if some of it is there. */
  heldStart(blob: Descriptor): HeldStart | undefined {
    return heldStartIn([this.#workshop, ...this.#adopted], blob);
  }

  /** Removes what is of no use any more. */
  remove(): void {
    for (const path of this.#adopted) rmSync(path, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lock of this.#locks) await lock[Symbol.asyncDispose]();
  }
}

/** Where nobody can tell whether somebody is at work, it counts as if somebody was. */
async function lockUnlessGone(path: string): Promise<AsyncDisposable | undefined> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  try {
    const lock = await tryLockDirectory(path);
    return typeof lock === "object" ? lock : undefined;
  } catch (error) {
    // Its owner has just finished with it.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    throw error;
  }
}
