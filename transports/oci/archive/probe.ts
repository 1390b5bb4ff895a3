// Probe: what an archive of a layout is asked before an image is written to its place.

import { verified } from "../../../core/blob/verify.ts";
import type { Descriptor } from "../../../core/content/descriptor.ts";
import type { Digest } from "../../../core/content/digest.ts";
import { asFailure, during, Failure } from "../../../core/failure.ts";
import type {
  DestinationProbe,
  DestinationTraits,
  StoredBlob,
} from "../../../core/image/destination.ts";
import type { TransportContext } from "../../../core/image/transport.ts";
import type { ArchiveComponent } from "../../shared/archive.ts";
import { isStandardOutput } from "../../shared/standard-output.ts";
import { findTarTarget, type TarTarget } from "../../shared/tar-output.ts";
import { layoutTraits } from "../probe.ts";
import { LayoutArchive } from "./layout-archive.ts";
import type { OciArchiveName } from "./name.ts";

/** Looks at an archive, which need not be there. Fails if it cannot be added to, and that is the wish. */
export async function openProbe(
  name: OciArchiveName,
  context: TransportContext,
): Promise<OciArchiveProbe> {
  const appends = context.settings.oci.appends === true;
  const target = isStandardOutput(name.path) ? undefined : findTarTarget(name.path);
  const earlier = await openEarlier(target, appends, context);
  return new OciArchiveProbe(name, context, { target, earlier, appends });
}

/** Opens the archive that is there; undefined if there is none that can be of use. */
async function openEarlier(
  target: TarTarget | undefined,
  appends: boolean,
  context: TransportContext,
): Promise<LayoutArchive | undefined> {
  const inFile = target !== undefined && target.found?.isFile() !== false;
  if (appends && !inFile) {
    throw new Failure("usage", "Images can be added to an archive in a file only");
  }
  if (!inFile || target.found === undefined || target.found.size === 0) return undefined;
  const open = () => LayoutArchive.open(target.path, context);
  if (appends) return during(`reading archive ${target.path}`, open);
  try {
    return await open();
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === "canceled" || failure.code === "bug") throw failure;
    // It is going to be replaced: what it is does not matter.
    context.log.debug(`Not taking blobs from ${target.path}: ${failure.message}`);
    return undefined;
  }
}

/** What is at the place of an archive. */
interface Found {
  /** Absent for standard output. */
  readonly target: TarTarget | undefined;
  /** What is to be replaced. */
  readonly earlier: LayoutArchive | undefined;
  readonly appends: boolean;
}

/** An archive that may be there, whose blobs the new one may take over. */
export class OciArchiveProbe implements DestinationProbe {
  readonly name: OciArchiveName;
  readonly traits: DestinationTraits;
  readonly target: TarTarget | undefined;
  readonly earlier: LayoutArchive | undefined;
  readonly appends: boolean;
  readonly #context: TransportContext;

  constructor(name: OciArchiveName, context: TransportContext, found: Found) {
    this.name = name;
    this.traits = { ...layoutTraits(context), concurrent: false };
    this.target = found.target;
    this.earlier = found.earlier;
    this.appends = found.appends;
    this.#context = context;
  }

  async findBlob({ digest, size, mediaType }: Descriptor): Promise<StoredBlob | undefined> {
    const found = this.findEarlier(digest);
    if (found === undefined || (size !== undefined && size !== found.size)) return undefined;
    try {
      for await (const _ of verified({ mediaType, digest, size: found.size })(found.open()));
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "corrupt") throw failure;
      this.#context.log.debug(`Not taking ${digest} from ${this.name.path}: ${failure.message}`);
      return undefined;
    }
    return { digest, size: found.size, by: "presence" };
  }

  /** Returns a blob of the archive that is there, which nobody has looked into yet. */
  findEarlier(digest: Digest): ArchiveComponent | undefined {
    try {
      return this.earlier?.find(digest);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "corrupt") throw failure;
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.earlier?.[Symbol.asyncDispose]();
  }
}
