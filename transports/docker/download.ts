// Download: a blob's bytes, through as many connections as it takes.

import type { ByteStream } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { Failure, asFailure } from "../../core/failure.ts";
import type { BlobReading } from "../../core/image/source.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { redactedUrl } from "../../core/redact.ts";
import type { RegistryClient, RegistryResponse } from "./client.ts";
import { unwrapped, wrappingOf } from "./content.ts";

/** A blob that is wanted, and where from. */
export interface Download {
  readonly client: RegistryClient;
  readonly blob: Descriptor;
  readonly reading: BlobReading;
  readonly log: TransportLog;
}

/**
 * Opens a blob in the client's repository, behind its first `skipped` bytes.
 *
 * The stream survives connections that break: it goes on where it stood, in the same order, as long as
 * there is progress. Its content is checked by nobody here.
 */
export async function openDownload(download: Download, skipped = 0): Promise<ByteStream> {
  const first = skipped === 0 ? await requestWhole(download) : await requestRest(download, skipped);
  return resumed(download, first, skipped);
}

/** One answer's share of the blob. */
interface Part {
  readonly response: RegistryResponse;
  readonly content: ByteStream;
}

async function* resumed(
  download: Download,
  first: Part,
  skipped: number,
): AsyncGenerator<Uint8Array> {
  const { client, blob, reading } = download;
  const progress = new Progress(skipped);
  for (let part = first; ; part = await resume(download, part, progress.received)) {
    try {
      for await (const chunk of part.content) {
        progress.advance(chunk.length);
        yield chunk;
      }
      if (!endsTooEarly(part.response, blob, progress.received)) return;
      throw new Failure("unavailable", "unexpected EOF");
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "unavailable") throw error;
      const fruitless = progress.interrupted();
      if (fruitless >= limits.fruitlessResumptions) throw givenUp(failure, progress, blob);
      // The pauses are for a server in trouble; one that has sent something can be asked right away.
      const retry = { what: "download", reason: failure.message } as const;
      if (fruitless === 0) download.log.retrying?.({ ...retry, waitMs: 0 });
      else if (!(await client.pause(fruitless, { ...retry, signal: reading.signal }))) {
        throw givenUp(failure, progress, blob);
      }
      download.log.info(
        `Reading blob body from ${redactedUrl(part.response.url)} failed (${failure.message}), reconnecting after ${progress.received} bytes…`,
      );
    }
  }
}

/** A body whose end is the end of the connection may have lost its tail without a sign. */
function endsTooEarly(response: RegistryResponse, blob: Descriptor, received: number): boolean {
  return !response.headers.has("content-length") && received < (blob.size ?? 0);
}

function givenUp(failure: Failure, { received }: Progress, { size }: Descriptor): Failure {
  const of = size === undefined ? "" : ` of ${size}`;
  return new Failure(
    "unavailable",
    `${failure.message} (after ${received}${of} bytes; reconnecting brought no more)`,
    { hint: failure.hint, cause: failure },
  );
}

/** How far a download has come, and whether it still comes forward. */
class Progress {
  received: number;
  #fruitless = 0;
  #mark: number;
  #markedAt = performance.now();

  constructor(skipped: number) {
    this.received = skipped;
    this.#mark = skipped;
  }

  advance(bytes: number): void {
    this.received += bytes;
  }

  /** Notes that a connection broke, and returns how many in a row brought next to nothing. */
  interrupted(): number {
    const now = performance.now();
    const fruitful = this.received - this.#mark >= limits.slowBytes;
    // A trickle has used up the time of two connections that are silent.
    const cost = now - this.#markedAt >= limits.slowMs ? 2 : 1;
    this.#fruitless = fruitful ? 0 : this.#fruitless + cost;
    this.#mark = this.received;
    this.#markedAt = now;
    return this.#fruitless;
  }
}

/**
 * Opens the rest of a blob of which `received` bytes have been passed on.
 *
 * They cannot be taken back, but neither need they: whatever the server then sends from its start is
 * passed over up to there, and the digest judges the whole.
 */
async function resume(download: Download, last: Part, received: number): Promise<Part> {
  const wrapped = wrappingOf(last.response, download.blob.size) !== "none";
  if (received > 0 && !wrapped) return requestRest(download, received);
  return skipping(await requestWhole(download, true), received);
}

/** Asks for what is behind the first `received` bytes; whoever sends all is listened to from there on. */
async function requestRest(download: Download, received: number): Promise<Part> {
  const { blob } = download;
  const response = await request(download, { Range: `bytes=${received}-` });
  if (response.status === 206 && continuesAt(response.headers, received, blob.size)) {
    return { response, content: response.body };
  }
  if (response.status === 200) return skipping(await wholePart(response, blob), received);
  await response.discard();
  return skipping(await requestWhole(download, true), received);
}

function skipping({ response, content }: Part, count: number): Part {
  return { response, content: withoutStart(content, count) };
}

async function* withoutStart(bytes: ByteStream, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of bytes) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** Tells whether a part begins where we stand and ends where the blob does. */
function continuesAt(headers: Headers, received: number, size: number | undefined): boolean {
  if (headers.has("content-encoding")) return false;
  const header = headers.get("content-range") ?? "";
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header) ?? [];
  if (Number(first) !== received) return false;
  const end = Number(last) + 1;
  return (total === "*" || Number(total) === end) && (size === undefined || size === end);
}

async function requestWhole(download: Download, fresh = false): Promise<Part> {
  const { client, blob, reading } = download;
  const past = fresh || reading.fresh === true ? { "Cache-Control": "no-cache" } : {};
  const response = await request(download, past);
  if (response.status !== 200) throw (await client.failure(response, "fetching blob")).failure;
  return wholePart(response, blob);
}

async function wholePart(response: RegistryResponse, blob: Descriptor): Promise<Part> {
  try {
    return { response, content: unwrapped(response, wrappingOf(response, blob.size)) };
  } catch (error) {
    await response.discard();
    throw error;
  }
}

function request(
  { client, blob, reading }: Download,
  headers: Readonly<Record<string, string>>,
): Promise<RegistryResponse> {
  return client.request({
    method: "GET",
    target: `/v2/${client.repository}/blobs/${blob.digest}`,
    headers: { "Accept-Encoding": "identity", ...headers },
    ...(reading.signal === undefined ? {} : { signal: reading.signal }),
  });
}
