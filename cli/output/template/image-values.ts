// Image values: an image's summary and config, with the types and names that templates know them by.

import type { HistoryEntry, ImageConfig, RunConfig } from "../../../core/manifest/config.ts";
import type { ImageSummary, LayerSummary } from "../../../core/inspect/summary.ts";
import { compareText } from "./go-text.ts";
import {
  boolType,
  type GoField,
  type GoType,
  type GoValue,
  int64Type,
  mapOf,
  type MapType,
  pointerTo,
  sliceOf,
  stringsType,
  stringType,
  type StructType,
  type StructValue,
} from "./go-type.ts";
import { boolValue, integerValue, stringsValue, stringValue } from "./go-value.ts";
import { digestType, timeType, timeValue } from "./methods.ts";
import { readMoment } from "./moment.ts";

/** Returns a summary as `inspect --format` shows it. */
export function summaryValue(summary: ImageSummary): GoValue {
  const { layers } = summary;
  return struct(outputType, [
    stringValue(summary.name ?? ""),
    stringValue(summary.tag),
    stringValue(summary.digest, digestType),
    stringsValue(summary.tags),
    time(summary.created),
    stringValue(summary.dockerVersion),
    texts(summary.labels),
    stringValue(summary.architecture),
    stringValue(summary.os),
    stringsValue(layers.map(({ digest }) => digest)),
    { kind: "slice", type: sliceOf(layerType), items: layers.map(layerValue) },
    stringsValue(summary.env),
  ]);
}

/** Returns a config as `inspect --config --format` shows it. */
export function configValue(image: ImageConfig): GoValue {
  const { rootfs, history } = image;
  const diffIds = rootfs.diffIds?.map((digest) => stringValue(digest, digestType));
  const target = struct(imageType, [
    time(image.created),
    stringValue(image.author),
    struct(platformType, [
      stringValue(image.architecture),
      stringValue(image.os),
      stringValue(image.osVersion),
      stringsValue(image.osFeatures),
      stringValue(image.variant),
    ]),
    runValue(image.config),
    struct(rootFsType, [
      stringValue(rootfs.type),
      { kind: "slice", type: digestsType, items: diffIds },
    ]),
    { kind: "slice", type: sliceOf(historyType), items: history?.map(historyValue) },
  ]);
  return { kind: "pointer", type: pointerTo(imageType), target };
}

function layerValue(layer: LayerSummary): GoValue {
  return struct(layerType, [
    stringValue(layer.mediaType),
    stringValue(layer.digest, digestType),
    integerValue(layer.size ?? -1, int64Type),
    texts(layer.annotations),
  ]);
}

function runValue(config: RunConfig): GoValue {
  return struct(runType, [
    stringValue(config.user),
    names(config.exposedPorts),
    stringsValue(config.env),
    stringsValue(config.entrypoint),
    stringsValue(config.cmd),
    names(config.volumes),
    stringValue(config.workingDir),
    texts(config.labels),
    stringValue(config.stopSignal),
    boolValue(config.argsEscaped),
  ]);
}

function historyValue(entry: HistoryEntry): GoValue {
  return struct(historyType, [
    time(entry.created),
    stringValue(entry.createdBy),
    stringValue(entry.author),
    stringValue(entry.comment),
    boolValue(entry.emptyLayer),
  ]);
}

const timePointer = pointerTo(timeType);
const digestsType = sliceOf(digestType);
const textsType = mapOf(stringType);
const emptyType = structType("struct {}", []);
const namesType = mapOf(emptyType);

const layerType = structType("types.ImageInspectLayer", [
  always("MIMEType", stringType),
  always("Digest", digestType),
  always("Size", int64Type),
  always("Annotations", textsType),
]);

const outputType = structType("inspect.Output", [
  optional("Name", stringType),
  optional("Tag", stringType),
  always("Digest", digestType),
  always("RepoTags", stringsType),
  always("Created", timePointer),
  always("DockerVersion", stringType),
  always("Labels", textsType),
  always("Architecture", stringType),
  always("Os", stringType),
  always("Layers", stringsType),
  always("LayersData", sliceOf(layerType)),
  always("Env", stringsType),
]);

const platformType = structType("v1.Platform", [
  always("Architecture", stringType, "architecture"),
  always("OS", stringType, "os"),
  optional("OSVersion", stringType, "os.version"),
  optional("OSFeatures", stringsType, "os.features"),
  optional("Variant", stringType, "variant"),
]);

const runType = structType("v1.ImageConfig", [
  optional("User", stringType),
  optional("ExposedPorts", namesType),
  optional("Env", stringsType),
  optional("Entrypoint", stringsType),
  optional("Cmd", stringsType),
  optional("Volumes", namesType),
  optional("WorkingDir", stringType),
  optional("Labels", textsType),
  optional("StopSignal", stringType),
  optional("ArgsEscaped", boolType),
]);

const rootFsType = structType("v1.RootFS", [
  always("Type", stringType, "type"),
  always("DiffIDs", digestsType, "diff_ids"),
]);

const historyType = structType("v1.History", [
  optional("Created", timePointer, "created"),
  optional("CreatedBy", stringType, "created_by"),
  optional("Author", stringType, "author"),
  optional("Comment", stringType, "comment"),
  optional("EmptyLayer", boolType, "empty_layer"),
]);

const imageType = structType("v1.Image", [
  optional("Created", timePointer, "created"),
  optional("Author", stringType, "author"),
  // Embedded: its fields are the image's own, in JSON and in templates.
  always("Platform", platformType, ""),
  always("Config", runType, "config"),
  always("RootFS", rootFsType, "rootfs"),
  optional("History", sliceOf(historyType), "history"),
]);

function structType(name: string, fields: readonly GoField[]): StructType {
  return { kind: "struct", name, fields };
}

function always(name: string, type: GoType, json = name): GoField {
  return { name, type, json, optional: false };
}

function optional(name: string, type: GoType, json = name): GoField {
  return { name, type, json, optional: true };
}

function struct(type: StructType, fields: readonly GoValue[]): StructValue {
  return { kind: "struct", type, fields };
}

function time(text: string | undefined): GoValue {
  const moment = text === undefined ? undefined : readMoment(text);
  return { kind: "pointer", type: timePointer, target: moment && timeValue(moment) };
}

function texts(record: Readonly<Record<string, string>> | undefined): GoValue {
  const entries = Object.entries(record ?? {}).map(([k, v]) => [k, stringValue(v)] as const);
  return map(textsType, record === undefined ? undefined : entries);
}

function names(keys: readonly string[] | undefined): GoValue {
  return map(
    namesType,
    keys?.map((key) => [key, struct(emptyType, [])] as const),
  );
}

function map(type: MapType, entries: readonly (readonly [string, GoValue])[] | undefined): GoValue {
  const sorted = entries?.toSorted(([a], [b]) => compareText(a, b));
  return { kind: "map", type, entries: sorted && new Map(sorted) };
}
