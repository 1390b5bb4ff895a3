// The schema of results: what `--output json` prints.

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
  word,
} from "../json-schema.ts";
import type { Decision } from "../trust/decision.ts";
import { decision, failure, outcome, role, summary } from "./event-schema.ts";
import type { ToldFailure } from "./events.ts";
import {
  type BlobResult,
  type CopyResult,
  type DestinationResult,
  type ManifestResult,
  resultVersion,
  type RunResult,
} from "./result.ts";
import type { Summary } from "./summary.ts";

/** What stands in a result besides what was done. */
export interface ResultEnvelope {
  readonly v: typeof resultVersion;
  readonly command: string;
  readonly ok: boolean;
  readonly seconds: number;
}

/** Returns the JSON schema of the result of a command that copies. */
export function resultSchema(): JsonObject {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "The result of a command that copies, as --output json prints it",
    ...anyObject({ ...envelope(), ...run() }).schema,
  };
}

function envelope(): Members<ResultEnvelope> {
  return {
    v: { schema: { const: resultVersion, description: "the version of results" } },
    command: text("which command it was"),
    ok: flag("whether it exits with 0"),
    seconds: amount("how long it took"),
  };
}

function run(): Members<RunResult> {
  return {
    copies: list(object<CopyResult>(copy()), "one for each image or list that was copied"),
    summary: object<Summary>(summary(), "what all came to"),
    failure: optional(object<ToldFailure>(failure(), "why the command failed")),
  };
}

function copy(): Members<CopyResult> {
  return {
    source: text("the image's name"),
    ok: flag("whether it is at all destinations"),
    attempts: count("how often it was tried; the last attempt is what the rest is about"),
    policy: list(object<Decision>(decision()), "what the trust policy said of images and lists"),
    destinations: list(object<DestinationResult>(destination()), "what became of it where"),
    failure: optional(object<ToldFailure>(failure(), "why it failed at all destinations")),
  };
}

function destination(): Members<DestinationResult> {
  return {
    destination: text("the name there"),
    ok: flag("whether it is there"),
    digest: optional(digest("of the manifest, or list, that the name leads to now")),
    mediaType: optional(text("likewise; absent also if nobody had to read it")),
    present: flag("whether it was there before, as it is"),
    manifests: list(object<ManifestResult>(manifest()), "what was written, in this order"),
    blobs: list(object<BlobResult>(blob()), "the blobs that it consists of"),
    failure: optional(object<ToldFailure>(failure(), "why it failed there")),
  };
}

function manifest(): Members<ManifestResult> {
  return {
    of: word({ image: true, list: true }),
    digest: digest("of the manifest as written"),
    mediaType: text("of the manifest as written"),
    size: count("in bytes"),
  };
}

function blob(): Members<BlobResult> {
  return {
    digest: digest("of the blob, at the source"),
    role: role(),
    outcome: outcome(),
    size: count("in bytes, at the destination"),
    storedAs: optional(digest("its digest at the destination; absent where it is the same")),
  };
}
