// Targets: the places that images are copied to.

import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Digest } from "../content/digest.ts";
import { fullRepository, parseDockerName } from "../content/docker-name.ts";
import { asFailure, Failure, inContext } from "../failure.ts";
import type { ImageReference, Transport, TransportContext } from "../image/transport.ts";

/** The place that all images of a run are copied to. */
export interface SyncPlace {
  readonly transport: Transport;
  readonly context: TransportContext;
  /** Whether images in directories may be replaced by others. */
  readonly overwrites: boolean;
  /** Returns what a target is called before people; absent: by its reference. */
  readonly shown?: ((name: string) => string) | undefined;
}

/** Returns the reference that a target's name means there. Fails with `usage`. */
export function parseTarget(name: string, { transport }: SyncPlace): ImageReference {
  const text = transport.name === "docker" ? `//${name}` : name;
  try {
    return transport.parseReference(text);
  } catch (error) {
    throw inContext(
      `Cannot obtain a valid image reference for transport ${JSON.stringify(transport.name)} and reference ${JSON.stringify(text)}`,
      error,
    );
  }
}

/**
 * Makes the directories that a target needs before it can be named. Disposing takes away those of them into
 * which nothing was put.
 */
export function prepareTarget(name: string, { transport }: SyncPlace): Disposable {
  if (transport.name === "docker") return { [Symbol.dispose]: () => {} };
  const [path = ""] = transport.name === "dir" ? [name] : name.split(":", 1);
  const made = makeDirectories(resolve(dirname(path)));
  return { [Symbol.dispose]: () => removeEmpty(made) };
}

/** Returns those that were not there, deepest first. */
function makeDirectories(deepest: string): readonly string[] {
  try {
    const highest = mkdirSync(deepest, { recursive: true, mode: 0o755 });
    if (highest === undefined) return [];
    const made = [deepest];
    for (let each = deepest; each !== highest; each = dirname(each)) made.push(dirname(each));
    return made;
  } catch (error) {
    throw unusable(error);
  }
}

function removeEmpty(directories: readonly string[]): void {
  for (const path of directories) {
    try {
      rmdirSync(path);
    } catch (error) {
      // Something was put there, or others were faster.
      if (asFailure(error).code !== "io") throw error;
    }
  }
}

/**
 * Fails with `refused` if a directory holds something that is not to be written over, in the original's
 * words. What a run of this program has left unfinished is.
 */
export function checkWritable(name: string, { transport, overwrites }: SyncPlace): void {
  if (transport.name !== "dir" || overwrites) return;
  if (isUnfinished(namesIn(name))) return;
  throw new Failure(
    "refused",
    `Refusing to overwrite destination directory ${JSON.stringify(name)}`,
    { hint: "it holds another image or something else; to replace images, add --overwrite" },
  );
}

/** Tells whether a run of this program has begun an image, and nobody has finished it. */
function isUnfinished(names: readonly string[]): boolean {
  const others = names.filter((name) => !name.startsWith(".dray-"));
  if (others.length === 0) return true;
  if (others.length === names.length || others.includes("version")) return false;
  return others.every((name) => partOfImage.test(name));
}

/** Blobs, manifests and signatures, as they are called in a directory. */
const partOfImage =
  /^(?:(?:sha(?:384|512)-)?[0-9a-f]{64,128}(?:\.manifest\.json|\.signature-\d+)?|manifest\.json|signature-\d+)$/;

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw unusable(error);
  }
}

function unusable(error: unknown): Failure {
  const { message, hint } = asFailure(error);
  return new Failure("io", `Destination directory could not be used: ${message}`, { hint });
}

/** Tells whether a registry holds a manifest beside the one that a name leads to. */
export async function holdsBeside(
  { docker }: ImageReference,
  digest: Digest,
  { transport, context }: SyncPlace,
): Promise<boolean> {
  // Others hold the images of a list together with the list only.
  if (transport.name !== "docker" || docker === undefined) return false;
  const name = parseDockerName(docker);
  const beside = transport.parseReference(`//${fullRepository(name)}@${digest}`);
  return (await beside.glance?.(context, "destination"))?.digest === digest;
}
