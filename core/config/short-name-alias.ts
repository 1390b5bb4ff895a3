// Short-name aliases: checked, though no name is resolved by them.

import { type DockerName, parseDockerName } from "../content/docker-name.ts";
import { asFailure, Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";

/**
 * Checks a table of aliases: short names on the left, and on the right what they stand for, in full, or
 * nothing. Fails with `config`, in the original's words.
 */
export function checkAliases(aliases: Readonly<Record<string, string>>): void {
  for (const [short, full] of Object.entries(aliases)) {
    if (!plainShort.test(short)) checkShort(short);
    // An empty one takes an alias of another file back.
    if (full !== "" && !plainFull.test(full)) checkFull(full);
  }
}

// What nearly all look like: systems bring hundreds, and each run reads them all.
const plainShort = /^(?!localhost\/)(?=.{1,63}$)[a-z0-9]+(?:[-/][a-z0-9]+)*$/;
const plainFull =
  /^(?=.{1,200}$)[a-z0-9]+(?:[.-][a-z0-9]+)*\.[a-z0-9]+(?:\/[a-z0-9]+(?:-[a-z0-9]+)*)+$/;

function checkShort(text: string): void {
  const name = parse(text, `cannot parse short name: ${quoted(text)}`);
  const problem = namesRegistry(text) ? "registry" : surplusOf(name);
  if (problem !== undefined)
    throw invalid(`invalid short name ${quoted(text)}: must not contain ${problem}`);
}

function checkFull(text: string): void {
  const name = parse(text, `parsing alias ${quoted(text)}`);
  if (!namesRegistry(text)) {
    throw invalid(`invalid alias ${quoted(text)}: must contain registry and repository`);
  }
  const problem = surplusOf(name);
  if (problem !== undefined)
    throw invalid(`invalid alias ${quoted(text)}: must not contain ${problem}`);
}

/** What comes before the first slash is a registry if it could be no directory. */
function namesRegistry(text: string): boolean {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  return /[.:]/.test(first) || first === "localhost";
}

function surplusOf({ tag, digest }: DockerName): string | undefined {
  if (tag !== undefined) return "tag";
  return digest === undefined ? undefined : "digest";
}

function parse(text: string, what: string): DockerName {
  try {
    return parseDockerName(text);
  } catch (error) {
    const reason = asFailure(error).message.replace(/^invalid reference format: (?=r)/, "");
    throw invalid(`${what}: ${reason}`);
  }
}

function invalid(message: string): Failure {
  return new Failure("config", `validating short-name aliases: ${message}`);
}
