// Expansion: from what was named as a source to the images that it means.

import { isDigest } from "../content/digest.ts";
import {
  type DockerName,
  fullName,
  fullRepository,
  isTag,
  parseDockerName,
} from "../content/docker-name.ts";
import { asFailure, Failure, inContext } from "../failure.ts";
import type { ImageReference, Transport, TransportContext } from "../image/transport.ts";
import { limits } from "../limits.ts";
import { imageDirectories } from "./directory-images.ts";
import { parseGoRegexp } from "./go-regexp.ts";
import { parseConstraint, parseVersion } from "./semver.ts";
import {
  everyTag,
  type SyncFileRegistry,
  type TagFilter,
  type WantedRepository,
} from "./sync-file.ts";
import type { SyncGroup, SyncImage, SyncLog } from "./sync-image.ts";
import { chosenImages, type TagChoice, tagChoice } from "./tag-filter.ts";
import { TagLists } from "./tag-lists.ts";

/** What expanding rests on. */
export interface Expansion {
  /** Images in registries. */
  readonly docker: Transport;
  readonly log: SyncLog;
  /** Does what may be done again after it failed. */
  readonly retrying: <T>(work: () => Promise<T>) => Promise<T>;
  /** Holds for all tags, together with what a file says about them. */
  readonly filter: TagFilter;
  /** Hears of what is named and came to nothing; that nobody wants it does not follow. */
  readonly missed: (name: string) => void;
}

/** Expands the name of an image or of a whole repository in a registry. */
export async function expandRepository(
  source: string,
  context: TransportContext,
  expansion: Expansion,
): Promise<readonly SyncGroup[]> {
  const { log } = expansion;
  const name = parseSource(source);
  const tagged = name.tag !== undefined || name.digest !== undefined;
  log.info("Tag presence check", { imagename: source, tagged: String(tagged) });
  if (!tagged) log.info("Getting tags", { image: fullRepository(name) });
  const tags = tagged ? [] : await listTags(name, context, expansion);
  const images = tagged
    ? [imageOf(name, context, expansion)]
    : tagChoice(expansion.filter)(tags).map((tag) => imageOf({ ...name, tag }, context, expansion));
  if (images.length === 0) throw nothingFound(source);
  return [{ images }];
}

function parseSource(source: string): DockerName {
  try {
    return parseDockerName(source);
  } catch (error) {
    throw inContext(
      `Cannot obtain a valid image reference for transport "docker" and reference ${JSON.stringify(source)}`,
      error,
    );
  }
}

/** Expands a directory to the images that lie below it. */
export function expandDirectory(
  source: string,
  context: TransportContext,
  { dir, filter }: { readonly dir: Transport; readonly filter: TagFilter },
): readonly SyncGroup[] {
  const found = imageDirectories(source).map((path): SyncImage => {
    const base = path.split("/").findLast((part) => part !== "") ?? path;
    const tag = base.includes("@") ? undefined : base.slice(base.lastIndexOf(":") + 1);
    const below = path.startsWith(source) ? path.slice(source.length) : path;
    const reference = dir.parseReference(path);
    const suffix = below === "" ? lastPart(source) : below;
    const inside = suffix.replace(/^\/+/, "");
    return { reference, context, path: suffix, below: inside, ...(tag !== undefined && { tag }) };
  });
  const images = chosenImages(found, tagChoice(filter));
  if (images.length === 0) throw nothingFound(source);
  return [{ images }];
}

/** Expands a layout, or an archive of one, to the images that have a name there. */
export async function expandLayout(
  source: string,
  context: TransportContext,
  { transport, filter }: { readonly transport: Transport; readonly filter: TagFilter },
): Promise<readonly SyncGroup[]> {
  const texts = (await transport.listImages?.(source, context)) ?? [];
  const found = texts.flatMap((text): readonly SyncImage[] => {
    const name = text.slice(source.length + 1);
    if (name.startsWith("@")) return [];
    const tag = name.includes("@") ? undefined : name.slice(name.lastIndexOf(":") + 1);
    const reference = transport.parseReference(text);
    return [{ reference, context, path: name, below: name, ...(tag !== undefined && { tag }) }];
  });
  const images = chosenImages(found, tagChoice(filter));
  if (images.length === 0) throw nothingFound(source);
  return [{ images }];
}

function lastPart(path: string): string {
  return path.split("/").findLast((part) => part !== "") ?? "/";
}

function nothingFound(source: string): Failure {
  return new Failure("refused", `No images to sync found in ${JSON.stringify(source)}`);
}

/** Returns how the registry of one section of a file is spoken to. */
export type SectionContext = (section: SyncFileRegistry) => TransportContext;

/**
 * Expands what a file says, in its order. What cannot be had is said and passed over, as the original
 * does.
 */
export async function expandFile(
  sections: readonly SyncFileRegistry[],
  contextOf: SectionContext,
  expansion: Expansion,
): Promise<readonly SyncGroup[]> {
  const groups: SyncGroup[] = [];
  for (const section of sections) {
    const { registry, images, patterns, constraints } = section;
    if (images.length + patterns.length + constraints.length === 0) {
      expansion.log.warn("No images specified for registry", { registry });
      expansion.missed(registry);
      continue;
    }
    const context = contextOf(section);
    groups.push(...(await new Section(section, context, expansion).expand()));
  }
  return groups;
}

class Section {
  readonly #lists = new TagLists(limits.parallelImages);
  readonly #section: SyncFileRegistry;
  readonly #context: TransportContext;
  readonly #expansion: Expansion;

  constructor(section: SyncFileRegistry, context: TransportContext, expansion: Expansion) {
    this.#section = section;
    this.#context = context;
    this.#expansion = expansion;
  }

  async expand(): Promise<readonly SyncGroup[]> {
    const { images, patterns, constraints } = this.#section;
    this.#askAhead([
      ...images.flatMap(({ repository, wanted }) => (wanted.length === 0 ? [repository] : [])),
      ...[...patterns, ...constraints].map(([repository]) => repository),
    ]);
    const groups: SyncGroup[] = [];
    for (const each of images) groups.push(...(await this.#named(each)));
    for (const [repository, choice] of this.#compiled(patterns, patternChoice)) {
      groups.push(...(await this.#chosen(repository, choice)));
    }
    for (const [repository, choice] of this.#compiled(constraints, constraintChoice)) {
      groups.push(...(await this.#chosen(repository, choice)));
    }
    return groups;
  }

  /** What the repositories answer is told when it is their turn. */
  #askAhead(repositories: readonly string[]): void {
    for (const repository of repositories) {
      const name = this.#nameOf(repository);
      if (typeof name !== "string") void this.#listTags(name);
    }
  }

  #listTags(name: DockerName): Promise<readonly string[]> {
    return this.#lists.of(fullRepository(name), () =>
      listTags(name, this.#context, this.#expansion),
    );
  }

  /** One that is broken takes all of its kind with it. */
  #compiled(
    wishes: readonly (readonly [string, string])[],
    compile: (text: string) => TagChoice,
  ): readonly (readonly [string, TagChoice])[] {
    try {
      return wishes.map(([repository, text]) => [repository, compile(text)] as const);
    } catch (error) {
      this.#expansion.log.error(asFailure(error).message);
      for (const [repository] of wishes) this.#miss(repository);
      return [];
    }
  }

  async #named({ repository, wanted, filter }: WantedRepository): Promise<readonly SyncGroup[]> {
    if (wanted.length === 0) return this.#chosen(repository, everyImage, filter);
    const name = this.#begin(repository);
    if (name === undefined) return [];
    const images = wanted.flatMap(({ reference, to }): readonly SyncImage[] => {
      const found = this.#imageNamed(name, reference);
      return found === undefined ? [] : [{ ...found, ...(to !== undefined && { to }) }];
    });
    return this.#group(repository, chosenImages(images, this.#choiceWith(filter)));
  }

  #choiceWith(filter: TagFilter): TagChoice {
    return tagChoice(filter, this.#section.filter, this.#expansion.filter);
  }

  #imageNamed(name: DockerName, reference: string): SyncImage | undefined {
    if (isDigest(reference)) {
      return imageOf({ ...name, digest: reference }, this.#context, this.#expansion);
    }
    if (isTag(reference)) {
      return imageOf({ ...name, tag: reference }, this.#context, this.#expansion);
    }
    const { log, missed } = this.#expansion;
    log.error("Error parsing ref, skipping", { ref: reference });
    log.error("invalid tag format");
    missed(`${fullRepository(name)}:${reference}`);
    return undefined;
  }

  /** Takes those of a repository's tags that are chosen. */
  async #chosen(
    repository: string,
    choice: TagChoice,
    filter: TagFilter = everyTag,
  ): Promise<readonly SyncGroup[]> {
    const { registry } = this.#section;
    const { log } = this.#expansion;
    const name = this.#begin(repository);
    if (name === undefined) return [];
    log.info("Querying registry for image tags", { registry, repo: repository });
    log.info("Getting tags", { image: fullRepository(name) });
    try {
      const tags = await this.#listTags(name);
      // A registry that has lost everything may answer so.
      if (tags.length === 0) this.#miss(repository);
      const chosen = this.#choiceWith(filter)(choice(tags));
      return this.#group(
        repository,
        chosen.map((tag) => imageOf({ ...name, tag }, this.#context, this.#expansion)),
      );
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === "canceled" || failure.code === "bug") throw failure;
      log.error("Error processing repo, skipping", { registry, repo: repository });
      log.error(failure.message);
      this.#miss(repository);
      return [];
    }
  }

  #begin(repository: string): DockerName | undefined {
    const { registry } = this.#section;
    const { log } = this.#expansion;
    const name = this.#nameOf(repository);
    if (typeof name !== "string") {
      log.info("Processing repo", { registry, repo: repository });
      return name;
    }
    log.error("Error parsing repository name, skipping", { registry, repo: repository });
    log.error(name);
    this.#miss(repository);
    return undefined;
  }

  #miss(repository: string): void {
    this.#expansion.missed(`${this.#section.registry}/${repository}`);
  }

  /** Returns the name of a repository, or why it is none. */
  #nameOf(repository: string): DockerName | string {
    try {
      const name = parseDockerName(`${this.#section.registry}/${repository}`);
      const bare = name.tag === undefined && name.digest === undefined;
      return bare ? name : "input names a reference, not a repository";
    } catch (error) {
      return asFailure(error).message;
    }
  }

  #group(repository: string, images: readonly SyncImage[]): readonly SyncGroup[] {
    if (images.length > 0) return [{ images }];
    const { registry } = this.#section;
    this.#expansion.log.warn("No refs to sync found", { registry, repo: repository });
    return [];
  }
}

function patternChoice(text: string): TagChoice {
  const pattern = parseGoRegexp(text);
  return (tags) => tags.filter((tag) => pattern.test(tag));
}

function constraintChoice(text: string): TagChoice {
  const allowed = parseConstraint(text);
  return tagChoiceBy((tag) => {
    const version = parseVersion(tag);
    return version !== undefined && allowed(version);
  });
}

function tagChoiceBy(wants: (tag: string) => boolean): TagChoice {
  return (tags) => tags.filter(wants);
}

async function listTags(
  name: DockerName,
  context: TransportContext,
  { docker, retrying }: Expansion,
): Promise<readonly string[]> {
  const repository = fullRepository(name);
  // Tags are listed by the name of any image there.
  const { listTags: list } = docker.parseReference(`//${fullName({ ...name, tag: "latest" })}`);
  try {
    const tags = await retrying(async () => list?.(context));
    if (tags !== undefined) return tags;
    throw new Failure("refused", "fetching tags list: the registry does not disclose it");
  } catch (error) {
    throw inContext(`Error determining repository tags for repo ${repository}`, error);
  }
}

function imageOf(name: DockerName, context: TransportContext, { docker }: Expansion): SyncImage {
  const reference: ImageReference = docker.parseReference(`//${fullName(name)}`);
  return {
    reference,
    context,
    path: fullName(name),
    below: fullName(name).slice(name.host.length + 1),
    ...(name.digest === undefined && name.tag !== undefined && { tag: name.tag }),
  };
}

const everyImage: TagChoice = (tags) => tags;
