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
  const { isMap, isScalar, isSeq, LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  const document = parseDocument(textOf(bytes), {
    schema: "failsafe",
    customTags: ["null"],
    logLevel: "error",
    lineCounter,
    // The package shows each of perhaps a hundred thousand errors in its line, and compares each key with all others.
    prettyErrors: false,
    uniqueKeys: false,
  });
  const fault = (what: string, offset: number): Failure => {
    const { line, col } = lineCounter.linePos(offset);
    return malformed(`${what} at line ${line}, column ${col}`);
  };
  const problem = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
  if (problem !== undefined) throw fault(problem.message, problem.pos[0]);
  const checkKeys = (node: unknown, depth: number): void => {
    // What lies deeper is refused in any case.
    if (depth > limits.jsonDepth) return;
    if (isSeq(node)) for (const item of node.items) checkKeys(item, depth + 1);
    if (!isMap(node)) return;
    const seen = new Set<unknown>();
    for (const { key, value } of node.items) {
      if (isScalar(key)) {
        if (seen.has(key.value)) throw fault("Map keys must be unique", key.range?.[0] ?? 0);
        seen.add(key.value);
      }
      checkKeys(value, depth + 1);
    }
  };
  checkKeys(document.contents, 0);
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

function malformed(message: string, cause?: unknown): Failure {
  return new Failure("config", `yaml: ${message}`, { cause });
}
