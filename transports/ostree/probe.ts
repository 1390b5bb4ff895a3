// Probe: what a repository is asked before an image is written to it.

import type { Descriptor } from "../../core/content/descriptor.ts";
import { digestHex } from "../../core/content/digest.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import type {
  BlobRole,
  DestinationProbe,
  DestinationTraits,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { branchOf, type OstreeName } from "./name.ts";
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
    const branch = this.repository.readBranch(branchOf(digestHex(digest)));
    if (branch === undefined) return undefined;
    const { metadata } = await this.repository.readCommit(branch);
    const held = Number(metadata.get("docker.size") ?? "");
    const isLayer = metadata.has("tarsplit.output");
    if (!Number.isSafeInteger(held) || isLayer !== (role === "layer")) return undefined;
    if (size !== undefined && size !== held) return undefined;
    return { digest, size: held, by: "presence" };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
