// Referrers: what a registry keeps about an image, such as bundles with signatures.
//
// See https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers

import { collect } from "../../core/blob/collect.ts";
import type { Digest } from "../../core/content/digest.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { DockerName } from "../../core/content/docker-name.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { asFailure, during, Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { RawManifest } from "../../core/image/source.ts";
import { limits } from "../../core/limits.ts";
import { possibleReferrers, readListed, referrersTag } from "../shared/referrers.ts";
import type { RegistryClient, RegistryResponse } from "./client.ts";
import { unwrapped, wrappingOf } from "./content.ts";
import { readManifest } from "./manifest.ts";

/** What is looked for, and who asks. */
export interface ReferrersWish {
  readonly client: RegistryClient;
  /** The repository; its own tag or digest does not matter. */
  readonly name: DockerName;
  /** Of the manifest that they are to be about. */
  readonly digest: Digest;
  readonly artifactType: string;
}

/** Reads manifests that are listed as being about another one, by the registry or under a tag. */
export async function readReferrers(wish: ReferrersWish): Promise<readonly RawManifest[]> {
  const { client, name } = wish;
  return during("reading referrers", async () => {
    const { listed } = await listReferrers(wish);
    return readListed(listed, (reference) => readManifest({ client, name, reference }));
  });
}

/** Returns manifests that are said to be about another one, and whether the registry itself says so. */
export async function listReferrers(
  wish: ReferrersWish,
): Promise<{ readonly by: "registry" | "tag"; readonly listed: readonly Descriptor[] }> {
  const listed = await listedByRegistry(wish);
  if (listed !== undefined) return { by: "registry", listed };
  return { by: "tag", listed: await listedUnderTag(wish) };
}

/** By these, registries say that they list no referrers by themselves. */
const unknown: ReadonlySet<number> = new Set([400, 404, 405, 501]);

async function listedByRegistry(wish: ReferrersWish): Promise<readonly Descriptor[] | undefined> {
  const { client, digest, artifactType } = wish;
  const query = `artifactType=${encodeURIComponent(artifactType)}`;
  let target: string | undefined = `/v2/${client.repository}/referrers/${digest}?${query}`;
  const listed: Descriptor[] = [];
  const seen = new Set<string>();
  while (target !== undefined) {
    if (seen.has(target) || seen.size >= limits.referrers) {
      throw new Failure("refused", `the list of referrers of ${client.host} does not end`);
    }
    seen.add(target);
    const headers = { Accept: manifestTypes.ociIndex, "Accept-Encoding": "identity" };
    const response: RegistryResponse = await client.request({ method: "GET", target, headers });
    if (listed.length === 0 && unknown.has(response.status)) {
      await response.discard();
      return undefined;
    }
    if (response.status !== 200) throw (await client.failure(response, "listing them")).failure;
    const next = nextTarget(response);
    const bytes = await collect(unwrapped(response, wrappingOf(response)), limits.manifestBytes);
    const page = { bytes, mediaType: manifestTypes.ociIndex };
    for (const each of possibleReferrers(page, artifactType)) listed.push(each);
    target = next;
  }
  return listed;
}

async function listedUnderTag(wish: ReferrersWish): Promise<readonly Descriptor[]> {
  const raw = await findTagged(wish);
  const isIndex = raw?.mediaType === manifestTypes.ociIndex;
  return isIndex ? possibleReferrers(raw, wish.artifactType) : [];
}

/** Returns what is under the tag of an index of referrers; undefined if nothing is. */
export async function findTagged({
  client,
  name,
  digest,
}: Pick<ReferrersWish, "client" | "name" | "digest">): Promise<RawManifest | undefined> {
  try {
    return await readManifest({ client, name, reference: referrersTag(digest) });
  } catch (error) {
    if (asFailure(error).code === "not-found") return undefined;
    throw error;
  }
}

/** Whatever host a link names, nobody but the registry is asked, and nothing outside of its interface. */
function nextTarget({ headers, url }: RegistryResponse): string | undefined {
  const [, link] = /^\s*<([^>]*)>/.exec(headers.get("link") ?? "") ?? [];
  if (link === undefined || link === "") return undefined;
  const next = URL.parse(link, url.href);
  if (next !== null && next.pathname.startsWith("/v2/")) return next.pathname + next.search;
  throw new Failure(
    "refused",
    `${url.host} links to a next page outside of its interface, ${quoted(link)}`,
  );
}
