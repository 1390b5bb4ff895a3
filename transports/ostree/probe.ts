// Probe: what a repository is asked before an image is written to it.

import { existsSync } from "node:fs";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestHex } from "../../core/content/digest.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  DestinationProbe,
  DestinationTraits,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { branchOf, type OstreeName } from "./name.ts";
import type { Commit } from "./objects.ts";
import { Repository } from "./repository.ts";

/** Looks at a repository, which has to be there. */
export async function openProbe(
  name: OstreeName,
  _context: TransportContext,
): Promise<OstreeProbe> {
  return new OstreeProbe(name, await Repository.open(name.repository));
}

/** A repository that may hold images already, and their blobs. */
export class OstreeProbe implements DestinationProbe {
  readonly name: OstreeName;
  readonly repository: Repository;
  readonly traits: DestinationTraits = {
    manifestTypes: [manifestTypes.schema2],
    layers: "preserve",
    keepsForeignUrls: false,
    holdsLists: false,
    concurrent: true,
  };

  constructor(name: OstreeName, repository: Repository) {
    this.name = name;
    this.repository = repository;
  }

  async findBlob({ digest, size }: Descriptor, role: BlobRole): Promise<StoredBlob | undefined> {
    const commit = await this.#commitOf(digest);
    if (commit === undefined) return undefined;
    const { metadata } = commit;
    const held = Number(metadata.get("docker.size") ?? "");
    const isLayer = metadata.has("tarsplit.output");
    if (!Number.isSafeInteger(held) || isLayer !== (role === "layer")) return undefined;
    if (size !== undefined && size !== held) return undefined;
    return { digest, size: held, by: "presence" };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** What a crash has spoilt counts as missing, and is written anew. */
  async #commitOf(digest: Digest): Promise<Commit | undefined> {
    try {
      const branch = this.repository.readBranch(branchOf(digestHex(digest)));
      if (branch === undefined) return undefined;
      if (!existsSync(this.repository.objectPath(branch, "commit"))) return undefined;
      return await this.repository.readCommit(branch);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "corrupt") throw error;
      return undefined;
    }
  }
}
