// Lookaside: OpenPGP signatures in a place beside the registry, in files that go by digest and number.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, posix } from "node:path";

import { collect } from "../../core/blob/collect.ts";
import { type Digest, digestAlgorithm, digestHex } from "../../core/content/digest.ts";
import type { DockerName } from "../../core/content/docker-name.ts";
import { during, Failure } from "../../core/failure.ts";
import { quoted, shown } from "../../core/foreign-text.ts";
import type { SignatureStorage } from "../../core/image/registry-access.ts";
import type { Signature } from "../../core/image/source.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { redactedUrl } from "../../core/redact.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { replaceFile } from "../shared/new-file.ts";
import { attempt } from "../shared/system.ts";
import { makeDirectories } from "../shared/temporary.ts";
import type { RegistryClient } from "./client.ts";

/** Whose signatures are meant, and where they are kept. */
export interface LookasidePlace {
  readonly name: DockerName;
  /** Of the manifest that they are about. */
  readonly digest: Digest;
  readonly storage: SignatureStorage;
}

/** Who reads from servers. */
export interface LookasideReader {
  readonly client: RegistryClient;
  readonly log: TransportLog;
}

/** Returns all signatures, up to the first number that is missing. */
export async function readLookaside(
  place: LookasidePlace,
  reader: LookasideReader,
): Promise<readonly Signature[]> {
  const base = place.storage.lookaside;
  if (base === undefined) return [];
  const signatures: Signature[] = [];
  let total = 0;
  for (let number = 1; ; number++) {
    const url = urlOf(base, place, number);
    const signature = await during(`reading signature from ${spelledUrl(url)}`, () =>
      read(url, reader),
    );
    if (signature === undefined) return signatures;
    total += signature.length;
    if (number >= limits.signatures || total > limits.signaturesBytes) {
      throw new Failure(
        "corrupt",
        `server provided ${number} signatures, assuming that's unreasonable and a server error`,
      );
    }
    signatures.push(signature);
  }
}

/**
 * Tells whether there may be signatures of a manifest. Of a list, those of its images count, too: then it is
 * about the whole repository. No server is asked: it may have some.
 */
export function mayHaveSignatures(place: LookasidePlace, isList: boolean): boolean {
  const { lookaside } = place.storage;
  if (lookaside === undefined) return false;
  const url = urlOf(lookaside, place, 1);
  if (url.protocol !== "file:") return true;
  const path = Bun.fileURLToPath(url);
  if (!isList) return existsSync(path);
  const [repositories, repository] = [
    dirname(dirname(path)),
    posix.basename(place.name.repository),
  ];
  if (!existsSync(repositories)) return false;
  return attempt(() => readdirSync(repositories)).some((entry) =>
    entry.startsWith(`${repository}@`),
  );
}

/** Returns why no signatures can be written there; undefined if they can. */
export function whyNotWritten(storage: SignatureStorage): string | undefined {
  const base = writingBase(storage);
  if (base === undefined) return "There is no place for signatures: registries.d names none";
  const protocol = URL.parse(base)?.protocol;
  switch (protocol) {
    case "file:":
      return undefined;
    case "http:":
    case "https:":
      return `Writing directly to a ${protocol.slice(0, -1)} lookaside URL is not supported. Configure a lookaside-staging: location`;
    default:
      return `Unsupported scheme when writing signature to ${quoted(base)}`;
  }
}

/** Writes signatures, these and no others. Fails with `unsupported` where none can be written. */
export async function writeLookaside(
  place: LookasidePlace,
  signatures: readonly Signature[],
): Promise<void> {
  for (const [index, signature] of signatures.entries()) {
    const path = writtenPath(place, index + 1);
    makeDirectories(dirname(path));
    await during(`writing signature ${path}`, () => replaceFile(path, signature));
  }
  removeFrom(place, signatures.length + 1);
}

/** Removes all signatures. Fails with `unsupported` where none could have been written. */
export function removeLookaside(place: LookasidePlace): void {
  removeFrom(place, 1);
}

function removeFrom(place: LookasidePlace, first: number): void {
  for (let number = first; number <= limits.signatures; number++) {
    const path = writtenPath(place, number);
    if (!existsSync(path)) return;
    attempt(() => rmSync(path));
  }
}

function writtenPath(place: LookasidePlace, number: number): string {
  const why = whyNotWritten(place.storage);
  const base = writingBase(place.storage);
  if (why !== undefined || base === undefined) throw new Failure("unsupported", why ?? "");
  return Bun.fileURLToPath(urlOf(base, place, number));
}

function writingBase({ lookaside, lookasideStaging }: SignatureStorage): string | undefined {
  return lookasideStaging ?? lookaside;
}

function parseBase(base: string): URL {
  const url = URL.parse(base);
  if (url !== null) return url;
  throw new Failure("config", `Invalid signature storage URL ${quoted(base)}`, {
    hint: "look at lookaside and lookaside-staging in registries.d",
  });
}

function urlOf(base: string, { name, digest }: LookasidePlace, number: number): URL {
  const url = parseBase(base);
  const directory = `${name.repository}@${digestAlgorithm(digest)}=${digestHex(digest)}`;
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${directory}/signature-${number}`;
  return url;
}

/** Only what goes over a network may hold secrets. */
function spelledUrl(url: URL): string {
  return url.protocol === "file:" ? url.href : redactedUrl(url);
}

async function read(url: URL, reader: LookasideReader): Promise<Signature | undefined> {
  switch (url.protocol) {
    case "file:":
      return readFile(Bun.fileURLToPath(url));
    case "http:":
    case "https:":
      return download(url, reader);
    default:
      throw new Failure("config", "Unsupported scheme when reading signature from URL");
  }
}

async function readFile(path: string): Promise<Signature | undefined> {
  try {
    return await readSmallFile(path, limits.signatureBytes);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  if (!(cause instanceof Error && "code" in cause)) return false;
  return cause.code === "ENOENT" || cause.code === "ENOTDIR";
}

async function download(
  url: URL,
  { client, log }: LookasideReader,
): Promise<Signature | undefined> {
  const response = await client.readBeside(url);
  const { status, statusText, headers } = response;
  if (status === 404) {
    await response.discard();
    return undefined;
  }
  if (status !== 200) {
    await response.discard();
    throw new Failure(
      "refused",
      `received unexpected HTTP status: ${status} ${shown(statusText)}`.trimEnd(),
    );
  }
  if (headers.get("content-type")?.startsWith("text/html") === true) {
    log.warn(
      `Signature ${quoted(redactedUrl(url))} has Content-Type text/html, unexpected for a signature`,
    );
  }
  return collect(response.body, limits.signatureBytes);
}
