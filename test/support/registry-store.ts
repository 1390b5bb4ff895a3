// RegistryStore: what the in-memory registry holds.

import { type Digest, digestOf } from "../../core/content/digest.ts";

/** A manifest as it was put. */
export interface StoredManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** A blob on its way in. */
export interface Upload {
  readonly id: string;
  readonly chunks: Uint8Array[];
  size: number;
}

/** One repository: anything may be put in directly, without any of the checks of the wire. */
export class Repository {
  readonly blobs = new Map<string, Uint8Array>();
  readonly manifests = new Map<string, StoredManifest>();
  readonly tags = new Map<string, Digest>();
  readonly uploads = new Map<string, Upload>();

  /** Puts a blob in, and returns its digest. */
  addBlob(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  /** Puts a manifest in, under a tag if one is given, and returns its digest. */
  addManifest(bytes: Uint8Array, mediaType: string, tag?: string): Digest {
    const digest = digestOf(bytes);
    this.manifests.set(digest, { bytes, mediaType });
    if (tag !== undefined) this.tags.set(tag, digest);
    return digest;
  }

  /** Returns the manifest that a tag or digest stands for. */
  manifest(reference: string): StoredManifest | undefined {
    return this.manifests.get(this.tags.get(reference) ?? reference);
  }
}

/** All repositories of one registry. */
export class RegistryStore {
  readonly repositories = new Map<string, Repository>();
  #uploads = 0;

  /** Returns the repository of that name, which begins to exist now if it did not. */
  repository(name: string): Repository {
    const known = this.repositories.get(name);
    if (known !== undefined) return known;
    const made = new Repository();
    this.repositories.set(name, made);
    return made;
  }

  /** Begins an upload. */
  beginUpload(repository: Repository): Upload {
    const upload: Upload = { id: `upload-${++this.#uploads}`, chunks: [], size: 0 };
    repository.uploads.set(upload.id, upload);
    return upload;
  }
}
