// YAML: the one place that reads it.

import { Failure } from "./failure.ts";
import { limits } from "./limits.ts";

/** What YAML text means, with every scalar left as the text it was written as. */
export type Yaml = string | readonly Yaml[] | YamlMapping;

/** A mapping as plain data: any key is a key like another. */
export type YamlMapping = ReadonlyMap<string, Yaml>;

/**
 * Parses one YAML document. An empty one, and a key with nothing or a plain `null` behind it, is the empty
 * text; in a list, such an entry is none.
 *
 * No scalar is guessed to be a number, a date or a truth: `1.10` stays `1.10`. Fails with `config` where
 * the text is no YAML, repeats a key, or holds more than one document.
 */
export async function parseYaml(bytes: Uint8Array): Promise<Yaml> {
  const { value, more } = await parseFirstYaml(bytes);
  if (more) throw malformed("the text holds more than one document");
  return value;
}

/** Parses the first of perhaps several YAML documents, likewise, and tells whether there are `more`. */
export async function parseFirstYaml(
  bytes: Uint8Array,
): Promise<{ readonly value: Yaml; readonly more: boolean }> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(textOf(bytes), {
    schema: "failsafe",
    customTags: ["null"],
    logLevel: "error",
  });
  const problem = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
  if (problem !== undefined) throw malformed(problem.message);
  const value = plain(
    asMaps(() => document.toJS({ mapAsMap: true, maxAliasCount: 100 })),
    0,
  );
  return { value, more: document.errors.length > 0 };
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw malformed("the text is not UTF-8", error);
  }
}

/** What refers to itself too often fails only here. */
function asMaps(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error), error);
  }
}

function plain(value: unknown, depth: number): Yaml {
  if (depth > limits.jsonDepth) throw malformed("it is nested too deeply");
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    return value.filter((item) => item !== null).map((item) => plain(item, depth + 1));
  }
  if (!(value instanceof Map)) throw malformed("it holds something that is no plain value");
  return new Map(
    [...value].map(([key, member]) => {
      if (typeof key !== "string") throw malformed("a key is not text");
      return [key, plain(member, depth + 1)];
    }),
  );
}

/** The package shows the place in the text below its first line. */
function malformed(message: string, cause?: unknown): Failure {
  const [line = ""] = message.split("\n", 1);
  return new Failure("config", `yaml: ${line.replace(/:$/, "")}`, { cause });
}
