// The docker destination: writes an image into its registry.

import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestAlgorithm } from "../../core/content/digest.ts";
import { type DockerName, parseDockerName } from "../../core/content/docker-name.ts";
import { parseSignatureBlob } from "../../core/content/signature-blob.ts";
import { Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  DestinationTraits,
  ImageDestination,
  OutgoingBlob,
  OutgoingManifest,
  StandIns,
  StoredBlob,
} from "../../core/image/destination.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { Referrer, Signature, SignedManifest } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { manifestDigest } from "../../core/manifest/manifest.ts";
import { addAttachments } from "./attachments.ts";
import type { RegistryClient } from "./client.ts";
import { connect } from "./connection.ts";
import { lingering, type LingeringSignal } from "./lingering.ts";
import { writeLookaside } from "./lookaside.ts";
import { mountBlob } from "./mount.ts";
import { addReferrers } from "./new-referrers.ts";
import { precomputed } from "./precomputed.ts";
import { findWanted } from "./presence.ts";
import { publishManifest } from "./publish.ts";
import { type Reuse, reuseFromElsewhere } from "./reuse.ts";
import { sighting } from "./sightings.ts";
import { addByApi } from "./signature-api.ts";
import { noSigstore, registryTraits, type SignatureKeeping, signatureKeeping } from "./traits.ts";
import { uploadBlob } from "./upload.ts";
import type { UploadSession } from "./upload-session.ts";

/** Opens a place for an image or list in a registry. Nothing is sent yet. */
export async function openDestination(
  name: DockerName,
  image: ImageName,
  context: TransportContext,
): Promise<ImageDestination> {
  // The client outlives an abort by a little: only then can open uploads be canceled.
  const lifetime = lingering(context.signal, limits.cleanUpMs);
  const client = await connect(name, "pull,push", context, lifetime.signal);
  const { uploadChunkBytes } = context.settings.docker;
  if (uploadChunkBytes !== undefined) client.pieces.keepTo(uploadChunkBytes);
  const keeping = await signatureKeeping(name, context, client);
  return new DockerDestination({ name, image, client, context, lifetime, keeping });
}

interface Opened {
  readonly name: DockerName;
  readonly image: ImageName;
  readonly client: RegistryClient;
  readonly context: TransportContext;
  readonly lifetime: LingeringSignal;
  readonly keeping: SignatureKeeping;
}

class DockerDestination implements ImageDestination {
  readonly name: ImageName;
  readonly traits: DestinationTraits;
  readonly #opened: Opened;
  /** The repository that the content comes from, if it is a neighbour of ours. */
  readonly #neighbour: string | undefined;
  /** Whatever was looked for here is sent when it comes to that, without looking again. */
  readonly #looked = new Set<Digest>();
  /** Sessions that the registry began when it was asked to mount. */
  readonly #sessions: UploadSession[] = [];

  constructor(opened: Opened) {
    this.name = opened.image;
    this.#opened = opened;
    this.traits = registryTraits(opened.keeping);
    this.#neighbour = neighbourOf(opened.name, opened.context.origin);
  }

  reuseBlob(
    wanted: Descriptor,
    _role: BlobRole,
    standIns?: StandIns,
  ): Promise<StoredBlob | undefined> {
    const { client, name } = this.#opened;
    return client.held.alone(name.repository, wanted.digest, () => this.#reuse(wanted, standIns));
  }

  async #reuse(wanted: Descriptor, standIns?: StandIns): Promise<StoredBlob | undefined> {
    const signal = this.#signal();
    const mounted = await this.#mountKnown(wanted, signal);
    if (mounted !== undefined) return mounted;
    const present = await this.#present(wanted, signal);
    return present ?? this.#elsewhere(wanted, { standIns, itself: true });
  }

  reuseStandIn(wanted: Descriptor, standIns: StandIns): Promise<StoredBlob | undefined> {
    return this.#elsewhere(wanted, { standIns, itself: false });
  }

  async #elsewhere(
    wanted: Descriptor,
    wish: Pick<Reuse, "standIns" | "itself">,
  ): Promise<StoredBlob | undefined> {
    const signal = this.#signal();
    const { client, name, context } = this.#opened;
    const { log, settings } = context;
    const info = settings.docker.blobInfo;
    const neighbour = this.#neighbour;
    const reuse = { ...wish, client, name, wanted, neighbour, info, signal, log };
    const { stored, session } = await reuseFromElsewhere(reuse);
    if (session !== undefined) this.#sessions.push(session);
    if (stored !== undefined) this.#note(stored);
    return stored;
  }

  async putBlob(blob: OutgoingBlob, _role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    const { settings, temporaryDirectory } = this.#opened.context;
    const stop = this.#signal(signal);
    if (blob.digest !== undefined || settings.docker.precomputesDigests !== true) {
      return this.#putAlone(blob, stop);
    }
    await using kept = await precomputed(blob, temporaryDirectory, stop);
    return await this.#putAlone(kept.blob, stop);
  }

  #putAlone(blob: OutgoingBlob, stop: AbortSignal): Promise<StoredBlob> {
    const { client, name } = this.#opened;
    const put = () => this.#put(blob, stop);
    return blob.digest === undefined ? put() : client.held.alone(name.repository, blob.digest, put);
  }

  async #put(blob: OutgoingBlob, stop: AbortSignal): Promise<StoredBlob> {
    const { client, context } = this.#opened;
    const { digest, size } = blob;
    if (digest !== undefined && !this.#looked.has(digest)) {
      const wanted = { digest, mediaType: blob.mediaType, ...(size === undefined ? {} : { size }) };
      const present = await this.#present(wanted, stop);
      if (present !== undefined) return present;
    }
    const session = this.#sessions.pop();
    const { log, settings } = context;
    const wholeBytes = settings.docker.wholeUploadBytes ?? 0;
    const sent = await uploadBlob({ client, blob, session, wholeBytes, signal: stop, log });
    this.#looked.add(sent.digest);
    this.#note(sent);
    return { ...sent, by: "sending" };
  }

  /** The top level comes last, so what leads to the image is written when all the rest is there. */
  async putManifest(manifest: OutgoingManifest, instance?: Digest): Promise<void> {
    const { client, name } = this.#opened;
    const wanted = instance ?? name.digest;
    const actual = manifestDigest(
      manifest.bytes,
      wanted === undefined ? "sha256" : digestAlgorithm(wanted),
    );
    if (wanted !== undefined && wanted !== actual) {
      throw new Failure(
        "corrupt",
        `Attempted to PutManifest using an explicitly specified digest ("${wanted}") that didn't match the manifest's digest ("${actual}")`,
      );
    }
    // A name with neither is that of an image whose digest was not known before.
    const reference = instance ?? name.tag ?? name.digest ?? actual;
    await publishManifest({ client, name, manifest, reference, signal: this.#signal() });
  }

  /** Those of others stay: what is kept beside an image is not ours alone. */
  async putSignatures(signatures: readonly Signature[], { digest }: SignedManifest): Promise<void> {
    const { client, name, context, keeping } = this.#opened;
    const contents = signatures.map(parseSignatureBlob);
    const sigstore = contents.filter((each) => each.kind === "sigstore");
    const messages = contents.flatMap((each) => (each.kind === "sigstore" ? [] : [each.message]));
    if (sigstore.length > 0 && !keeping.sigstore) throw new Failure("unsupported", noSigstore);
    if (sigstore.length > 0) {
      const place = { client, name, digest, log: context.log };
      await addAttachments(place, sigstore, this.#signal());
    }
    if (messages.length === 0) return;
    if (await client.keepsSignatures()) {
      await addByApi({ client, name, digest }, messages, this.#signal());
    } else {
      await writeLookaside({ name, digest, storage: keeping.storage }, messages);
    }
  }

  async putReferrers(referrers: readonly Referrer[], { digest }: SignedManifest): Promise<void> {
    const { client, name, context } = this.#opened;
    const signal = this.#signal();
    await addReferrers({ client, name, digest, log: context.log, signal }, referrers);
  }

  /** Nothing is left to do: the manifest of the top level made the image visible. */
  async commit(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sessions.splice(0).map((session) => session.abandon()));
    await this.#opened.client[Symbol.asyncDispose]();
    this.#opened.lifetime[Symbol.dispose]();
  }

  async #present(wanted: Descriptor, signal: AbortSignal): Promise<StoredBlob | undefined> {
    const { digest } = wanted;
    // What has to be sent after all, because it was missed, is not looked for again.
    const { client, name } = this.#opened;
    if (this.#looked.has(digest)) client.held.forget(name.repository, digest);
    this.#looked.add(digest);
    const held = client.held.sizeIn(name.repository, digest);
    if (held !== undefined && held === (wanted.size ?? held)) {
      return { digest, size: held, by: "presence" };
    }
    const found = await findWanted(client, wanted, signal);
    if (found !== undefined) this.#note(found);
    return found;
  }

  /** Takes a blob from where this run has put one: there is no need to look for it first. */
  async #mountKnown(
    { digest, size }: Descriptor,
    signal: AbortSignal,
  ): Promise<StoredBlob | undefined> {
    const { client, name, context } = this.#opened;
    const { held } = client;
    if (size === undefined || held.sizeIn(name.repository, digest) !== undefined) return undefined;
    const from = held.placeOf(digest);
    if (from === undefined || held.sizeIn(from, digest) !== size) return undefined;
    const mounted = await mountBlob({ client, digest, from, signal, log: context.log });
    if (typeof mounted === "object") this.#sessions.push(mounted);
    if (mounted !== true) return undefined;
    this.#note({ digest, size });
    return { digest, size, by: "mounting" };
  }

  #note({ digest, size }: { readonly digest: Digest; readonly size: number }): void {
    const { client, name, context } = this.#opened;
    client.held.note(name.repository, digest, size);
    context.settings.docker.blobInfo?.note(sighting(name, digest));
  }

  #signal(more?: AbortSignal): AbortSignal {
    const { signal } = this.#opened.context;
    return more === undefined ? signal : AbortSignal.any([signal, more]);
  }
}

/** Returns the repository of an origin that is in the same registry, but another repository. */
export function neighbourOf(name: DockerName, origin: ImageName | undefined): string | undefined {
  if (origin?.transport !== "docker" || origin.docker === undefined) return undefined;
  const { host, repository } = parseDockerName(origin.docker);
  return host === name.host && repository !== name.repository ? repository : undefined;
}
