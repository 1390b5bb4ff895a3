// The docker source: reads an image from its registry.

import type { ByteStream } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { Digest } from "../../core/content/digest.ts";
import type { DockerName } from "../../core/content/docker-name.ts";
import { encodeSignatureBlob } from "../../core/content/signature-blob.ts";
import { Failure } from "../../core/failure.ts";
import { shown } from "../../core/foreign-text.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { SignatureStorage } from "../../core/image/registry-access.ts";
import type {
  BlobReading,
  ImageSource,
  RawManifest,
  Signature,
  SignedManifest,
} from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import type { RegistryClient } from "./client.ts";
import { connect } from "./connection.ts";
import { openDownload } from "./download.ts";
import { readManifest } from "./manifest.ts";
import { openFirst } from "./pull-sources.ts";
import { readReferrers } from "./referrers.ts";
import { sighting } from "./sightings.ts";

/** Opens an image or list in a registry, and reads its manifest. Fails with `not-found` if there is none. */
export async function openSource(
  name: DockerName,
  image: ImageName,
  context: TransportContext,
): Promise<ImageSource> {
  const reference = name.tag ?? name.digest;
  if (reference === undefined) {
    throw new Failure(
      "usage",
      `reading images from docker: reference ${JSON.stringify(image.text)} without a tag or digest is not supported`,
    );
  }
  return openFirst(name, context, async ({ name: place, trying, staying }) => {
    await using opened = new AsyncDisposableStack();
    const scout = opened.use(await connect(place, "pull", trying));
    const manifest = await readManifest({ client: scout, name: place, reference });
    const client = trying === staying ? scout : await connect(place, "pull", staying);
    if (client === scout) opened.move();
    return new DockerSource({ name: place, image, client, context, manifest });
  });
}

interface Opened {
  /** Where it is read from; everything but requests goes by the name of the image. */
  readonly name: DockerName;
  readonly image: ImageName;
  readonly client: RegistryClient;
  readonly context: TransportContext;
  /** That of the top level. */
  readonly manifest: RawManifest;
}

class DockerSource implements ImageSource {
  readonly name: ImageName;
  readonly concurrent = true;
  readonly givesMemory = true;
  readonly #opened: Opened;

  constructor(opened: Opened) {
    this.name = opened.image;
    this.#opened = opened;
  }

  async readManifest(instance?: Digest): Promise<RawManifest> {
    const { client, name, manifest } = this.#opened;
    // Read once: whoever judges it and whoever carries it see the same bytes.
    return instance === undefined ? manifest : readManifest({ client, name, reference: instance });
  }

  async readSignatures({ digest }: SignedManifest): Promise<readonly Signature[]> {
    const { client, name, context } = this.#opened;
    const { log, settings } = context;
    const storage = await settings.docker.access.signatureStorage(name);
    const kept = await this.#keptSignatures(digest, storage);
    if (storage.sigstoreAttachments !== true) return kept;
    const { readAttachments } = await import("./attachments.ts");
    const attached = await readAttachments({ client, name, digest, log });
    return [...kept, ...attached.map(encodeSignatureBlob)];
  }

  /** Whoever only looks at an image needs none of this. */
  async #keptSignatures(digest: Digest, storage: SignatureStorage): Promise<readonly Signature[]> {
    const { client, name, context } = this.#opened;
    if (await client.keepsSignatures()) {
      const { readFromApi } = await import("./signature-api.ts");
      return readFromApi({ client, name, digest });
    }
    const { readLookaside } = await import("./lookaside.ts");
    return readLookaside({ name, digest, storage }, { client, log: context.log });
  }

  async readReferrers(digest: Digest, artifactType: string): Promise<readonly RawManifest[]> {
    const { client, name } = this.#opened;
    return readReferrers({ client, name, digest, artifactType });
  }

  /** As for sigstore's signatures: an administrator has said that such things are kept beside the images. */
  async offersBundles(): Promise<boolean> {
    const { name, context } = this.#opened;
    const storage = await context.settings.docker.access.signatureStorage(name);
    return storage.sigstoreAttachments === true;
  }

  openBlob(blob: Descriptor, reading: BlobReading = {}): Promise<ByteStream> {
    return this.openRest(blob, 0, reading);
  }

  async openRest(
    blob: Descriptor,
    skipped: number,
    reading: BlobReading = {},
  ): Promise<ByteStream> {
    const { client, name, context } = this.#opened;
    try {
      const bytes = await openDownload({ client, blob, reading, log: context.log }, skipped);
      context.settings.docker.blobInfo?.note(sighting(name, blob.digest));
      return bytes;
    } catch (error) {
      throw asForeign(error, blob);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.client[Symbol.asyncDispose]();
  }
}

/**
 * A foreign layer may be in the registry all the same. If it is not, nobody is followed to the addresses
 * that the image names: nobody asked for that.
 */
function asForeign(error: unknown, { digest, urls = [] }: Descriptor): unknown {
  if (!(error instanceof Failure) || urls.length === 0) return error;
  if (error.code !== "refused" && error.code !== "not-found") return error;
  const places = urls.map((url) => shown(URL.parse(url)?.host ?? "an unreadable address"));
  return new Failure(
    "unsupported",
    `Layer ${digest} is not in the registry but elsewhere (${[...new Set(places)].join(", ")}), and foreign layers are not downloaded: ${error.message}`,
    {
      hint: "copy to a registry or an oci: layout, which keep such layers as addresses",
      cause: error,
    },
  );
}
