// Probe: what a directory is asked before an image is written to it.

import { lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  DestinationProbe,
  DestinationTraits,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { lockFileName } from "../shared/directory-lock.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { attempt } from "../shared/system.ts";
import { isTemporaryName } from "../shared/temporary.ts";
import { blobFile, checkVersion, isPartOfImage, versionFile } from "./files.ts";
import { isBlob } from "./verify-file.ts";

/** Looks at a directory. Fails with `refused` if it holds something that is no image. */
export async function openProbe(name: ImageName, context: TransportContext): Promise<DirProbe> {
  const path = name.text === "" ? "." : name.text;
  await checkReplaceable(path);
  return new DirProbe(name, path, context);
}

async function checkReplaceable(path: string): Promise<void> {
  const found = attempt(() => statSync(path, { throwIfNoEntry: false }));
  if (found === undefined) return;
  if (!found.isDirectory()) throw new Failure("io", `open ${path}: not a directory`);
  const names = attempt(() => readdirSync(path));
  if (names.every((name) => isTemporaryName(name) || name === lockFileName)) return;
  // A run was ended while it put an image in its place: what it gathered is still beside it.
  if (names.some(isTemporaryName) && names.every(isOurs)) return;
  if (!names.includes(versionFile)) throw notAnImage();
  const bytes = await readSmallFile(join(path, versionFile), limits.configFileBytes);
  try {
    checkVersion(new TextDecoder().decode(bytes), path);
  } catch (error) {
    throw error instanceof Failure && error.code === "corrupt" ? notAnImage() : error;
  }
}

/** The version is what comes last. */
function isOurs(name: string): boolean {
  return isTemporaryName(name) || name === lockFileName || isPartOfImage(name);
}

function notAnImage(): Failure {
  return new Failure(
    "refused",
    "not a containers image directory, don't want to overwrite important data",
    { hint: "choose a new or an empty directory" },
  );
}

/** A directory that may hold an earlier image, which the new one may share blobs with. */
export class DirProbe implements DestinationProbe {
  readonly name: ImageName;
  readonly path: string;
  readonly traits: DestinationTraits;
  readonly #context: TransportContext;

  constructor(name: ImageName, path: string, context: TransportContext) {
    this.name = name;
    this.path = path;
    this.traits = {
      manifestTypes: [],
      layers: context.settings.dir.layers ?? "preserve",
      keepsForeignUrls: false,
      holdsLists: true,
      concurrent: true,
    };
    this.#context = context;
  }

  async findBlob(wanted: Descriptor, role: BlobRole): Promise<StoredBlob | undefined> {
    const { digest } = wanted;
    // The earlier image may have been told to keep its layers otherwise.
    if (role === "layer" && this.traits.layers !== "preserve") return undefined;
    const path = join(this.path, blobFile(digest));
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile()) return undefined;
    // Whoever copies over a directory may do so because it is damaged.
    if (!(await isBlob(path, { ...wanted, size: wanted.size ?? found.size }, this.#context)))
      return undefined;
    return { digest, size: found.size, by: "presence" };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
