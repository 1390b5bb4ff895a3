// Source: reading an image from the files of a directory.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ByteStream } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { Digest } from "../../core/content/digest.ts";
import { Failure, inContext } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type {
  BlobReading,
  ImageSource,
  RawManifest,
  Signature,
  SignedManifest,
} from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { guessType } from "../../core/manifest/manifest.ts";
import { fileStream, readSmallFile } from "../shared/file-stream.ts";
import { blobFile, checkVersion, manifestFileOf, signatureFileOf, versionFile } from "./files.ts";

/** Far more than any version file has. */
const versionBytes = 1024;

/** Opens a directory for reading. Fails if it says that it has another format. */
export async function openSource(name: ImageName, context: TransportContext): Promise<ImageSource> {
  const version = join(name.text, versionFile);
  // Directories made by hand have none.
  if (existsSync(version)) {
    const bytes = await readSmallFile(version, versionBytes);
    checkVersion(new TextDecoder().decode(bytes), name.text);
  }
  return new DirSource(name, context.signal);
}

class DirSource implements ImageSource {
  readonly name: ImageName;
  readonly concurrent = true;
  readonly givesMemory = true;
  readonly nearby = true;
  readonly #signal: AbortSignal;

  constructor(name: ImageName, signal: AbortSignal) {
    this.name = name;
    this.#signal = signal;
  }

  async readManifest(instance?: Digest): Promise<RawManifest> {
    const bytes = await readSmallFile(this.#path(manifestFileOf(instance)), limits.manifestBytes);
    return { bytes, mediaType: guessType(bytes) ?? "" };
  }

  async readSignatures({ instance }: SignedManifest): Promise<readonly Signature[]> {
    const signatures: Signature[] = [];
    let total = 0;
    for (let number = 1; ; number++) {
      const path = this.#path(signatureFileOf(instance, number));
      if (!existsSync(path)) return signatures;
      const signature = await readSignature(path);
      total += signature.length;
      if (number > limits.signatures || total > limits.signaturesBytes) {
        throw new Failure("corrupt", `Too many signatures, ${path} exceeds the limit`);
      }
      signatures.push(signature);
    }
  }

  async openBlob(blob: Descriptor, reading: BlobReading = {}): Promise<ByteStream> {
    const signals = reading.signal === undefined ? [] : [reading.signal];
    return fileStream(this.#path(blobFile(blob.digest)), this.#signal, ...signals);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #path(file: string): string {
    return join(this.name.text, file);
  }
}

async function readSignature(path: string): Promise<Signature> {
  try {
    return await readSmallFile(path, limits.signatureBytes);
  } catch (error) {
    throw inContext(`reading signature ${path}`, error);
  }
}
