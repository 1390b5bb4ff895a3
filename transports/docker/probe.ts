// Probe: what a registry is asked before an image is written to it.

import type { Descriptor } from "../../core/content/descriptor.ts";
import type { DockerName } from "../../core/content/docker-name.ts";
import type {
  BlobRole,
  DestinationProbe,
  DestinationTraits,
  StandIns,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import type { RegistryClient } from "./client.ts";
import { connect } from "./connection.ts";
import { neighbourOf } from "./destination.ts";
import { findWanted } from "./presence.ts";
import { findElsewhere, type Reuse } from "./reuse.ts";
import { registryTraits, signatureKeeping } from "./traits.ts";

/** Opens a repository to look into. Nothing is sent yet, and nothing but HEAD will be. */
export async function openProbe(
  name: DockerName,
  image: ImageName,
  context: TransportContext,
): Promise<DestinationProbe> {
  // As who will write: a registry may show less to others.
  const client = await connect(name, "pull,push", context);
  const traits = registryTraits(await signatureKeeping(name, context, client));
  return new DockerProbe(image, { name, client, context, traits });
}

interface Opened {
  readonly name: DockerName;
  readonly client: RegistryClient;
  readonly context: TransportContext;
  readonly traits: DestinationTraits;
}

class DockerProbe implements DestinationProbe {
  readonly name: ImageName;
  readonly traits: DestinationTraits;
  readonly #opened: Opened;

  constructor(image: ImageName, opened: Opened) {
    this.name = image;
    this.traits = opened.traits;
    this.#opened = opened;
  }

  async findBlob(
    wanted: Descriptor,
    _role: BlobRole,
    standIns?: StandIns,
  ): Promise<StoredBlob | undefined> {
    const { client, context } = this.#opened;
    const present = await findWanted(client, wanted, context.signal);
    return present ?? this.#elsewhere(wanted, { standIns, itself: true });
  }

  findStandIn(wanted: Descriptor, standIns: StandIns): Promise<StoredBlob | undefined> {
    return this.#elsewhere(wanted, { standIns, itself: false });
  }

  #elsewhere(
    wanted: Descriptor,
    wish: Pick<Reuse, "standIns" | "itself">,
  ): Promise<StoredBlob | undefined> {
    const { name, client, context } = this.#opened;
    const { signal, log, settings, origin } = context;
    const neighbour = neighbourOf(name, origin);
    const info = settings.docker.blobInfo;
    return findElsewhere({ ...wish, client, name, wanted, neighbour, info, signal, log });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.client[Symbol.asyncDispose]();
  }
}
