// Pruning: what a destination holds beyond what it is to hold.

import { rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Digest } from "../content/digest.ts";
import {
  type DockerName,
  fullName,
  fullRepository,
  parseDockerName,
} from "../content/docker-name.ts";
import { isListType } from "../content/media-types.ts";
import { asFailure, Failure, inContext } from "../failure.ts";
import { spelled } from "../image/name.ts";
import type { ImageReference, Transport, TransportContext } from "../image/transport.ts";
import { parseManifest } from "../manifest/manifest.ts";
import { Candidate } from "../trust/gate.ts";
import { imageDirectories } from "./directory-images.ts";
import { parseTarget, type SyncPlace } from "./target.ts";

/** Something that is too much. */
export interface Surplus {
  /** What it is called, for people. */
  readonly name: string;
  /** Takes it away; what others share stays. Fails where it cannot be taken away alone. */
  remove(): Promise<void>;
}

/** What is to be held, and where. */
export interface PruneRequest {
  /** The destination of all images, in the user's words. */
  readonly destination: string;
  /** The names of all that are to be held there. */
  readonly targets: readonly string[];
  readonly place: SyncPlace;
}

/**
 * Finds what is not to be held: tags beside those of the targets in their repositories, image directories
 * below the destination, images of the layout. Nothing outside of these is looked at.
 */
export async function findSurplus(request: PruneRequest): Promise<readonly Surplus[]> {
  switch (request.place.transport.name) {
    case "docker":
      return surplusTags(request);
    case "dir":
      return surplusDirectories(request);
    default:
      return surplusInLayout(request);
  }
}

async function surplusTags({ targets, place }: PruneRequest): Promise<readonly Surplus[]> {
  const kept = new Map<string, DockerName[]>();
  for (const target of targets) {
    const name = parseDockerName(parseTarget(target, place).docker ?? "");
    const beside = kept.get(fullRepository(name));
    if (beside === undefined) kept.set(fullRepository(name), [name]);
    else beside.push(name);
  }
  const at = (name: DockerName) => place.transport.parseReference(`//${fullName(name)}`);
  const found: Surplus[] = [];
  for (const [repository, names] of kept) {
    const tags = new Set(names.map(({ tag }) => tag));
    for (const tag of await tagsIn(repository, place)) {
      if (tags.has(tag) || isAttachment(tag)) continue;
      const surplus = at({ ...parseDockerName(repository), tag });
      found.push({
        name: spelled(surplus),
        remove: () => removeTag(surplus, names.map(at), place),
      });
    }
  }
  return found;
}

async function tagsIn(
  repository: string,
  { transport, context }: SyncPlace,
): Promise<readonly string[]> {
  const name: DockerName = { ...parseDockerName(repository), tag: "latest" };
  const reference = transport.parseReference(`//${repository}:${name.tag}`);
  try {
    const tags = await reference.listTags?.(context);
    if (tags !== undefined) return tags;
    throw new Failure("refused", "the registry does not disclose its tags");
  } catch (error) {
    // Where nothing could be written, there is nothing to remove.
    if (/name not known|name unknown/.test(asFailure(error).message)) return [];
    throw inContext(`looking for what ${repository} holds besides`, error);
  }
}

/** Signatures and the like lie beside an image, under a tag made of its digest. */
function isAttachment(tag: string): boolean {
  return /^sha(256|384|512)-[0-9a-f]{64,128}(\.|$)/.test(tag);
}

/**
 * Registries that cannot remove a tag alone remove an image with all its tags, and from under the lists that
 * have it: then none of those may be kept.
 */
async function removeTag(
  surplus: ImageReference,
  kept: readonly ImageReference[],
  { context }: SyncPlace,
): Promise<void> {
  try {
    await surplus.deleteTag?.(context);
    return;
  } catch (error) {
    const { code } = asFailure(error);
    if (code !== "unsupported" && code !== "refused") throw error;
  }
  const own = (await surplus.glance?.(context, "destination"))?.digest;
  for (const each of kept) {
    if (own !== undefined && !(await needs(each, own, context))) continue;
    throw new Failure(
      "unsupported",
      `${spelled(surplus)} cannot be removed alone: ${spelled(each)} is the same image, or has it`,
    );
  }
  await surplus.deleteImage?.(context);
}

/** Tells whether a name leads to an image, or to a list that has it. */
async function needs(
  name: ImageReference,
  image: Digest,
  context: TransportContext,
): Promise<boolean> {
  const there = (await name.glance?.(context, "destination"))?.digest;
  if (there === undefined || there === image) return there !== undefined;
  await using source = await name.openSource(context);
  return lists(new Candidate(source), image, 0);
}

/** Lists within lists end somewhere. */
const depthLimit = 8;

async function lists(candidate: Candidate, image: Digest, depth: number): Promise<boolean> {
  const manifest = parseManifest(await candidate.manifest());
  if (manifest.kind !== "list") return false;
  if (depth > depthLimit) throw new Failure("corrupt", "Image lists are too deep");
  for (const { digest, mediaType } of manifest.instances) {
    if (digest === image) return true;
    if (!isListType(mediaType)) continue;
    if (await lists(candidate.pick(digest), image, depth + 1)) return true;
  }
  return false;
}

async function surplusDirectories(request: PruneRequest): Promise<readonly Surplus[]> {
  const { destination, targets, place } = request;
  // Those around a wanted image are wanted, too.
  const kept = new Set(targets.flatMap((target) => upwards(resolve(target))));
  const found: Surplus[] = [];
  for (const path of directoriesIn(destination)) {
    const full = resolve(path);
    if (kept.has(full)) continue;
    const reference = place.transport.parseReference(path);
    // What is no whole image may be anything.
    if ((await reference.glance?.(place.context, "destination")) === undefined) continue;
    found.push({
      name: spelled(reference),
      remove: async () => rmSync(full, { recursive: true }),
    });
  }
  return found;
}

/** Returns a path and the ones above it. */
function upwards(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...upwards(above)];
}

function directoriesIn(destination: string): readonly string[] {
  try {
    return imageDirectories(destination);
  } catch (error) {
    if (asFailure(error).message.endsWith("no such file or directory")) return [];
    throw error;
  }
}

async function surplusInLayout(request: PruneRequest): Promise<readonly Surplus[]> {
  const { destination, targets, place } = request;
  const { transport, context } = place;
  const kept = new Set(targets);
  const texts = await imagesIn(destination, transport, context);
  const references = texts
    .filter((text) => !kept.has(text) && !isAttachment(text.slice(destination.length + 1)))
    .map((text) => transport.parseReference(text));
  // Positions of those before stay what they are when the last one goes first.
  return references.toReversed().map((reference) => ({
    name: spelled(reference),
    remove: async () => reference.deleteImage?.(context),
  }));
}

async function imagesIn(
  place: string,
  { listImages }: Transport,
  context: TransportContext,
): Promise<readonly string[]> {
  try {
    return (await listImages?.(place, context)) ?? [];
  } catch (error) {
    if (asFailure(error).message.endsWith("no such file or directory")) return [];
    throw error;
  }
}
