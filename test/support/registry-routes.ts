// Routes: the endpoints of the distribution specification, over a RegistryStore.

import { type Digest, digestAlgorithm, digestOf, isDigest } from "../../core/content/digest.ts";
import { isListType } from "../../core/content/media-types.ts";
import type { Scope } from "./registry-auth.ts";
import type { RegistryStore, Repository, Upload } from "./registry-store.ts";

/** What this registry does and does not do. Each is allowed by the specification. */
export interface RegistryRules {
  /** False: a blob comes in one piece, `PATCH` is answered with 405. */
  readonly patches?: boolean;
  /** The most that a request may carry of a blob; more is refused as a proxy would. Any size if absent. */
  readonly requestBytes?: number;
  /** What each piece of a blob but the last has to have at least; anything if absent. */
  readonly leastPieceBytes?: number;
  /** True: every piece has to say how long it is, and after the first one also where it belongs. */
  readonly strictPieces?: boolean;
  /** False: every mount is answered by beginning an upload. */
  readonly mounts?: boolean;
  /** False: nothing can be deleted. */
  readonly deletes?: boolean;
  /** False: a tag cannot be removed without its image, and is taken for a digest. */
  readonly untags?: boolean;
  /** False: tags are not disclosed. */
  readonly listsTags?: boolean;
  /** False: `Range` is ignored. */
  readonly ranges?: boolean;
  /** True: it lists by itself which manifests are about others. */
  readonly referrers?: boolean;
  /** True: a list may name images that are not there. */
  readonly sparseLists?: boolean;
  /** The only manifest types taken; all if absent. */
  readonly manifestTypes?: readonly string[];
  /** How many tags one page has; all if absent. */
  readonly tagsPerPage?: number;
}

const namePattern =
  "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*";
const route = new RegExp(
  `^/v2/(${namePattern})/(blobs/uploads|blobs|manifests|tags|referrers)/(.*)$`,
);

/** Returns what a token must allow for this request. */
export function neededScopes(method: string, url: URL): readonly Scope[] {
  const name = route.exec(url.pathname)?.[1];
  if (name === undefined) return [];
  const reads = method === "GET" || method === "HEAD";
  const wanted: Scope[] = [`repository:${name}:pull`];
  if (method === "DELETE" && !url.pathname.includes("/uploads/"))
    wanted[0] = `repository:${name}:delete`;
  else if (!reads) wanted.push(`repository:${name}:push`);
  const from = url.searchParams.get("from");
  if (from !== null) wanted.push(`repository:${from}:pull`);
  return wanted;
}

/** Answers a request to `/v2/…`. */
export async function answer(
  request: Request,
  store: RegistryStore,
  rules: RegistryRules,
): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname === "/v2/") return Response.json({});
  const [, name, kind, rest] = route.exec(url.pathname) ?? [];
  if (name === undefined || rest === undefined)
    return new Response("404 page not found\n", { status: 404 });
  const repository = store.repositories.get(name);
  switch (kind) {
    case "blobs":
      return answerBlob(request, repository, rest, rules);
    case "manifests":
      return answerManifest(request, { repository, name, reference: rest }, store, rules);
    case "referrers":
      return answerReferrers(repository, rest, rules);
    case "tags":
      return answerTags(url, { repository, name }, rules);
    default:
      return rest === ""
        ? beginUpload(request, url, { name, store, rules })
        : answerUpload(request, url, { name, repository, id: rest, rules });
  }
}

/** Returns an answer with an error in it, as registries spell them. */
export function errorAnswer(
  status: number,
  code: string,
  message: string,
  detail?: unknown,
): Response {
  return Response.json({ errors: [{ code, message, detail }] }, { status });
}

async function answerBlob(
  request: Request,
  repository: Repository | undefined,
  digest: string,
  rules: RegistryRules,
): Promise<Response> {
  if (!isDigest(digest)) return errorAnswer(400, "DIGEST_INVALID", "provided digest is malformed");
  const bytes = repository?.blobs.get(digest);
  if (bytes === undefined) {
    return errorAnswer(404, "BLOB_UNKNOWN", "blob unknown to registry", { digest });
  }
  if (request.method === "DELETE") {
    if (rules.deletes === false) return unsupported();
    repository?.blobs.delete(digest);
    return new Response(null, { status: 202 });
  }
  const headers = {
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": digest,
    "Accept-Ranges": "bytes",
  };
  const range = rules.ranges === false ? null : request.headers.get("range");
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  if (request.method === "HEAD") {
    return new Response(null, { headers: { ...headers, "Content-Length": String(bytes.length) } });
  }
  if (request.method !== "GET") return unsupported();
  if (first === undefined) return new Response(bodyOf(bytes), { headers });
  const start = Number(first);
  if (start >= bytes.length) {
    return new Response(null, {
      status: 416,
      headers: { "Content-Range": `bytes */${bytes.length}` },
    });
  }
  const end = Math.min(last === "" ? Infinity : Number(last), bytes.length - 1);
  return new Response(bodyOf(bytes.subarray(start, end + 1)), {
    status: 206,
    headers: { ...headers, "Content-Range": `bytes ${start}-${end}/${bytes.length}` },
  });
}

function beginUpload(
  request: Request,
  url: URL,
  { name, store, rules }: { name: string; store: RegistryStore; rules: RegistryRules },
): Promise<Response> | Response {
  if (request.method !== "POST") return unsupported();
  const repository = store.repository(name);
  const mount = url.searchParams.get("mount");
  const from = url.searchParams.get("from");
  const bytes = store.repositories.get(from ?? "")?.blobs.get(mount ?? "");
  if (mount !== null && bytes !== undefined && rules.mounts !== false) {
    repository.blobs.set(mount, bytes);
    return created(`/v2/${name}/blobs/${mount}`, mount);
  }
  const upload = store.beginUpload(repository);
  const digest = url.searchParams.get("digest");
  const least = rules.leastPieceBytes;
  const wish = least === undefined ? {} : { "OCI-Chunk-Min-Length": String(least) };
  return digest === null
    ? new Response(null, { status: 202, headers: { ...uploadHeaders(name, upload), ...wish } })
    : commitUpload(request, { name, repository, upload, digest });
}

async function answerUpload(
  request: Request,
  url: URL,
  where: { name: string; repository: Repository | undefined; id: string; rules: RegistryRules },
): Promise<Response> {
  const { name, repository, id, rules } = where;
  const upload = repository?.uploads.get(id);
  if (repository === undefined || upload === undefined) {
    return errorAnswer(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  }
  switch (request.method) {
    case "GET":
      return new Response(null, { status: 204, headers: uploadHeaders(name, upload) });
    case "DELETE":
      repository.uploads.delete(id);
      return new Response(null, { status: 204 });
    case "PATCH":
      return rules.patches === false
        ? unsupported()
        : appendToUpload(request, url, { name, upload, rules });
    case "PUT": {
      if (isTooLarge(request, rules)) return tooLarge();
      const digest = url.searchParams.get("digest") ?? "";
      return commitUpload(request, { name, repository, upload, digest });
    }
    default:
      return unsupported();
  }
}

async function appendToUpload(
  request: Request,
  url: URL,
  { name, upload, rules }: { name: string; upload: Upload; rules: RegistryRules },
): Promise<Response> {
  if (isTooLarge(request, rules)) return tooLarge();
  const stale = url.searchParams.get("state") !== String(upload.size);
  if (stale || !fits(request, upload, rules)) {
    return new Response(null, { status: 416, headers: uploadHeaders(name, upload) });
  }
  const pieces = upload.chunks.length;
  const before = upload.size;
  if (before > 0 && before % (rules.leastPieceBytes ?? 1) !== 0) {
    return errorAnswer(400, "SIZE_INVALID", "an earlier piece was too small");
  }
  await receive(request, upload);
  if (upload.size - before > (rules.requestBytes ?? Infinity)) {
    upload.chunks.splice(pieces);
    upload.size = before;
    return tooLarge();
  }
  return new Response(null, { status: 202, headers: uploadHeaders(name, upload) });
}

/** Whether a piece is the next one, as far as it says. The ends of a range are inclusive. */
function fits(request: Request, upload: Upload, { strictPieces }: RegistryRules): boolean {
  const length = request.headers.get("content-length");
  const range = request.headers.get("content-range");
  if (range === null) return strictPieces !== true || (length !== null && upload.size === 0);
  const [, start, end] = /^(\d+)-(\d+)$/.exec(range) ?? [];
  if (start === undefined || Number(start) !== upload.size) return false;
  return strictPieces !== true || Number(end) - Number(start) + 1 === Number(length);
}

function isTooLarge(request: Request, { requestBytes = Infinity }: RegistryRules): boolean {
  return Number(request.headers.get("content-length") ?? 0) > requestBytes;
}

function tooLarge(): Response {
  const headers = { "Content-Type": "text/html", Connection: "close" };
  const body = "<html><head><title>413 Request Entity Too Large</title></head></html>";
  return new Response(body, { status: 413, headers });
}

async function commitUpload(
  request: Request,
  where: { name: string; repository: Repository; upload: Upload; digest: string },
): Promise<Response> {
  const { name, repository, upload, digest } = where;
  await receive(request, upload);
  const bytes = Buffer.concat(upload.chunks);
  repository.uploads.delete(upload.id);
  if (!isDigest(digest) || digestOf(bytes, digestAlgorithm(digest)) !== digest) {
    const message = "provided digest did not match uploaded content";
    return errorAnswer(400, "DIGEST_INVALID", message);
  }
  repository.blobs.set(digest, bytes);
  return created(`/v2/${name}/blobs/${digest}`, digest);
}

/** What arrives is kept even if the rest never does. */
async function receive(request: Request, upload: Upload): Promise<void> {
  if (request.body === null) return;
  for await (const chunk of request.body) {
    upload.chunks.push(chunk);
    upload.size += chunk.length;
  }
}

function uploadHeaders(name: string, { id, size }: Upload): Record<string, string> {
  return {
    Location: `/v2/${name}/blobs/uploads/${id}?state=${size}`,
    Range: `0-${Math.max(0, size - 1)}`,
    "Docker-Upload-UUID": id,
  };
}

async function answerManifest(
  request: Request,
  where: { repository: Repository | undefined; name: string; reference: string },
  store: RegistryStore,
  rules: RegistryRules,
): Promise<Response> {
  const { repository, name, reference } = where;
  if (request.method === "PUT") {
    return putManifest(request, { repository: store.repository(name), name, reference }, rules);
  }
  const manifest = repository?.manifest(reference);
  if (repository === undefined || manifest === undefined) {
    return errorAnswer(404, "MANIFEST_UNKNOWN", "manifest unknown", { Tag: reference });
  }
  const digest = digestOf(manifest.bytes);
  if (request.method === "DELETE") {
    if (rules.deletes === false) return unsupported();
    if (!isDigest(reference)) {
      if (rules.untags === false) {
        const message = "provided digest did not match uploaded content";
        return errorAnswer(400, "DIGEST_INVALID", message);
      }
      repository.tags.delete(reference);
      return new Response(null, { status: 202 });
    }
    repository.manifests.delete(reference);
    for (const [tag, target] of repository.tags) {
      if (target === reference) repository.tags.delete(tag);
    }
    return new Response(null, { status: 202 });
  }
  const accepted = request.headers.get("accept") ?? "*/*";
  if (!accepted.includes("*/*") && !accepted.includes(manifest.mediaType)) {
    const message = `${manifest.mediaType} found, but the request does not accept it`;
    return errorAnswer(404, "MANIFEST_UNKNOWN", message);
  }
  const headers = { "Content-Type": manifest.mediaType, "Docker-Content-Digest": digest };
  return request.method === "HEAD"
    ? new Response(null, {
        headers: { ...headers, "Content-Length": String(manifest.bytes.length) },
      })
    : new Response(bodyOf(manifest.bytes), { headers });
}

async function putManifest(
  request: Request,
  { repository, name, reference }: { repository: Repository; name: string; reference: string },
  rules: RegistryRules,
): Promise<Response> {
  const bytes = await request.bytes();
  const mediaType = request.headers.get("content-type") ?? "";
  if (bytes.length > 4 * 1024 * 1024) return errorAnswer(413, "SIZE_INVALID", "manifest too large");
  if (rules.manifestTypes?.includes(mediaType) === false) {
    return errorAnswer(400, "MANIFEST_INVALID", "manifest invalid", `unknown type ${mediaType}`);
  }
  if (!isDigest(reference) && !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(reference)) {
    return errorAnswer(400, "TAG_INVALID", "manifest tag did not match URI");
  }
  const algorithm = isDigest(reference) ? digestAlgorithm(reference) : "sha256";
  const digest = digestOf(bytes, algorithm);
  if (isDigest(reference) && reference !== digest) {
    return errorAnswer(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  }
  const missing = missingContent(bytes, repository, mediaType, rules);
  if (missing === undefined) return errorAnswer(400, "MANIFEST_INVALID", "manifest invalid");
  if (missing.length > 0) {
    const errors = missing.map((detail) => ({
      code: "MANIFEST_BLOB_UNKNOWN",
      message: "blob unknown to registry",
      detail,
    }));
    return Response.json({ errors }, { status: 400 });
  }
  repository.manifests.set(digest, { bytes, mediaType });
  if (!isDigest(reference)) repository.tags.set(reference, digest);
  const answer = created(`/v2/${name}/manifests/${digest}`, digest);
  const subject = subjectOf(bytes);
  if (rules.referrers === true && subject !== undefined) answer.headers.set("OCI-Subject", subject);
  return answer;
}

function answerReferrers(
  repository: Repository | undefined,
  digest: string,
  rules: RegistryRules,
): Response {
  if (rules.referrers !== true) return new Response("404 page not found\n", { status: 404 });
  const manifests = [...(repository?.manifests ?? [])].flatMap(([own, { bytes, mediaType }]) => {
    if (subjectOf(bytes) !== digest) return [];
    const { artifactType } = JSON.parse(new TextDecoder().decode(bytes)) as LooseManifest;
    return [{ mediaType, digest: own, size: bytes.length, artifactType }];
  });
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const index = { schemaVersion: 2, mediaType, manifests };
  return Response.json(index, { headers: { "Content-Type": mediaType } });
}

function subjectOf(bytes: Uint8Array): string | undefined {
  return (JSON.parse(new TextDecoder().decode(bytes)) as LooseManifest).subject?.digest;
}

interface LooseManifest {
  readonly artifactType?: string;
  readonly subject?: { readonly digest: string };
  readonly mediaType?: string;
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string; readonly urls?: readonly string[] }[];
  readonly manifests?: readonly { readonly digest: string }[];
  readonly fsLayers?: readonly { readonly blobSum: string }[];
}

/** Returns what the manifest names and the repository lacks; undefined if it is no manifest. */
function missingContent(
  bytes: Uint8Array,
  repository: Repository,
  mediaType: string,
  rules: RegistryRules,
): string[] | undefined {
  let manifest: LooseManifest;
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes)) as LooseManifest;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (manifest.mediaType !== undefined && manifest.mediaType !== mediaType) return undefined;
  if (isListType(mediaType)) {
    if (rules.sparseLists === true) return [];
    const images = manifest.manifests ?? [];
    return images.map(({ digest }) => digest).filter((digest) => !repository.manifests.has(digest));
  }
  const layers = (manifest.layers ?? []).filter(({ urls }) => urls === undefined);
  const named = [...(manifest.config === undefined ? [] : [manifest.config]), ...layers];
  const digests = [
    ...named.map(({ digest }) => digest),
    ...(manifest.fsLayers ?? []).map(({ blobSum }) => blobSum),
  ];
  return digests.filter((digest) => !repository.blobs.has(digest));
}

function answerTags(
  url: URL,
  { repository, name }: { repository: Repository | undefined; name: string },
  rules: RegistryRules,
): Response {
  if (repository === undefined) {
    return errorAnswer(404, "NAME_UNKNOWN", "repository name not known to registry", { name });
  }
  if (rules.listsTags === false) {
    return errorAnswer(401, "DENIED", "requested access to the resource is denied");
  }
  const last = url.searchParams.get("last") ?? "";
  const count = Number(url.searchParams.get("n") ?? rules.tagsPerPage ?? Infinity);
  const all = [...repository.tags.keys()].sort().filter((tag) => tag > last);
  const page = all.slice(0, count);
  const headers: Record<string, string> = {};
  if (page.length < all.length) {
    headers["Link"] = `</v2/${name}/tags/list?last=${page.at(-1)}&n=${count}>; rel="next"`;
  }
  return Response.json({ name, tags: page }, { headers });
}

function created(location: string, digest: Digest | string): Response {
  const headers = { Location: location, "Docker-Content-Digest": digest };
  return new Response(null, { status: 201, headers });
}

function unsupported(): Response {
  return errorAnswer(405, "UNSUPPORTED", "The operation is unsupported.");
}

function bodyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
