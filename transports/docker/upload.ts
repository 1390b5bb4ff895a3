// Upload: one blob into a repository, through broken connections and half-hearted registries.

import type { Digest } from "../../core/content/digest.ts";
import { digestAlgorithm, isDigest } from "../../core/content/digest.ts";
import { Failure, asFailure } from "../../core/failure.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { redactedUrl } from "../../core/redact.ts";
import { isPassingStatus, retryAfterMs } from "../../core/retry.ts";
import type { RegistryClient, RegistryResponse, RequestBody } from "./client.ts";
import { Feed, type SendableBlob, type SentBlob } from "./feed.ts";
import { findBlob } from "./presence.ts";
import { heldIn, UploadSession } from "./upload-session.ts";

/** A blob that is to be sent. */
export interface Upload {
  readonly client: RegistryClient;
  readonly blob: SendableBlob;
  /** A session that is open already and has received nothing. It is used up or abandoned. */
  readonly session?: UploadSession | undefined;
  /** Blobs of at most this size are sent in the request that commits them, if the registry takes that. */
  readonly wholeBytes?: number | undefined;
  readonly signal: AbortSignal;
  readonly log: TransportLog;
}

/**
 * Sends a blob, and returns what was sent.
 *
 * A session that breaks is continued where the registry says it stands, or begun anew: then the blob is
 * read from its start once more. After a failure no session is left behind, as far as the registry
 * still answers.
 */
export async function uploadBlob(upload: Upload): Promise<SentBlob> {
  await using uploading = new Uploading(upload);
  return await uploading.run();
}

/** Why one way of sending led nowhere, and what may be tried after it. */
interface Setback {
  readonly failure: Failure;
  readonly next: "continue" | "anew" | "in-one-piece" | "in-smaller-pieces";
  /** How long the registry asked to be left alone. */
  readonly askedMs?: number | undefined;
}

type Outcome<T> =
  | { readonly done: T; readonly setback?: undefined }
  | { readonly done?: undefined; readonly setback: Setback };

class Uploading implements AsyncDisposable {
  readonly #upload: Upload;
  readonly #feed: Feed;
  #session: UploadSession | undefined;
  #inOnePiece: boolean;
  /** Nobody has made us: there is another way. */
  #byChoice: boolean;
  /** Setbacks in a row after which the registry held next to nothing more than before. */
  #fruitless = 0;

  constructor(upload: Upload) {
    this.#upload = upload;
    this.#feed = new Feed(upload.blob);
    this.#session = upload.session;
    const { digest, size = Infinity } = upload.blob;
    this.#inOnePiece = digest !== undefined && size <= (upload.wholeBytes ?? -1);
    this.#byChoice = this.#inOnePiece;
  }

  async run(): Promise<SentBlob> {
    for (;;) {
      this.#session ??= await UploadSession.begin(this.#upload.client, this.#upload);
      const outcome = await this.#attempt(this.#session);
      if (outcome.setback === undefined) {
        this.#session = undefined;
        return outcome.done;
      }
      await this.#recover(this.#session, outcome.setback);
    }
  }

  /** Gives up the session that is still open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed[Symbol.dispose]();
    await this.#session?.abandon();
  }

  async #attempt(session: UploadSession): Promise<Outcome<SentBlob>> {
    if (this.#byChoice) return this.#tryWhole(session);
    if (this.#inOnePiece) return this.#sendWhole(session);
    for (;;) {
      const { done, setback } = await this.#append(session);
      if (setback !== undefined) return { setback };
      if (done !== "more") return this.#commit(session, done);
      this.#fruitless = 0;
    }
  }

  /** Prepares another attempt, or fails with what made it necessary. */
  async #recover(session: UploadSession, setback: Setback): Promise<void> {
    const { client, signal, log, blob } = this.#upload;
    log.debug(`Sending a blob to ${client.host} was interrupted: ${setback.failure.message}`);
    const before = session.held;
    const { next, failure, askedMs } = setback;
    const retry = { what: "upload", reason: failure.message } as const;
    if (next === "in-smaller-pieces" || next === "in-one-piece") {
      log.retrying?.({ ...retry, waitMs: 0 });
    } else if (!(await client.pause(++this.#fruitless, { ...retry, askedMs, signal }))) {
      throw failure;
    }
    // Nothing that was refused for its size has reached the session.
    if (next === "in-smaller-pieces") return;
    if (next === "in-one-piece") this.#inOnePiece = true;
    // Asked after the pause: a registry may still be putting away what it has received.
    const held = next === "continue" ? await session.ask(signal) : 0;
    if (held >= before + limits.slowBytes) this.#fruitless = 0;
    if (held > 0 && held <= (blob.size ?? Infinity)) return;
    this.#session = undefined;
    await session.abandon();
  }

  /** Sends what the registry does not hold yet, or a piece of it, in one `PATCH`. */
  async #append(session: UploadSession): Promise<Outcome<SentBlob | "more">> {
    const { client, blob } = this.#upload;
    const { digest, size } = blob;
    const { held } = session;
    if (digest !== undefined && size !== undefined && held === size && size > 0) {
      return { done: { digest, size } };
    }
    const piece = await this.#piece(session);
    const range = rangeOf(held, piece, client.pieces.bytes !== undefined);
    const { done: response, setback } = await this.#send(session.address, "PATCH", piece, range);
    if (setback !== undefined) return { setback };
    const { status, headers } = response;
    const what = "uploading layer chunked";
    if (status === 413) return this.#shrink(session, piece, response);
    if (status < 200 || status >= 400) {
      const { failure, code } = await client.failure(response, what);
      return afterRefusedAppend({ failure, code, status, askedMs: retryAfterMs(headers) });
    }
    const { sent } = this.#feed;
    const end = piece.size === undefined ? sent?.size : held + piece.size;
    if (end === undefined || this.#feed.position < end) {
      await response.discard();
      const failure = new Failure("unavailable", `${what}: answered before all was sent`);
      return { setback: { failure, next: "continue" } };
    }
    await session.advance(response, end);
    if (sent?.size === end) return { done: sent };
    const told = heldIn(response) ?? end;
    if (told >= end) return { done: "more" };
    const failure = new Failure("unavailable", `${what}: ${told} of ${end} bytes were kept`);
    return { setback: { failure, next: "continue" } };
  }

  /** Returns the body of the next request: the rest of the blob, unless that may be too much. */
  async #piece(session: UploadSession): Promise<RequestBody> {
    const { client, blob } = this.#upload;
    const { held, leastBytes } = session;
    const most = client.pieces.bytes;
    if (most === undefined) return this.#feed.piece(held);
    const bytes = Math.max(most, leastBytes);
    if (blob.size !== undefined) return this.#feed.piece(held, bytes);
    try {
      // Registries want to know where a piece ends before it comes.
      return await this.#feed.heldPiece(
        held,
        Math.max(Math.min(bytes, limits.heldPieceBytes), leastBytes),
      );
    } catch (error) {
      throw this.#feed.failure?.error ?? error;
    }
  }

  /** Makes pieces smaller after one was too large, or fails if there are no smaller ones. */
  async #shrink(
    session: UploadSession,
    piece: RequestBody,
    response: RegistryResponse,
  ): Promise<Outcome<never>> {
    const { client } = this.#upload;
    const refused = piece.size ?? Infinity;
    const { failure } = await client.failure(response, "uploading layer chunked");
    if (client.pieces.lower(refused, session.leastBytes)) {
      return { setback: { failure, next: "in-smaller-pieces" } };
    }
    throw new Failure(
      "refused",
      `${failure.message}: ${client.host} takes no request of ${refused} bytes, and no smaller one makes sense`,
      {
        hint: "a proxy before the registry may be what limits the size of requests",
        cause: failure,
      },
    );
  }

  /** Sends all in the request that commits it: for registries that take no `PATCH`. */
  async #sendWhole(session: UploadSession): Promise<Outcome<SentBlob>> {
    const { blob } = this.#upload;
    const { digest, size } = blob;
    const promised = digest !== undefined && size !== undefined ? { digest, size } : undefined;
    return this.#commit(session, promised ?? (await measured(blob)), this.#feed.piece(0));
  }

  /** Sends all at once, unless the registry wants it otherwise. */
  async #tryWhole(session: UploadSession): Promise<Outcome<SentBlob>> {
    this.#byChoice = false;
    try {
      return await this.#sendWhole(session);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "refused" && failure.code !== "unsupported") throw error;
      if (this.#feed.failure !== undefined) throw error;
      this.#inOnePiece = false;
      return { setback: { failure, next: "anew" } };
    }
  }

  /** Makes a blob of the session. What the registry has after that counts, not what it answered. */
  async #commit(
    session: UploadSession,
    sent: SentBlob,
    whole?: RequestBody,
  ): Promise<Outcome<SentBlob>> {
    const { client, signal } = this.#upload;
    for (let attempts = 1; ; attempts++) {
      const setback = await this.#tryCommit(session.addressFor(sent.digest), sent.digest, whole);
      if (setback === undefined) return { done: sent };
      const present = await findBlob(client, sent.digest, signal);
      if (present !== undefined && (present.size ?? sent.size) === sent.size) return { done: sent };
      // Where the blob was part of the request, it has to be read once more in any case.
      if (setback.next === "anew" || whole !== undefined) {
        return { setback: { ...setback, next: "anew" } };
      }
      const { failure, askedMs } = setback;
      const retry = { what: "upload", reason: failure.message, askedMs, signal } as const;
      if (!(await client.pause(attempts, retry))) throw failure;
    }
  }

  /** Returns undefined if the registry took the blob. */
  async #tryCommit(
    address: URL,
    digest: Digest,
    whole?: RequestBody,
  ): Promise<Setback | undefined> {
    const { done: response, setback } = await this.#send(address, "PUT", whole);
    if (setback !== undefined) return setback;
    const { status, headers } = response;
    if (status >= 200 && status < 300) {
      await response.discard();
      refuseOtherDigest(headers, digest, address.host);
      return undefined;
    }
    const what = `uploading layer to ${redactedUrl(address)}`;
    const { failure, code } = await this.#upload.client.failure(response, what);
    if (isPassingStatus(status)) {
      return { failure, next: "continue", askedMs: retryAfterMs(headers) };
    }
    const lost = status === 404 || status === 416 || (code !== undefined && lostCodes.has(code));
    if (!lost) throw failure;
    return { failure, next: "anew" };
  }

  /** Sends one request of the session. A blob that fails by itself ends the upload. */
  async #send(
    target: URL,
    method: "PATCH" | "PUT",
    body: RequestBody | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Outcome<RegistryResponse>> {
    const { client, signal } = this.#upload;
    try {
      const done = await client.request({
        method,
        target,
        headers: { "Content-Type": "application/octet-stream", ...headers },
        body,
        signal,
        ...(method === "PUT" ? { firstHeaderMs: limits.commitMs } : {}),
        heals: false,
      });
      return { done };
    } catch (error) {
      if (this.#feed.failure !== undefined) throw this.#feed.failure.error;
      const failure = asFailure(error);
      if (failure.code !== "unavailable") throw error;
      return { setback: { failure, next: "continue" } };
    }
  }
}

/** What a registry says of a session that it has lost, or of content that got lost on the way. */
const lostCodes: ReadonlySet<string> = new Set([
  "BLOB_UPLOAD_UNKNOWN",
  "BLOB_UPLOAD_INVALID",
  "DIGEST_INVALID",
]);

/** Statuses by which registries say that they take no `PATCH`. */
const patchless: ReadonlySet<number> = new Set([404, 405, 415, 501]);

/** Says which bytes of a blob a piece is: only where more than one request brings it, and where we know. */
function rangeOf(
  start: number,
  { size }: RequestBody,
  inPieces: boolean,
): Readonly<Record<string, string>> {
  if (size === undefined || size === 0 || (start === 0 && !inPieces)) return {};
  return { "Content-Range": `${start}-${start + size - 1}` };
}

interface RefusedAppend {
  readonly failure: Failure;
  readonly code: string | undefined;
  readonly status: number;
  readonly askedMs: number | undefined;
}

function afterRefusedAppend(refused: RefusedAppend): Outcome<never> {
  const { failure, code, status, askedMs } = refused;
  if (code !== undefined && lostCodes.has(code)) return { setback: { failure, next: "anew" } };
  if (patchless.has(status)) return { setback: { failure, next: "in-one-piece" } };
  if (isPassingStatus(status)) return { setback: { failure, next: "continue", askedMs } };
  if (status === 416) return { setback: { failure, next: "continue" } };
  throw failure;
}

function refuseOtherDigest(headers: Headers, digest: Digest, host: string): void {
  const claimed = headers.get("docker-content-digest") ?? "";
  if (!isDigest(claimed) || claimed === digest) return;
  if (digestAlgorithm(claimed) !== digestAlgorithm(digest)) return;
  throw new Failure("corrupt", `${host} keeps blob ${digest} under another digest, ${claimed}`);
}

/** Reads a blob to its end, to learn what it is. */
async function measured(blob: SendableBlob): Promise<SentBlob> {
  using feed = new Feed(blob);
  for await (const _ of feed.piece(0).open());
  if (feed.sent === undefined) throw new Failure("bug", "A blob ended without an end");
  return feed.sent;
}
