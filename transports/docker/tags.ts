// Tags: the list of those in a repository.

import { collect } from "../../core/blob/collect.ts";
import { isDigest } from "../../core/content/digest.ts";
import { type DockerName, fullRepository, isTag } from "../../core/content/docker-name.ts";
import { Failure, during, inContext } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { TagList, TransportContext } from "../../core/image/transport.ts";
import { isJsonObject, type Json, memberOf, parseForeignJson } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import type { RegistryClient, RegistryResponse } from "./client.ts";
import { connect } from "./connection.ts";
import { unwrapped, wrappingOf } from "./content.ts";

/** Lists the tags of a repository, in the registry's order. */
export async function listTags(name: DockerName, context: TransportContext): Promise<TagList> {
  const tags = await during("Error listing repository tags", () => readTags(name, context));
  return { repository: fullRepository(name), tags };
}

/** Returns the tags beside an image, or undefined if the registry does not disclose them. */
export async function disclosedTags(
  name: DockerName,
  context: TransportContext,
): Promise<readonly string[] | undefined> {
  try {
    return await readTags(name, context);
  } catch (error) {
    if (error instanceof Undisclosed) return undefined;
    throw error;
  }
}

/** A registry's refusal to list tags, where the image itself may be read. */
class Undisclosed extends Failure {}

async function readTags(name: DockerName, context: TransportContext): Promise<string[]> {
  await using client = await during("failed to create client", () =>
    connect(name, "pull", context),
  );
  const tags: string[] = [];
  const seen = new Set<string>();
  let target: string | undefined = `/v2/${client.repository}/tags/list`;
  for (let pages = 0; target !== undefined; pages++) {
    // A page that was there already would be followed by the same pages for ever.
    if (seen.has(target)) throw endless(client, "leads back to a page that was read already");
    if (pages >= limits.tagsPages) throw endless(client, `has more than ${limits.tagsPages} pages`);
    seen.add(target);
    const page = await readPage(client, target);
    for (const tag of page.tags) tags.push(tag);
    target = page.next;
  }
  return tags;
}

interface TagPage {
  readonly tags: readonly string[];
  /** The target of the next page, if there is one. */
  readonly next: string | undefined;
}

async function readPage(client: RegistryClient, target: string): Promise<TagPage> {
  const response = await client.request({ method: "GET", target });
  if (response.status !== 200) throw await refusal(client, response);
  const next = nextTarget(response);
  const bytes = await during("decoding tag list response", () =>
    collect(unwrapped(response, wrappingOf(response)), limits.tagsPageBytes),
  );
  return { tags: parseTags(bytes), next };
}

async function refusal(client: RegistryClient, response: RegistryResponse): Promise<Failure> {
  const what = "fetching tags list";
  const { failure, code } = await client.failure(response, what);
  const { message, hint } = failure;
  // The second is how public.ecr.aws says that it has no such list.
  const undisclosed =
    code === "DENIED" || (code === "UNKNOWN" && message.endsWith(": 404 page not found"));
  return undisclosed ? new Undisclosed(failure.code, message, { hint }) : failure;
}

/** Reads the tags of one page. They become file names and parts of requests: none is taken as it comes. */
function parseTags(bytes: Uint8Array): string[] {
  const page = parsePage(bytes);
  const listed = (isJsonObject(page) ? memberOf(page, "tags") : undefined) ?? [];
  if (!Array.isArray(listed)) throw malformed("tags are not a list");
  return listed.flatMap((tag: Json) => {
    if (typeof tag !== "string") throw malformed("a tag is not text");
    if (tag === "" || isDigest(tag)) return [];
    if (isTag(tag)) return [tag];
    throw new Failure(
      "refused",
      `registry returned invalid tag ${quoted(tag)}: invalid tag format`,
    );
  });
}

function parsePage(bytes: Uint8Array): Json {
  try {
    return parseForeignJson(bytes);
  } catch (error) {
    throw inContext("decoding tag list response", error);
  }
}

function malformed(what: string): Failure {
  return new Failure("corrupt", `decoding tag list response: ${what}`);
}

/**
 * Returns where the next page is. Only path and query of the link count: whatever host it names, nobody
 * but the registry is asked, and nothing outside of its interface.
 */
function nextTarget({ headers, url }: RegistryResponse): string | undefined {
  const [, link] = /^\s*<([^>]*)>/.exec(headers.get("link") ?? "") ?? [];
  if (link === undefined || link === "") return undefined;
  const next = URL.parse(link, url.href);
  if (next === null || !next.pathname.startsWith("/v2/")) {
    throw new Failure(
      "refused",
      `fetching tags list: ${url.host} links to a next page outside of its interface, ${quoted(link)}`,
    );
  }
  return next.pathname + next.search;
}

function endless({ host }: RegistryClient, what: string): Failure {
  return new Failure("refused", `fetching tags list: the list of ${host} ${what}`);
}
