// Destination: writing an image as the files of a directory.
//
// The new image is gathered in a hidden directory inside, and moved out of it by `commit`. Until then
// the image that was there before stays as it was. Blobs are named for their content, so both images
// may hold the same ones; what makes it the new image is one rename, that of `manifest.json`.

import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mapLimited } from "../../core/concurrency.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { Digest } from "../../core/content/digest.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  DestinationTraits,
  ImageDestination,
  OutgoingBlob,
  OutgoingManifest,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { HeldStart, Signature, SignedManifest } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { writeBlobFile } from "../shared/blob-file.ts";
import { lockDirectory, lockFileName, tryLockDirectory } from "../shared/directory-lock.ts";
import { replaceFile, syncDirectory } from "../shared/new-file.ts";
import { attempt, isSystemError } from "../shared/system.ts";
import {
  isTemporaryName,
  makeDirectories,
  removeEmptyDirectories,
  temporaryPath,
} from "../shared/temporary.ts";
import {
  blobFile,
  manifestFile,
  manifestFileOf,
  signatureFileOf,
  versionFile,
  versionText,
} from "./files.ts";
import { Leftovers } from "./leftovers.ts";
import { linkPlaced } from "./placed.ts";
import { type DirProbe, openProbe } from "./probe.ts";

/** Opens a directory for writing. Fails with `refused` if it holds something that is no image. */
export async function openDestination(
  name: ImageName,
  context: TransportContext,
): Promise<ImageDestination> {
  const probe = await openProbe(name, context);
  if (context.settings.dir.keepsParts !== true) {
    return new DirDestination(probe, context, { workshop: makeWorkshop(probe.path) });
  }
  const { workshop, own } = await makeOwnWorkshop(probe.path);
  const adopting = { workshop: workshop.path, own, context };
  const leftovers = await Leftovers.adopt(probe.path, adopting);
  return new DirDestination(probe, context, { workshop, leftovers });
}

/** Makes a workshop that nobody takes for left by others: whoever was faster may have it. */
async function makeOwnWorkshop(directory: string) {
  for (;;) {
    const workshop = makeWorkshop(directory);
    const own = await tryLockDirectory(workshop.path);
    if (own !== "held") return { workshop, own: typeof own === "object" ? own : undefined };
  }
}

/** The hidden directory where the new image is gathered. */
interface Workshop {
  readonly path: string;
  /** Directories that had to be made for it, deepest first. */
  readonly made: readonly string[];
}

function makeWorkshop(directory: string): Workshop {
  const made = makeDirectories(directory);
  const path = temporaryPath(directory);
  try {
    mkdirSync(path, { mode: 0o700 });
    return { path, made };
  } catch (error) {
    // A run that failed has just taken away the directory that it had made.
    if (isSystemError(error, "ENOENT") && made.length === 0) return makeWorkshop(directory);
    removeEmptyDirectories(made);
    throw asFailure(error);
  }
}

class DirDestination implements ImageDestination {
  readonly name: ImageName;
  readonly traits: DestinationTraits;
  readonly #probe: DirProbe;
  readonly #context: TransportContext;
  readonly #path: string;
  readonly #workshop: Workshop;
  /** Absent where a run that does not come to its end leaves nothing. */
  readonly #leftovers: Leftovers | undefined;
  /** Sizes of the blobs that were sent. */
  readonly #sent = new Map<Digest, number>();
  /** Sizes of the blobs of the earlier image that will be the new one's, too. */
  readonly #kept = new Map<Digest, number>();
  #committed = false;

  constructor(
    probe: DirProbe,
    context: TransportContext,
    { workshop, leftovers }: { readonly workshop: Workshop; readonly leftovers?: Leftovers },
  ) {
    this.name = probe.name;
    this.traits = probe.traits;
    this.#probe = probe;
    this.#context = context;
    this.#path = probe.path;
    this.#workshop = workshop;
    this.#leftovers = leftovers;
  }

  async reuseBlob(wanted: Descriptor, role: BlobRole): Promise<StoredBlob | undefined> {
    const { digest } = wanted;
    const known = this.#sent.get(digest) ?? this.#kept.get(digest);
    if (known !== undefined) return { digest, size: known, by: "presence" };
    const found = await this.#probe.findBlob(wanted, role);
    if (found !== undefined) {
      this.#kept.set(digest, found.size);
      return found;
    }
    // Others may be told to keep their layers otherwise.
    if (this.traits.layers !== "preserve") return undefined;
    const size = (await this.#leftovers?.take(wanted)) ?? this.#linkPlaced(wanted);
    if (size === undefined) return undefined;
    this.#place(digest, size);
    return { digest, size, by: "presence" };
  }

  heldStart(blob: Descriptor): HeldStart | undefined {
    return this.traits.layers === "preserve" ? this.#leftovers?.heldStart(blob) : undefined;
  }

  async putBlob(blob: OutgoingBlob, _role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    const place = {
      workshop: this.#workshop.path,
      pathOf: (digest: Digest) => join(this.#workshop.path, blobFile(digest)),
      keepsParts: this.#leftovers !== undefined,
    };
    const signals = signal === undefined ? [] : [signal];
    const stored = await writeBlobFile(blob, place, this.#context.signal, ...signals);
    this.#place(stored.digest, stored.size);
    return stored;
  }

  async putManifest(manifest: OutgoingManifest, instance?: Digest): Promise<void> {
    await this.#gather(manifestFileOf(instance), manifest.bytes);
  }

  async putSignatures(
    signatures: readonly Signature[],
    { instance }: SignedManifest,
  ): Promise<void> {
    for (const [index, signature] of signatures.entries()) {
      await this.#gather(signatureFileOf(instance, index + 1), signature);
    }
  }

  async commit(): Promise<void> {
    const kept = [...this.#kept.keys()].map(blobFile);
    const gathered = readdirSync(this.#workshop.path).filter((name) => !isTemporaryName(name));
    if (!gathered.includes(manifestFile)) throw new Failure("bug", "An image has no manifest");
    const version = new TextEncoder().encode(versionText([...gathered, ...kept]));
    await using _ = await lockDirectory(this.#path, "exclusive", this.#context);
    this.#checkKept();
    // All that was of use is in the workshop now.
    this.#leftovers?.remove();
    await moveImage([...gathered, versionFile], this.#workshop.path, this.#path, () =>
      this.#gather(versionFile, version),
    );
    this.#committed = true;
    try {
      this.#removeAllBut(new Set([...gathered, versionFile, ...kept, lockFileName]));
    } catch (error) {
      // The new image is there; it is not less so because a rest of the earlier one stays.
      this.#context.log.warn(`Cannot remove the earlier image: ${asFailure(error).message}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#leftovers?.[Symbol.asyncDispose]();
      if (!this.#committed && this.#leavesParts()) return;
      rmSync(this.#workshop.path, { recursive: true, force: true });
      if (!this.#committed) removeEmptyDirectories(this.#workshop.made);
    } catch (error) {
      // A second error would only hide the one that led here.
      this.#context.log.warn(`Cannot remove ${this.#workshop.path}: ${asFailure(error).message}`);
    }
  }

  /** Tells whether there is something that the next run may go on with. */
  #leavesParts(): boolean {
    if (this.#leftovers === undefined) return false;
    return this.#sent.size > 0 || readdirSync(this.#workshop.path).some(isTemporaryName);
  }

  #linkPlaced(wanted: Descriptor): number | undefined {
    const { placed } = this.#context.settings.dir;
    const path = join(this.#workshop.path, blobFile(wanted.digest));
    return placed && linkPlaced(wanted, path, placed);
  }

  /** Notes a blob that is in the workshop, for this image and for others. */
  #place(digest: Digest, size: number): void {
    this.#sent.set(digest, size);
    const name = blobFile(digest);
    const paths = [join(this.#workshop.path, name), join(this.#path, name)];
    this.#context.settings.dir.placed?.set(digest, paths);
  }

  async #gather(name: string, bytes: Uint8Array): Promise<void> {
    await replaceFile(join(this.#workshop.path, name), bytes);
  }

  /** Another run may have put its own image here meanwhile. */
  #checkKept(): void {
    for (const [digest, size] of this.#kept) {
      const path = join(this.#path, blobFile(digest));
      if (lstatSync(path, { throwIfNoEntry: false })?.size === size) continue;
      throw new Failure("io", `${path} was changed by somebody else while the image was written`, {
        hint: "try again",
      });
    }
  }

  /** What others are gathering at this moment stays. */
  #removeAllBut(ours: ReadonlySet<string>): void {
    const nowMs = lstatSync(join(this.#path, versionFile)).mtimeMs;
    for (const name of readdirSync(this.#path)) {
      const path = join(this.#path, name);
      if (ours.has(name) || path === this.#workshop.path) continue;
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue;
      if (isTemporaryName(name) && nowMs - found.mtimeMs < limits.leftoverMs) continue;
      rmSync(path, { recursive: true, force: true });
    }
  }
}

/**
 * Moves an image out of the directory where it was gathered.
 *
 * What is named for its content comes first, for the earlier image does not mind; `manifest.json` and
 * the version come last. New names come before replaced ones, because a full disk can refuse those, and
 * they are taken back then. While the disk takes in the first, `writeLast` writes what only the last need.
 */
async function moveImage(
  files: readonly string[],
  from: string,
  to: string,
  writeLast: () => Promise<void>,
): Promise<void> {
  const isNew = (file: string): boolean =>
    lstatSync(join(to, file), { throwIfNoEntry: false }) === undefined;
  const names = files.filter((file) => rank(file) > 0).sort((a, b) => rank(a) - rank(b));
  const replaced = names.filter((name) => !isNew(name));
  const added: string[] = [];
  const move = (file: string): void => {
    if (isNew(file)) added.push(file);
    renameSync(join(from, file), join(to, file));
  };
  try {
    for (const file of files.filter((each) => rank(each) === 0)) move(file);
    await mapLimited([() => syncDirectory(to), writeLast], Infinity, (work) => work());
    for (const name of names.filter(isNew)) move(name);
  } catch (error) {
    for (const file of added) rmSync(join(to, file), { force: true });
    throw asFailure(error);
  }
  for (const name of replaced) attempt(() => move(name));
  await syncDirectory(to);
}

function rank(file: string): number {
  if (file === versionFile) return 3;
  if (file === manifestFile) return 2;
  return file.startsWith("signature-") ? 1 : 0;
}
