import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { sync } from "../../cli/commands/sync.ts";
import { flagsIn } from "../../cli/flags/flag.ts";
import { Given, parseWords } from "../../cli/flags/parse.ts";
import { parseShard } from "../../core/sync/shard.ts";
import { type Yaml, parseYaml } from "../../core/yaml.ts";

const path = join(import.meta.dir, "../../scripts/kubernetes/sync-job.yaml");

/** Walks into a document by keys and positions. */
function at(value: Yaml | undefined, ...keys: readonly (string | number)[]): Yaml | undefined {
  return keys.reduce<Yaml | undefined>((found, key) => {
    if (found instanceof Map) return found.get(String(key));
    return Array.isArray(found) ? found[Number(key)] : undefined;
  }, value);
}

test("the Kubernetes job says what sync understands, and divides by as many as there are", async () => {
  const job = await parseYaml(readFileSync(path));
  const args = at(job, "spec", "template", "spec", "containers", 0, "args");
  const words = Array.isArray(args) ? args.map(String) : [];
  expect(words[0]).toBe("sync");
  const given = new Given();
  const { flags } = sync.definition;
  const operands = parseWords(words.slice(1), { flags: flagsIn(flags) }, given);
  expect(operands).toEqual(["/lists/images.yaml", "mirror.example.com"]);
  const said: Readonly<Record<string, unknown>> = given.valuesOf(flags);
  const shard = String(said["shard"]);
  expect(said["locked"]).toBe("/lists/images.lock");
  const completions = Number(at(job, "spec", "completions"));
  for (let index = 0; index < completions; index++) {
    const variables = { JOB_COMPLETION_INDEX: String(index) };
    expect(parseShard(shard, variables)).toEqual({ index, of: completions });
  }
  expect(at(job, "spec", "completionMode")).toBe("Indexed");
});
