// Image configs: what an image says about itself, beyond its manifest.
//
// See https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md

import type { Descriptor } from "../content/descriptor.ts";
import { isConfigType } from "../content/media-types.ts";
import { encodeJsonBytes, goMap } from "../json.ts";
import * as v from "valibot";
import {
  goFlag,
  goKeys,
  goStruct,
  goText,
  goTextMap,
  goTexts,
  goTime,
  readDocument,
} from "./go-schema.ts";

/** How the image wants to be run. Lists and maps are undefined where the config has none. */
export interface RunConfig {
  readonly user: string;
  readonly exposedPorts: readonly string[] | undefined;
  readonly env: readonly string[] | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly cmd: readonly string[] | undefined;
  readonly volumes: readonly string[] | undefined;
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly stopSignal: string;
  readonly argsEscaped: boolean;
}

/** How one layer came about, or a change that made none. */
export interface HistoryEntry {
  readonly created: string | undefined;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  readonly emptyLayer: boolean;
}

/** What a config says, of all that OCI knows. Texts are empty where it says nothing. */
export interface ImageConfig {
  /** RFC 3339, as Go writes it; undefined where the config has none. */
  readonly created: string | undefined;
  readonly author: string;
  readonly architecture: string;
  readonly os: string;
  readonly osVersion: string;
  readonly osFeatures: readonly string[] | undefined;
  readonly variant: string;
  readonly config: RunConfig;
  readonly rootfs: {
    readonly type: string;
    /** The digests of the uncompressed layers, base first; claims, and perhaps no digests at all. */
    readonly diffIds: readonly string[] | undefined;
  };
  readonly history: readonly HistoryEntry[] | undefined;
  /** Docker's own: no part of an OCI config. */
  readonly dockerVersion: string;
}

/** Reads a config of either format. Fails with `corrupt`. */
export function readImageConfig(input: string | Uint8Array): ImageConfig {
  const read = readDocument(schema, input, "image config");
  const { config, rootfs, history } = read;
  return {
    created: read.created,
    author: read.author,
    architecture: read.architecture,
    os: read.os,
    osVersion: read["os.version"],
    osFeatures: read["os.features"],
    variant: read.variant,
    config: {
      user: config.User,
      exposedPorts: config.ExposedPorts,
      env: config.Env,
      entrypoint: config.Entrypoint,
      cmd: config.Cmd,
      volumes: config.Volumes,
      workingDir: config.WorkingDir,
      labels: config.Labels,
      stopSignal: config.StopSignal,
      argsEscaped: config.ArgsEscaped,
    },
    rootfs: { type: rootfs.type, diffIds: rootfs.diff_ids },
    history: history?.map((entry) => ({
      created: entry.created,
      createdBy: entry.created_by,
      author: entry.author,
      comment: entry.comment,
      emptyLayer: entry.empty_layer,
    })),
    dockerVersion: read.docker_version,
  };
}

/** Returns what to encode as an OCI config: its members, in the order in which the original writes them. */
export function ociConfig(image: ImageConfig) {
  const { config, rootfs } = image;
  return {
    created: image.created,
    author: filled(image.author),
    architecture: image.architecture,
    os: image.os,
    "os.version": filled(image.osVersion),
    "os.features": filled(image.osFeatures),
    variant: filled(image.variant),
    config: {
      User: filled(config.user),
      ExposedPorts: emptyObjects(config.exposedPorts),
      Env: filled(config.env),
      Entrypoint: filled(config.entrypoint),
      Cmd: filled(config.cmd),
      Volumes: emptyObjects(config.volumes),
      WorkingDir: filled(config.workingDir),
      Labels: labels(config.labels),
      StopSignal: filled(config.stopSignal),
      ArgsEscaped: config.argsEscaped || undefined,
    },
    rootfs: { type: rootfs.type, diff_ids: rootfs.diffIds ?? null },
    history: filled(image.history?.map(historyEntry)),
  };
}

/** Writes an OCI config, byte for byte as the original does. */
export function writeOciConfig(image: ImageConfig): Uint8Array {
  return encodeJsonBytes(ociConfig(image));
}

/**
 * Returns what a config says the uncompressed layers' digests are, base first. Undefined if it is no
 * config of an image, but an artifact's. Fails with `corrupt`.
 */
export function diffIdsOf(config: Descriptor, bytes: Uint8Array): readonly string[] | undefined {
  if (!isImageConfig(config)) return undefined;
  return readDocument(layersSchema, bytes, "image config").rootfs.diff_ids ?? [];
}

/** Tells whether a config is that of an image, by its media type. */
export function isImageConfig({ mediaType }: Descriptor): boolean {
  return isConfigType(mediaType);
}

const rootfsSchema = goStruct({ type: goText, diff_ids: goTexts });

const layersSchema = goStruct({ rootfs: rootfsSchema });

const schema = goStruct({
  created: goTime,
  author: goText,
  architecture: goText,
  os: goText,
  "os.version": goText,
  "os.features": goTexts,
  variant: goText,
  docker_version: goText,
  config: goStruct({
    User: goText,
    ExposedPorts: goKeys,
    Env: goTexts,
    Entrypoint: goTexts,
    Cmd: goTexts,
    Volumes: goKeys,
    WorkingDir: goText,
    Labels: goTextMap,
    StopSignal: goText,
    ArgsEscaped: goFlag,
  }),
  rootfs: rootfsSchema,
  history: v.optional(
    v.array(
      goStruct({
        created: goTime,
        created_by: goText,
        author: goText,
        comment: goText,
        empty_layer: goFlag,
      }),
    ),
  ),
});

function historyEntry(entry: HistoryEntry): object {
  return {
    created: entry.created,
    created_by: filled(entry.createdBy),
    author: filled(entry.author),
    comment: filled(entry.comment),
    empty_layer: entry.emptyLayer || undefined,
  };
}

/** What is empty is left out. */
function filled<T extends { readonly length: number }>(value: T | undefined): T | undefined {
  return value === undefined || value.length === 0 ? undefined : value;
}

function emptyObjects(
  names: readonly string[] | undefined,
): ReadonlyMap<string, object> | undefined {
  return filled(names) && new Map(names?.map((name) => [name, {}]));
}

function labels(
  record: Readonly<Record<string, string>> | undefined,
): ReadonlyMap<string, string> | undefined {
  const map = goMap(record ?? {});
  return map.size === 0 ? undefined : map;
}
