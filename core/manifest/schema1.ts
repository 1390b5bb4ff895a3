// Docker schema 1 manifests: one image, as registries of old keep it.
//
// See https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-1.md

import type { Descriptor } from "../content/descriptor.ts";
import { Failure, inContext } from "../failure.ts";
import { encodeJson, isJsonObject, type JsonObject, parseStrictJson } from "../json.ts";
import { type ImageConfig, readImageConfig } from "./config.ts";
import { goFlag, goStruct, goText, goTexts, goTime, readDocument } from "./go-schema.ts";
import { Members } from "./members.ts";
import type { ImageManifest } from "./types.ts";

/** What a schema 1 manifest says, base layer first. */
export interface Schema1Manifest {
  /** The repository that it was made for; what it says, not where it is. */
  readonly name: string;
  readonly tag: string;
  /** Without sizes and media types, including empty layers. */
  readonly layers: readonly Descriptor[];
  /** Of each layer, how it came about. */
  readonly history: readonly Schema1Step[];
  /** The config of the image, made of what the newest layer says. */
  readonly config: ImageConfig;
}

/** How one layer came about. */
export interface Schema1Step {
  readonly id: string;
  readonly parent: string;
  readonly created: string | undefined;
  readonly command: readonly string[];
  readonly author: string;
  readonly comment: string;
  /** Whether the layer changes nothing in the file system. */
  readonly throwaway: boolean;
}

/** Reads a schema 1 manifest. Fails with `corrupt` unless its layers make one chain. */
export function readSchema1(members: Members): Schema1Manifest {
  const version = members.integer("schemaVersion");
  if (version !== 1) throw corrupt(`unsupported schema version ${version}`);
  const layers = members.objects("fsLayers").map((layer) => layer.digest("blobSum"));
  const texts = members.objects("history").map((entry) => entry.text("v1Compatibility"));
  const [newest] = texts;
  if (texts.length !== layers.length) {
    throw corrupt("length of history not equal to number of layers");
  }
  if (newest === undefined) throw corrupt("no FSLayers in manifest");
  const steps = texts.map(readStep);
  checkChain(steps);
  // The same step twice in a row is one step; the newer is dropped, as the original does.
  const kept = [...steps.keys()]
    .filter((index) => steps[index]?.id !== steps[index + 1]?.id)
    .reverse();
  const history = kept.flatMap((index) => steps[index] ?? []);
  return {
    name: members.text("name"),
    tag: members.text("tag"),
    layers: kept.flatMap((index) => {
      const digest = layers[index];
      return digest === undefined ? [] : [{ mediaType: "", digest }];
    }),
    history,
    config: configOf(newest, history),
  };
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
  throwaway: goFlag,
  container_config: goStruct({ Cmd: goTexts }),
});

function readStep(text: string, index: number): Schema1Step {
  const { id, parent, created, author, comment, throwaway, container_config } = parsedStep(
    text,
    index,
  );
  if (!/^[0-9a-f]{64}$/.test(id)) throw corrupt(`image ID ${JSON.stringify(id)} is invalid`);
  const command = container_config.Cmd ?? [];
  return { id, parent, created, command, author, comment, throwaway };
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
      // Go's zero time, which the original writes where a step has none.
      created: step.created ?? "0001-01-01T00:00:00Z",
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
