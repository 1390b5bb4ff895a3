// Docker schema 1 manifests: one image, as registries of old keep it.
//
// See https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-1.md

import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import { Failure, inContext } from "../failure.ts";
import {
  encodeJson,
  encodeJsonBytes,
  isJsonObject,
  type JsonObject,
  parseStrictJson,
} from "../json.ts";
import { type ImageConfig, readImageConfig } from "./config.ts";
import { goFlag, goStruct, goText, goTexts, goTime, readDocument, zeroTime } from "./go-schema.ts";
import { Members } from "./members.ts";
import type { ImageManifest } from "./types.ts";

/** Which image a schema 1 manifest says it is: what it was made for, not where it is. */
export interface EmbeddedName {
  /** The repository, without its host; empty where there is none. */
  readonly name: string;
  readonly tag: string;
}

/** What a schema 1 manifest says, base layer first. */
export interface Schema1Manifest extends EmbeddedName {
  readonly architecture: string;
  /** Without sizes and media types, including empty layers. */
  readonly layers: readonly Descriptor[];
  /** Of each layer, how it came about. */
  readonly history: readonly Schema1Step[];
  /** What the newest layer says, as it is spelled. */
  readonly newest: string;
  /** The config of the image, made of what the newest layer says. Reading it fails with `corrupt`. */
  readonly config: ImageConfig;
}

/** How one layer came about. */
export interface Schema1Step {
  /** All that it says, as it is spelled. */
  readonly text: string;
  readonly id: string;
  readonly parent: string;
  readonly created: string | undefined;
  readonly command: readonly string[];
  readonly author: string;
  readonly comment: string;
  /** Of the Docker that made it; empty where it does not say. */
  readonly dockerVersion: string;
  /** Whether the layer changes nothing in the file system. */
  readonly throwaway: boolean;
}

/** Reads a schema 1 manifest. Fails with `corrupt` unless its layers make one chain. */
export function readSchema1(members: Members): Schema1Manifest {
  const version = members.integer("schemaVersion");
  if (version !== 1) throw corrupt(`unsupported schema version ${version}`);
  const layers = members.objects("fsLayers").map((layer) => layer.digest("blobSum"));
  const texts = members.objects("history").map((entry) => entry.text("v1Compatibility"));
  const [first] = texts;
  if (texts.length !== layers.length) {
    throw corrupt("length of history not equal to number of layers");
  }
  if (first === undefined) throw corrupt("no FSLayers in manifest");
  const steps = texts.map(readStep);
  checkChain(steps);
  // The same step twice in a row is one step; the newer is dropped, as the original does.
  const kept = [...steps.keys()]
    .filter((index) => steps[index]?.id !== steps[index + 1]?.id)
    .reverse();
  const history = kept.flatMap((index) => steps[index] ?? []);
  const newest = history.at(-1)?.text ?? first;
  return {
    name: members.text("name"),
    tag: members.text("tag"),
    architecture: members.text("architecture"),
    layers: kept.flatMap((index) => {
      const digest = layers[index];
      return digest === undefined ? [] : [{ mediaType: "", digest }];
    }),
    history,
    newest,
    // Read only when asked for: an image may be carried that nobody could show.
    get config() {
      return configOf(newest, history);
    },
  };
}

/** What a schema 1 manifest is made of. */
export interface Schema1Parts extends EmbeddedName {
  readonly architecture: string;
  /** Base first: the layer of each step, and what is said about it. */
  readonly steps: readonly { readonly blob: Digest; readonly text: string }[];
}

/** Writes a schema 1 manifest without a signature, byte for byte as the original does. */
export function writeSchema1({ name, tag, architecture, steps }: Schema1Parts): Uint8Array {
  const newestFirst = steps.toReversed();
  return encodeJsonBytes({
    name,
    tag,
    architecture,
    fsLayers: newestFirst.map(({ blob }) => ({ blobSum: blob })),
    history: newestFirst.map(({ text }) => ({ v1Compatibility: text })),
    schemaVersion: 1,
  });
}

/** Returns what a schema 1 image says beyond its layers. */
export function schema1Of({ raw }: ImageManifest): Schema1Manifest {
  return readSchema1(new Members(parseStrictJson(raw.bytes)));
}

/**
 * Returns the bytes that a signed schema 1 manifest was signed over, which its digest is computed from.
 *
 * No signature is verified. Fails with `corrupt` where the signatures do not agree on the bytes, and
 * where those are anything but the manifest without its signatures: a digest would vouch for what
 * nobody reads.
 */
export function payloadOfSchema1(bytes: Uint8Array): Uint8Array {
  const document = parseStrictJson(bytes);
  const signatures = new Members(document).objects("signatures");
  const [first, ...others] = signatures.map((signature) => readProtected(signature));
  if (first === undefined) throw corrupt("manifest has an empty list of signatures");
  for (const { length, tail } of others) {
    if (length !== first.length) throw corrupt("conflicting format length");
    if (!tail.equals(first.tail)) throw corrupt("conflicting format tail");
  }
  const payload = Buffer.concat([bytes.subarray(0, first.length), first.tail]);
  if (!isJsonObject(document) || !isUnsigned(payload, document)) {
    throw corrupt("what was signed is not the manifest without its signatures");
  }
  return payload;
}

interface Protected {
  /** How many bytes of the manifest stand before the signatures. */
  readonly length: number;
  /** What stood behind those when the manifest was signed. */
  readonly tail: Buffer;
}

function readProtected(signature: Members): Protected {
  const header = parseStrictJson(decodeBase64(signature.text("protected")));
  const members = new Members(header, "protected header");
  const length = members.integer("formatLength");
  if (length <= 0) throw corrupt("missing formatted length");
  return { length, tail: decodeBase64(members.text("formatTail")) };
}

function decodeBase64(text: string): Buffer {
  const plain = text.replaceAll(/[ \n]/g, "");
  if (!/^[A-Za-z0-9_-]*={0,2}$/.test(plain)) throw corrupt("base64 decode error in a signature");
  return Buffer.from(plain, "base64url");
}

function isUnsigned(payload: Uint8Array, document: JsonObject): boolean {
  const { signatures: _, ...unsigned } = document;
  return encodeJson(parseStrictJson(payload)) === encodeJson(unsigned);
}

const stepSchema = goStruct({
  id: goText,
  parent: goText,
  created: goTime,
  author: goText,
  comment: goText,
  docker_version: goText,
  throwaway: goFlag,
  container_config: goStruct({ Cmd: goTexts }),
});

function readStep(text: string, index: number): Schema1Step {
  const { container_config, docker_version, created, ...said } = parsedStep(text, index);
  if (!/^[0-9a-f]{64}$/.test(said.id)) {
    throw corrupt(`image ID ${JSON.stringify(said.id)} is invalid`);
  }
  const command = container_config.Cmd ?? [];
  return { text, ...said, created, command, dockerVersion: docker_version };
}

function parsedStep(text: string, index: number) {
  try {
    return readDocument(stepSchema, text, "step");
  } catch (error) {
    throw inContext(`parsing v2s1 history entry ${index}`, error);
  }
}

/** The steps stand newest first, and each names the one before it as its parent. */
function checkChain(steps: readonly Schema1Step[]): void {
  if (steps.at(-1)?.parent !== "") {
    throw corrupt("Invalid parent ID in the base layer of the image");
  }
  const seen = new Set<string>();
  for (const [index, { id }] of steps.entries()) {
    if (seen.has(id) && steps[index - 1]?.id !== id) {
      throw corrupt(`ID ${id} appears multiple times in manifest`);
    }
    seen.add(id);
  }
  for (const [index, { id, parent }] of steps.entries()) {
    const base = steps[index + 1];
    if (base !== undefined && id !== base.id && parent !== base.id) {
      throw corrupt(`Invalid parent ID. Expected ${base.id}, got ${JSON.stringify(parent)}`);
    }
  }
}

function configOf(newest: string, history: readonly Schema1Step[]): ImageConfig {
  return {
    ...readImageConfig(newest),
    rootfs: {
      type: "layers",
      // Nobody knows them before the layers have been read.
      diffIds: history.filter(({ throwaway }) => !throwaway).map(() => ""),
    },
    history: history.map((step) => ({
      created: step.created ?? zeroTime,
      createdBy: step.command.join(" "),
      author: step.author,
      comment: step.comment,
      emptyLayer: step.throwaway,
    })),
  };
}

function corrupt(message: string): Failure {
  return new Failure("corrupt", message);
}
