// Rehearsal: a copy that goes all the way and writes nothing, so as to say what it would do.
//
// The copy is the very same one. Only its destinations are others: they ask what is there, and take every
// blob without reading it. What nobody can know without reading stays unknown.

import type { BlobInfo } from "../cache/blob-info.ts";
import type { Descriptor } from "../content/descriptor.ts";
import { type Digest, digestOf } from "../content/digest.ts";
import { Failure } from "../failure.ts";
import type {
  BlobRole,
  DestinationProbe,
  DestinationTraits,
  ImageDestination,
  OutgoingBlob,
  StandIns,
  StoredBlob,
} from "../image/destination.ts";
import { type ImageName, spelled } from "../image/name.ts";
import type { ImageReference, TransportContext } from "../image/transport.ts";
import type { Signer } from "../trust/signer.ts";
import { foretelling } from "./foretelling.ts";
import type { CopyRequest, CopySide } from "./request.ts";

/** What a rehearsal changes of a request, whatever its destinations are. */
export type Rehearsed = Pick<CopyRequest, "source" | "tell"> &
  Partial<Pick<CopyRequest, "blobInfo" | "signing">>;

/** One rehearsal of a copy, to one destination or several. */
export class Rehearsal {
  /** Stand for the digests of blobs that only sending would tell. */
  readonly #unknown = new Set<Digest>();

  /** Returns a request that is carried out without writing anything, but for its destinations. */
  request<T extends Rehearsed>(request: T): T {
    const { source, tell, blobInfo, signing } = request;
    return {
      ...request,
      source: withoutNotes(source),
      tell: foretelling(tell, this.#unknown),
      ...(blobInfo !== undefined && { blobInfo: readOnly(blobInfo) }),
      ...(signing !== undefined && {
        signing: {
          ...signing,
          signers: signing.signers.map(rehearsed),
        },
      }),
    };
  }

  /** Returns a destination to which nothing is written. */
  destination(side: CopySide): CopySide {
    const { reference, context } = withoutNotes(side);
    return {
      context,
      reference: {
        ...reference,
        openDestination: async (asked) =>
          new RehearsedDestination(await openProbe(reference, asked), this.#unknown),
      },
    };
  }
}

/** Nobody has to log in, and no authority notes a certificate, for what is not done. */
function rehearsed({ prepare, ...signer }: Signer): Signer {
  return {
    ...signer,
    ...(prepare !== undefined && signer.preparesForGood !== true && { prepare }),
    sign: async () => nothing,
  };
}

const nothing = new Uint8Array();

function openProbe(reference: ImageReference, context: TransportContext) {
  if (reference.openProbe !== undefined) return reference.openProbe(context);
  throw new Failure(
    "unsupported",
    `A dry run to ${spelled(reference)} is not possible: ${reference.transport}: cannot be asked without writing to it`,
  );
}

/** What a rehearsal sees of blobs is worth nothing to others. */
function withoutNotes(side: CopySide): CopySide {
  const { settings } = side.context;
  const { blobInfo } = settings.docker;
  if (blobInfo === undefined) return side;
  const docker = { ...settings.docker, blobInfo: readOnly(blobInfo) };
  return { ...side, context: { ...side.context, settings: { ...settings, docker } } };
}

function readOnly(info: BlobInfo): BlobInfo {
  return { note: () => {}, candidates: (wish) => info.candidates(wish) };
}

class RehearsedDestination implements ImageDestination {
  readonly name: ImageName;
  readonly traits: DestinationTraits;
  readonly rehearses = true;
  readonly #probe: DestinationProbe;
  readonly #unknown: Set<Digest>;
  readonly #put = new Map<Digest, StoredBlob>();

  constructor(probe: DestinationProbe, unknown: Set<Digest>) {
    this.name = probe.name;
    this.traits = probe.traits;
    this.#probe = probe;
    this.#unknown = unknown;
  }

  async reuseBlob(
    wanted: Descriptor,
    role: BlobRole,
    standIns?: StandIns,
  ): Promise<StoredBlob | undefined> {
    const put = this.#put.get(wanted.digest);
    if (put !== undefined) return { ...put, by: "presence" };
    return this.#probe.findBlob(wanted, role, standIns);
  }

  async reuseStandIn(wanted: Descriptor, standIns: StandIns): Promise<StoredBlob | undefined> {
    return this.#probe.findStandIn?.(wanted, standIns);
  }

  async putBlob({ digest, size }: OutgoingBlob): Promise<StoredBlob> {
    const known = digest !== undefined && size !== undefined;
    const stored: StoredBlob = {
      digest: digest ?? this.#placeholder(),
      size: size ?? 0,
      by: "sending",
    };
    if (!known) this.#unknown.add(stored.digest);
    this.#put.set(stored.digest, stored);
    return stored;
  }

  async putManifest(): Promise<void> {}

  async putSignatures(): Promise<void> {}

  async putReferrers(): Promise<void> {}

  async commit(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#probe[Symbol.asyncDispose]();
  }

  #placeholder(): Digest {
    return digestOf(new TextEncoder().encode(`unknown ${this.#unknown.size}`));
  }
}
