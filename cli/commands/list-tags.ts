// dray list-tags: the tags of a repository.

import { Failure } from "../../core/failure.ts";
import type { TagList, Transport, TransportTable } from "../../core/image/transport.ts";
import { encodeJson } from "../../core/json.ts";
import { transports } from "../../transports/table.ts";
import { defineTool } from "../command.ts";
import { contextOf } from "../compose.ts";
import { registryFlags, retryFlags } from "../flags/image.ts";
import { print } from "../output/print.ts";
import type { Program } from "../program.ts";
import { retrying } from "../retrying.ts";

/** Prints the tags of a repository as JSON. */
export const listTags = defineTool({
  name: "list-tags",
  usage: "list-tags [command options] SOURCE-IMAGE",
  summary: "List tags in the transport/repository specified by the SOURCE-IMAGE",
  description,
  examples: ["list-tags docker://docker.io/fedora"],
  flags: { registry: registryFlags(""), retry: retryFlags },
  async run(call) {
    const { operands, flags } = call;
    const [source] = operands;
    if (source === undefined || operands.length !== 1) {
      throw call.misuse("Exactly one non-option argument expected");
    }
    const context = contextOf(call, { flags: flags.registry });
    const { text, list } = tagSource(source, transports);
    const found = await retrying(call, flags.retry, () => list(text, context));
    await print(`${encodeJson(output(found), "    ")}\n`);
  },
});

function description(program: Program): string {
  const manual =
    program === "skopeo"
      ? `See skopeo-list-tags(1) section "REPOSITORY NAMES" for the expected format`
      : "A repository looks like docker://registry/repository";
  return `Return the list of tags from the transport/repository "SOURCE-IMAGE"

Supported transports:
${able(transports).join(" ")}

${manual}`;
}

function output({ repository, tags }: TagList) {
  return { Repository: repository, Tags: tags ?? null };
}

interface TagSource {
  /** What follows the colon. */
  readonly text: string;
  readonly list: NonNullable<Transport["listTags"]>;
}

function tagSource(source: string, table: TransportTable): TagSource {
  const colon = source.indexOf(":");
  const name = source.slice(0, Math.max(0, colon));
  const transport = Object.hasOwn(table, name) ? table[name] : undefined;
  if (transport === undefined) {
    throw new Failure("usage", `Invalid ${JSON.stringify(source)}: does not specify a transport`, {
      hint: `for a repository in a registry, write docker://${source}`,
    });
  }
  if (transport.listTags === undefined) {
    throw new Failure(
      "unsupported",
      `Unsupported transport '${name}' for tag listing. Only supported: ${able(table).join(", ")}`,
    );
  }
  return { text: source.slice(colon + 1), list: transport.listTags };
}

/** Returns the names of the transports whose tags can be listed. */
function able(table: TransportTable): readonly string[] {
  return Object.values(table)
    .filter((transport) => transport.listTags !== undefined)
    .map((transport) => transport.name)
    .sort();
}
