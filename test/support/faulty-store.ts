// The honest half of the faulty registry: an image, a place for what is pushed, and plain answers.

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { RawAnswer, RawRequest } from "./raw-http.ts";

/** What a request is about. */
export type RequestKind =
  | "ping"
  | "token"
  | "manifest-read"
  | "manifest-write"
  | "blob-read"
  | "blob-head"
  | "upload-start"
  | "upload-part"
  | "upload-state"
  | "upload-end"
  | "upload-cancel"
  | "tags"
  | "other";

/** A request as it is understood. */
export interface Understood {
  readonly kind: RequestKind;
  /** `cut-half` in `/v2/cut-half/img/…`; empty outside of repositories. */
  readonly fault: string;
  /** The repository's path. */
  readonly repository: string;
  /** A digest, a tag or the name of an upload. */
  readonly reference: string;
  readonly query: URLSearchParams;
}

const image = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** The image that lies in every repository: one layer of random bytes, and a config. */
export class SampleImage {
  readonly layer: Buffer;
  readonly config: Buffer;
  readonly manifest: Buffer;

  constructor(layerBytes: number) {
    const content = randomBytes(layerBytes);
    this.layer = gzipSync(content, { level: 0 });
    const rootfs = { type: "layers", diff_ids: [digest(content)] };
    this.config = json({ architecture: "amd64", os: "linux", config: {}, rootfs });
    this.manifest = json(this.members());
  }

  /** The manifest's members, to be changed into those of a worse one. */
  members(): {
    schemaVersion: number;
    mediaType: string;
    config: { mediaType: string; digest: string; size: number };
    layers: { mediaType: string; digest: string; size: number }[];
  } {
    const { layer, config } = this;
    return {
      schemaVersion: 2,
      mediaType: image.manifest,
      config: { mediaType: image.config, digest: digest(config), size: config.length },
      layers: [{ mediaType: image.layer, digest: digest(layer), size: layer.length }],
    };
  }
}

/** What is kept in one repository. */
export class FaultyStore {
  readonly blobs = new Map<string, Buffer>();
  /** By tag and by digest. */
  readonly manifests = new Map<string, Buffer>();
  readonly uploads = new Map<string, Buffer>();
  readonly #counts = new Map<string, number>();

  /** Counts from 0 how often this has been asked for before. */
  count(key: string): number {
    const count = this.#counts.get(key) ?? 0;
    this.#counts.set(key, count + 1);
    return count;
  }

  /** Puts the image there, under the tag `t`. */
  fill({ layer, config, manifest }: SampleImage): void {
    this.blobs.set(digest(layer), layer);
    this.blobs.set(digest(config), config);
    this.putManifest("t", manifest);
  }

  putManifest(reference: string, manifest: Buffer): void {
    this.manifests.set(reference, manifest);
    this.manifests.set(digest(manifest), manifest);
  }
}

/** Finds out what a request is about. */
export function understand({ method, target }: RawRequest): Understood {
  const url = new URL(target, "http://registry");
  const query = url.searchParams;
  const outside = { fault: "", repository: "", reference: "", query };
  if (url.pathname === "/v2/") return { kind: "ping", ...outside };
  if (url.pathname === "/token") return { kind: "token", ...outside };
  const match = /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs|tags)\/(.*)$/.exec(url.pathname);
  const [, repository = "", room = "", reference = ""] = match ?? [];
  const kind = kinds[`${method} ${room}${room === "blobs/uploads" && reference ? "/" : ""}`];
  return {
    kind: kind ?? "other",
    fault: repository.split("/")[0] ?? "",
    repository,
    reference,
    query,
  };
}

const kinds: Readonly<Record<string, RequestKind>> = {
  "GET manifests": "manifest-read",
  "HEAD manifests": "manifest-read",
  "PUT manifests": "manifest-write",
  "GET blobs": "blob-read",
  "HEAD blobs": "blob-head",
  "POST blobs/uploads": "upload-start",
  "PATCH blobs/uploads/": "upload-part",
  "GET blobs/uploads/": "upload-state",
  "PUT blobs/uploads/": "upload-end",
  "DELETE blobs/uploads/": "upload-cancel",
  "GET tags": "tags",
};

/** Answers as a registry should. */
export async function honestAnswer(
  request: RawRequest,
  { kind, repository, reference, query }: Understood,
  store: FaultyStore,
): Promise<RawAnswer> {
  switch (kind) {
    case "ping":
      return { status: 200, body: "{}" };
    case "manifest-read": {
      const manifest = store.manifests.get(reference);
      return manifest === undefined ? refusal(404, "MANIFEST_UNKNOWN") : manifestAnswer(manifest);
    }
    case "manifest-write":
      return takeManifest(await request.body(), reference, store);
    case "blob-read":
    case "blob-head": {
      const blob = store.blobs.get(reference);
      return blob === undefined ? refusal(404, "BLOB_UNKNOWN") : blobAnswer(request, blob);
    }
    case "upload-start": {
      const name = randomUUID();
      store.uploads.set(name, Buffer.alloc(0));
      return uploadAnswer(202, repository, name, store);
    }
    case "upload-part": {
      const held = store.uploads.get(reference);
      if (held === undefined) return refusal(404, "BLOB_UPLOAD_UNKNOWN");
      const start = Number(
        /^(\d+)-/.exec(request.headers.get("content-range") ?? "")?.[1] ?? held.length,
      );
      if (start !== held.length) return refusal(416, "RANGE_INVALID");
      store.uploads.set(reference, Buffer.concat([held, await request.body()]));
      return uploadAnswer(202, repository, reference, store);
    }
    case "upload-state":
      if (!store.uploads.has(reference)) return refusal(404, "BLOB_UPLOAD_UNKNOWN");
      return uploadAnswer(204, repository, reference, store);
    case "upload-end": {
      const held = store.uploads.get(reference);
      if (held === undefined) return refusal(404, "BLOB_UPLOAD_UNKNOWN");
      const blob = Buffer.concat([held, await request.body()]);
      if (digest(blob) !== query.get("digest")) return refusal(400, "DIGEST_INVALID");
      store.uploads.delete(reference);
      store.blobs.set(digest(blob), blob);
      const location = `/v2/${repository}/blobs/${digest(blob)}`;
      return {
        status: 201,
        headers: { Location: location, "Docker-Content-Digest": digest(blob) },
      };
    }
    case "upload-cancel":
      store.uploads.delete(reference);
      return { status: 204 };
    case "tags":
      return {
        status: 200,
        body: json({
          name: repository,
          tags: [...store.manifests.keys()].filter((key) => !key.includes(":")),
        }),
      };
    case "token":
    case "other":
      return refusal(404, "UNSUPPORTED");
  }
}

/** Answers with a manifest, and its digest unless another is given. */
export function manifestAnswer(manifest: Buffer, shown = digest(manifest)): RawAnswer {
  const headers = { "Content-Type": image.manifest, "Docker-Content-Digest": shown };
  return { status: 200, headers, body: manifest };
}

/** Answers with a blob, or the part of it that is asked for. */
export function blobAnswer(request: RawRequest, blob: Buffer): RawAnswer {
  const type = { "Content-Type": "application/octet-stream" };
  const start = rangeStart(request);
  if (start === undefined) return { status: 200, headers: type, body: blob };
  if (start >= blob.length)
    return { status: 416, headers: { "Content-Range": `bytes */${blob.length}` } };
  const range = `bytes ${start}-${blob.length - 1}/${blob.length}`;
  return { status: 206, headers: { ...type, "Content-Range": range }, body: blob.subarray(start) };
}

/** Returns where a request wants to begin; undefined if it wants all. */
export function rangeStart({ headers }: RawRequest): number | undefined {
  const start = /^bytes=(\d+)-/.exec(headers.get("range") ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

/** Answers as registries refuse. */
export function refusal(status: number, code: string, message = code.toLowerCase()): RawAnswer {
  const headers = { "Content-Type": "application/json" };
  return { status, headers, body: json({ errors: [{ code, message }] }) };
}

/** Returns the digest of some bytes. */
export function digest(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Returns a value as JSON. */
export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Takes a manifest if all blobs that it names are there. */
function takeManifest(manifest: Buffer, reference: string, store: FaultyStore): RawAnswer {
  const { config, layers = [] } = JSON.parse(manifest.toString());
  const named: string[] = [config, ...layers].filter(Boolean).map((each) => each.digest);
  const missing = named.filter((each) => !store.blobs.has(each));
  if (missing.length > 0) {
    const errors = missing.map((each) => ({
      code: "MANIFEST_BLOB_UNKNOWN",
      message: "blob unknown to registry",
      detail: { digest: each },
    }));
    return { status: 404, headers: { "Content-Type": "application/json" }, body: json({ errors }) };
  }
  store.putManifest(reference, manifest);
  return { status: 201, headers: { "Docker-Content-Digest": digest(manifest) } };
}

function uploadAnswer(
  status: number,
  repository: string,
  name: string,
  store: FaultyStore,
): RawAnswer {
  const size = store.uploads.get(name)?.length ?? 0;
  const headers = {
    Location: `/v2/${repository}/blobs/uploads/${name}?_state=secret-${name}`,
    Range: `0-${Math.max(0, size - 1)}`,
    "Docker-Upload-UUID": name,
  };
  return { status, headers };
}
