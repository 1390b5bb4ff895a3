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
    const listed = (await listedByRegistry(wish)) ?? (await listedUnderTag(wish));
    return readListed(listed, (reference) => readManifest({ client, name, reference }));
  });
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
  const { client, name, digest, artifactType } = wish;
  try {
    const raw = await readManifest({ client, name, reference: referrersTag(digest) });
    return raw.mediaType === manifestTypes.ociIndex ? possibleReferrers(raw, artifactType) : [];
  } catch (error) {
    if (asFailure(error).code === "not-found") return [];
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
