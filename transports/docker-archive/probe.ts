// Probe: what an archive is asked before an image is written to it.

import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { during, Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  DestinationProbe,
  DestinationTraits,
  StandIns,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { noSignatures, onlySchema2 } from "../shared/docker-tar-refusals.ts";
import { isStandardOutput } from "../shared/standard-output.ts";
import { findTarTarget, type TarTarget } from "../shared/tar-output.ts";
import { EarlierImages } from "./earlier-images.ts";
import type { DockerArchiveName } from "./name.ts";

/** Looks at an archive. Fails with `unsupported` if it has images and none is to be added. */
export async function openProbe(
  name: DockerArchiveName,
  context: TransportContext,
): Promise<DockerArchiveProbe> {
  const { path, wanted } = name;
  if (wanted.by === "position") {
    const { position } = wanted;
    throw new Failure(
      "usage",
      `Destination reference must not contain a manifest index @${position}`,
    );
  }
  const target = await during(`opening file ${JSON.stringify(path)}`, () => fileTarget(path));
  return new DockerArchiveProbe(name, target, await openEarlier(target, context));
}

/** Returns the file that is to be replaced; undefined for standard output, pipes and devices. */
function fileTarget(path: string): TarTarget | undefined {
  if (isStandardOutput(path)) return undefined;
  const target = findTarTarget(path);
  if (!existsSync(dirname(target.path))) {
    throw new Failure("io", `open ${path}: no such file or directory`);
  }
  return target.found === undefined || target.found.isFile() ? target : undefined;
}

async function openEarlier(
  target: TarTarget | undefined,
  context: TransportContext,
): Promise<EarlierImages | undefined> {
  if (target?.found === undefined || target.found.size === 0) return undefined;
  if (context.settings.dockerArchive?.appends === true) {
    return EarlierImages.open(target.path, context);
  }
  throw new Failure("unsupported", "docker-archive doesn't support modifying existing images", {
    hint: "to add the image to those in the archive, add --dest-append; to replace them, remove it first",
  });
}

/** An archive that may be there, whose images the new one may take over. */
export class DockerArchiveProbe implements DestinationProbe {
  readonly name: DockerArchiveName;
  readonly traits: DestinationTraits = {
    manifestTypes: [manifestTypes.schema2],
    refusesOtherTypes: onlySchema2,
    layers: "decompress",
    keepsForeignUrls: false,
    holdsLists: false,
    refusesSignatures: noSignatures,
    concurrent: false,
  };
  readonly target: TarTarget | undefined;
  readonly earlier: EarlierImages | undefined;

  constructor(
    name: DockerArchiveName,
    target: TarTarget | undefined,
    earlier: EarlierImages | undefined,
  ) {
    this.name = name;
    this.target = target;
    this.earlier = earlier;
  }

  async findBlob(
    wanted: Descriptor,
    _role: BlobRole,
    standIns?: StandIns,
  ): Promise<StoredBlob | undefined> {
    const same = this.earlier?.findBlob(wanted);
    if (same !== undefined || standIns?.forms.includes("none") !== true) return same;
    const content = await standIns.content();
    if (content === undefined || content === wanted.digest) return undefined;
    const unpacked = this.earlier?.findBlob({ digest: content });
    return unpacked && { ...unpacked, compression: "none" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.earlier?.[Symbol.asyncDispose]();
  }
}
