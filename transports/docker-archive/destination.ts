// Destination: writing an image into an archive.
//
// The archive grows beside the place where it is to be, and takes that place when it is whole. An archive
// that is there already is left alone, unless the wish is to add to it; then all of it is written anew.

import { dirname } from "node:path";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { during, Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  DestinationTraits,
  ImageDestination,
  OutgoingBlob,
  OutgoingManifest,
  StandIns,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { parseManifest } from "../../core/manifest/manifest.ts";
import { lockDirectory } from "../shared/directory-lock.ts";
import { noSignatures, onlySchema2 } from "../shared/docker-tar-refusals.ts";
import { type DockerTarParts, DockerTarWriter } from "../shared/docker-tar-writer.ts";
import {
  findTarTarget,
  openTarOutput,
  type TarOutput,
  type TarTarget,
} from "../shared/tar-output.ts";
import { TarWriter } from "../shared/tar-writer.ts";
import type { DockerArchiveName } from "./name.ts";
import { type DockerArchiveProbe, openProbe } from "./probe.ts";

/** Opens an archive for writing. Fails with `unsupported` if it has images and none is to be added. */
export async function openDestination(
  name: DockerArchiveName,
  context: TransportContext,
): Promise<ImageDestination> {
  const opened = `opening file ${JSON.stringify(name.path)}`;
  await using opening = new AsyncDisposableStack();
  const probe = opening.use(await openProbe(name, context));
  const output = opening.use(await during(opened, () => openTarOutput(name.path, context)));
  const destination = new DockerArchiveDestination(probe, { output, context });
  opening.move();
  return destination;
}

/** What an open destination works with. */
interface OpenParts {
  readonly output: TarOutput;
  readonly context: TransportContext;
}

class DockerArchiveDestination implements ImageDestination {
  readonly name: DockerArchiveName;
  readonly traits: DestinationTraits;
  readonly #probe: DockerArchiveProbe;
  readonly #parts: OpenParts;
  readonly #writer: DockerTarWriter;
  #image: DockerTarParts | undefined;

  constructor(probe: DockerArchiveProbe, parts: OpenParts) {
    this.name = probe.name;
    this.traits = probe.traits;
    this.#probe = probe;
    this.#parts = parts;
    this.#writer = new DockerTarWriter(new TarWriter(parts.output, parts.context));
  }

  async reuseBlob(
    wanted: Descriptor,
    role: BlobRole,
    standIns?: StandIns,
  ): Promise<StoredBlob | undefined> {
    const same = await this.#present(wanted, role);
    if (same !== undefined || standIns?.forms.includes("none") !== true) return same;
    const content = await standIns.content();
    if (content === undefined || content === wanted.digest) return undefined;
    const unpacked = await this.#present({ digest: content }, role);
    return unpacked && { ...unpacked, compression: "none" };
  }

  putBlob(blob: OutgoingBlob, role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    return this.#writer.putBlob(blob, role, ...(signal === undefined ? [] : [signal]));
  }

  async putManifest(manifest: OutgoingManifest): Promise<void> {
    const parsed = parseManifest(manifest);
    if (parsed.mediaType !== manifestTypes.schema2 || parsed.kind !== "image") {
      throw new Failure("unsupported", onlySchema2);
    }
    if (parsed.config === undefined) throw new Failure("bug", "A manifest names no config");
    const layers = parsed.layers.map(({ digest }) => digest);
    this.#image = { config: parsed.config.digest, layers };
  }

  async putSignatures(): Promise<void> {
    throw new Failure("unsupported", noSignatures);
  }

  async commit(): Promise<void> {
    if (this.#image === undefined) throw new Failure("bug", "An image has no manifest");
    const { output, context } = this.#parts;
    const { earlier, target } = this.#probe;
    const tags = this.#tags();
    await earlier?.carryAll(this.#writer, tags);
    await this.#writer.putImage(this.#image, tags);
    await this.#writer.finish();
    if (target === undefined) return output.complete();
    await using _ = await lockDirectory(dirname(target.path), "exclusive", context);
    checkUnchanged(target);
    await output.complete();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.output[Symbol.asyncDispose]();
    await this.#probe[Symbol.asyncDispose]();
  }

  #tags(): readonly string[] {
    const { wanted } = this.name;
    const additional = this.#parts.context.settings.dockerArchive?.additionalTags ?? [];
    return [...new Set([...(wanted.by === "tag" ? [wanted.tag] : []), ...additional])];
  }

  async #present(
    wanted: Pick<Descriptor, "digest" | "size">,
    role: BlobRole,
  ): Promise<StoredBlob | undefined> {
    return (
      this.#writer.find(wanted) ??
      (await this.#probe.earlier?.carryBlob(wanted, role, this.#writer))
    );
  }
}

/** What others have put there in the meantime is not ours to replace. */
function checkUnchanged({ path, found }: TarTarget): void {
  const now = findTarTarget(path).found;
  const same =
    now?.ino === found?.ino && now?.size === found?.size && now?.mtimeMs === found?.mtimeMs;
  if (same) return;
  throw new Failure("io", `${path} was changed by somebody else while the image was written`, {
    hint: "try again",
  });
}
