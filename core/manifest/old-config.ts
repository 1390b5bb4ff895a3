// Old configs: what Docker before 1.8.3 wrote, with all that later readers expect to find.

import * as v from "valibot";

import { encodeJson, goMap } from "../json.ts";
import {
  goFlag,
  goKeys,
  goStruct,
  goText,
  goTextMap,
  goTexts,
  goTime,
  readDocument,
  zeroTime,
} from "./go-schema.ts";

/** Tells whether a config of this Docker version has to be completed. No version is none of them. */
export function isOldVersion(dockerVersion: string): boolean {
  if (dockerVersion === "") return false;
  const parts = dockerVersion
    .split(".")
    .map((part) => (/^[+-]?\d+$/.test(part) ? Number(part) : 0));
  const differing = firstComplete.findIndex((part, index) => (parts[index] ?? 0) !== part);
  // Equal as far as 1.8.3 goes: whatever follows makes it no older.
  return differing >= 0 && (parts[differing] ?? 0) < (firstComplete[differing] ?? 0);
}

/** Completes a config: what is known is spelled out, and what is not known is left out. */
export function completedConfig(text: string): string {
  const read = readDocument(schema, text, "image config");
  return encodeJson({
    comment: filled(read.comment),
    created: read.created ?? zeroTime,
    container: filled(read.container),
    container_config: runConfig(read.container_config),
    docker_version: filled(read.docker_version),
    author: filled(read.author),
    config: read.config && runConfig(read.config),
    architecture: filled(read.architecture),
    variant: filled(read.variant),
    os: filled(read.os),
  });
}

const firstComplete = [1, 8, 3] as const;

const goNumber = v.optional(v.number());

/** A command may be a single text. */
const goCommand = v.optional(
  v.union([
    v.array(goText),
    v.pipe(
      v.string(),
      v.transform((text) => [text]),
    ),
  ]),
);

const runSchema = goStruct({
  Hostname: goText,
  Domainname: goText,
  User: goText,
  AttachStdin: goFlag,
  AttachStdout: goFlag,
  AttachStderr: goFlag,
  ExposedPorts: goKeys,
  Tty: goFlag,
  OpenStdin: goFlag,
  StdinOnce: goFlag,
  Env: goTexts,
  Cmd: goCommand,
  Healthcheck: v.optional(
    goStruct({
      Test: goTexts,
      StartPeriod: goNumber,
      StartInterval: goNumber,
      Interval: goNumber,
      Timeout: goNumber,
      Retries: goNumber,
    }),
  ),
  ArgsEscaped: goFlag,
  Image: goText,
  Volumes: goKeys,
  WorkingDir: goText,
  Entrypoint: goCommand,
  NetworkDisabled: goFlag,
  MacAddress: goText,
  OnBuild: goTexts,
  Labels: goTextMap,
  StopSignal: goText,
  StopTimeout: goNumber,
  Shell: goCommand,
});

const schema = goStruct({
  comment: goText,
  created: goTime,
  container: goText,
  container_config: runSchema,
  docker_version: goText,
  author: goText,
  config: v.optional(runSchema),
  architecture: goText,
  variant: goText,
  os: goText,
});

/** Returns what to encode: members in the order of the original, some of which are never left out. */
function runConfig(run: v.InferOutput<typeof runSchema>): object {
  return {
    ...run,
    ExposedPorts: run.ExposedPorts?.length === 0 ? undefined : emptyObjects(run.ExposedPorts),
    Env: run.Env ?? null,
    Cmd: run.Cmd ?? null,
    Healthcheck: run.Healthcheck && healthcheck(run.Healthcheck),
    ArgsEscaped: run.ArgsEscaped || undefined,
    Volumes: emptyObjects(run.Volumes) ?? null,
    Entrypoint: run.Entrypoint ?? null,
    NetworkDisabled: run.NetworkDisabled || undefined,
    MacAddress: filled(run.MacAddress),
    OnBuild: run.OnBuild ?? null,
    Labels: run.Labels === undefined ? null : goMap(run.Labels),
    StopSignal: filled(run.StopSignal),
    Shell: filled(run.Shell),
  };
}

type Healthcheck = NonNullable<v.InferOutput<typeof runSchema>["Healthcheck"]>;

function healthcheck(check: Healthcheck): object {
  const told = Object.entries({ ...check, Test: filled(check.Test) });
  return Object.fromEntries(told.filter(([, value]) => value !== 0));
}

function emptyObjects(
  names: readonly string[] | undefined,
): ReadonlyMap<string, object> | undefined {
  return names && new Map(names.map((name) => [name, {}]));
}

/** What is empty is left out. */
function filled<T extends { readonly length: number }>(value: T | undefined): T | undefined {
  return value === undefined || value.length === 0 ? undefined : value;
}
