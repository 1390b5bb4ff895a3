// Docker tar legacy: what an archive holds for readers older than `manifest.json`.
//
// Nothing we know needs it any more, but the original writes it, and so do the engines that the format
// comes from: for each layer a directory that is named for an ID in the style of Docker 1.

import { type Digest, digestOf, digestHex } from "../../core/content/digest.ts";
import { parseDockerName, fullRepository } from "../../core/content/docker-name.ts";
import { Failure } from "../../core/failure.ts";
import { encodeJson, escapeForHtml, isJsonObject, parseForeignJson } from "../../core/json.ts";

/** The name of the file that says which layer is the top of which image. */
export const repositoriesFile = "repositories";

/** A layer as Docker 1 would have known it. */
export interface LegacyLayer {
  /** The name of its directory. */
  readonly id: string;
  readonly digest: Digest;
  /** The content of its file `json`. */
  readonly json: Uint8Array;
}

/** Returns the legacy layers of an image, base first. Fails with `corrupt` if `config` is no object. */
export function legacyLayers(
  layers: readonly Digest[],
  config: Uint8Array,
): readonly LegacyLayer[] {
  const known = rawMembers(config);
  const legacy: LegacyLayer[] = [];
  let chain = "";
  for (const [index, digest] of layers.entries()) {
    chain = index === 0 ? digest : digestOf(bytesOf(`${chain} ${digest}`));
    const parent = legacy.at(-1)?.id;
    const members = new Map<string, string>();
    if (parent !== undefined) members.set("parent", encodeJson(parent));
    if (index === layers.length - 1) {
      for (const name of configMembers) members.set(name, known.get(name) ?? "null");
    }
    const identity = new Map([...members, ["layer_id", encodeJson(chain)]]);
    const id = digestHex(digestOf(encodeRaw(identity)));
    legacy.push({ id, digest, json: encodeRaw(new Map([...members, ["id", encodeJson(id)]])) });
  }
  return legacy;
}

/** Writes the file `repositories`: the ID of the top layer by repository and tag. */
export function encodeRepositories(topLayers: ReadonlyMap<string, string>): Uint8Array {
  const repositories = new Map<string, Map<string, string>>();
  for (const [name, id] of topLayers) {
    const parsed = parseDockerName(name);
    const repository = fullRepository(parsed);
    const tags = repositories.get(repository) ?? new Map<string, string>();
    repositories.set(repository, tags.set(parsed.tag ?? "", id));
  }
  return bytesOf(encodeJson(repositories));
}

/** What the JSON of a top layer takes over from the config, as it stands there. */
const configMembers = [
  "architecture",
  "config",
  "container",
  "container_config",
  "created",
  "docker_version",
  "os",
];

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/** Returns the members of an object, each as its own text without blanks: IDs depend on every byte. */
function rawMembers(bytes: Uint8Array): ReadonlyMap<string, string> {
  const text = new TextDecoder().decode(bytes);
  if (!isJsonObject(parseForeignJson(text))) {
    throw new Failure("corrupt", "The image config is no JSON object");
  }
  const members = new Map<string, string>();
  let depth = 0;
  let name: string | undefined;
  let value = "";
  for (const [token] of text.matchAll(tokens)) {
    if (depth === 1 && (token === "," || token === "}")) {
      if (name !== undefined) members.set(name, escapeForHtml(value));
      name = undefined;
      value = "";
    } else if (depth === 1 && name === undefined) {
      name = String(parseForeignJson(token));
    } else if (depth > 1 || token !== ":") {
      value += depth === 0 ? "" : token;
    }
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
  }
  return members;
}

function encodeRaw(members: ReadonlyMap<string, string>): Uint8Array {
  const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1));
  return bytesOf(`{${sorted.map(([name, raw]) => `${encodeJson(name)}:${raw}`).join(",")}}`);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
