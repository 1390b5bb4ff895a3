// The schema of forecasts: what `--dry-run --output json` prints.

import type { JsonObject } from "../json.ts";
import {
  amount,
  anyObject,
  count,
  digest,
  flag,
  list,
  type Members,
  object,
  optional,
  text,
} from "../json-schema.ts";
import type { Decision } from "../trust/decision.ts";
import { change, decision, failure, moves, outcome, role } from "./event-schema.ts";
import type { BlobForecast, ForeignLayer, ToldFailure } from "./events.ts";
import {
  type CopyForecast,
  type DestinationForecast,
  type ForecastTotals,
  forecastVersion,
  type ImageForecast,
  type RunForecast,
} from "./forecast.ts";
import type { Moves } from "./summary.ts";

/** What stands in a forecast besides what would be done. */
export interface ForecastEnvelope {
  readonly v: typeof forecastVersion;
  readonly command: string;
  readonly dryRun: true;
  readonly ok: boolean;
  readonly seconds: number;
}

/** Returns the JSON schema of the forecast of a command that copies. */
export function forecastSchema(): JsonObject {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "What a command that copies would do, as --dry-run --output json prints it",
    ...anyObject({ ...envelope(), ...run() }).schema,
  };
}

function envelope(): Members<ForecastEnvelope> {
  return {
    v: { schema: { const: forecastVersion, description: "the version of forecasts" } },
    command: text("which command it was"),
    dryRun: { schema: { const: true, description: "nothing was written" } },
    ok: flag("whether it exits with 0, and nothing stands in the way"),
    seconds: amount("how long it took to find out"),
  };
}

function run(): Members<RunForecast> {
  return {
    copies: list(object<CopyForecast>(copy()), "one for each image or list to be copied"),
    totals: object<ForecastTotals>(totals(), "what all would come to"),
    failure: optional(object<ToldFailure>(failure(), "why the command would fail")),
  };
}

function copy(): Members<CopyForecast> {
  return {
    source: text("the image's name"),
    ok: flag("whether nothing stands in the way"),
    policy: list(object<Decision>(decision()), "what the trust policy said of images and lists"),
    destinations: list(object<DestinationForecast>(destination()), "what would become of it where"),
    failure: optional(object<ToldFailure>(failure(), "why it would fail at all destinations")),
  };
}

function destination(): Members<DestinationForecast> {
  return {
    destination: text("the name there"),
    ok: flag("whether nothing stands in the way"),
    digest: optional(
      digest("of what the name would lead to; absent where only sending the blobs can tell"),
    ),
    mediaType: optional(text("of what the name would lead to")),
    images: list(object<ImageForecast>(image()), "the images that would travel"),
    totals: object<ForecastTotals>(totals(), "what this destination would come to"),
    failure: optional(object<ToldFailure>(failure(), "why it would fail there")),
  };
}

function image(): Members<ImageForecast> {
  return {
    digest: digest("of its manifest at the source"),
    writtenAs: optional(
      digest("of the manifest that would be written; absent where only sending can tell"),
    ),
    mediaType: optional(text("of the manifest that would be written")),
    frozenBecause: optional(text("why the manifest would stay as it is")),
    blobs: list(object<BlobForecast>(blob()), "what would become of each blob"),
    foreign: list(
      object<ForeignLayer>({
        digest: digest("of the layer"),
        size: optional(count("in bytes; absent if unknown")),
      }),
      "layers that would stay where their URLs lead",
    ),
  };
}

function blob(): Members<BlobForecast> {
  return {
    digest: digest("of the blob, at the source"),
    role: role(),
    outcome: outcome(),
    changes: list(change(), "what would be done to its bytes; empty where they stay"),
    read: optional(count("bytes that would be read at the source; absent if unknown")),
    size: optional(count("in bytes, at the destination; absent where only sending can tell")),
    storedAs: optional(
      digest("its digest there; absent where it is the same, or only sending can tell"),
    ),
  };
}

function totals(): Members<ForecastTotals> {
  return {
    blobs: object<Moves>(moves("blobs"), "how many would get there in which way"),
    bytes: object<ForecastTotals["bytes"]>(
      { ...moves("bytes of blobs"), read: count("to be read at the source") },
      "how many bytes, as far as it is known",
    ),
    unknown: count("blobs to be sent of which only sending can tell how large they are then"),
    foreign: count("layers that would stay where their URLs lead"),
  };
}
