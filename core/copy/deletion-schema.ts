// The schema of deletions: what `delete --output json` prints.

import type { Deletion, Removal } from "../image/deletion.ts";
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
import { failure } from "./event-schema.ts";
import type { ToldFailure } from "./events.ts";

/** The version of what is said of deletions. Members may be added to it; none changes its meaning. */
export const deletionVersion = 1;

/** What is said of a deletion. */
export interface ToldDeletion extends Partial<Deletion> {
  readonly v: typeof deletionVersion;
  readonly command: "delete";
  /** Whether nothing was deleted, but only said what would be. */
  readonly dryRun: boolean;
  /** Whether it worked, or would. */
  readonly ok: boolean;
  readonly seconds: number;
  readonly image: string;
  /** Whether only the tag is removed. */
  readonly tagOnly: boolean;
  readonly failure?: ToldFailure;
}

/** Returns the JSON schema of what is said of a deletion. */
export function deletionSchema(): JsonObject {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "What was deleted, or would be, as delete --output json prints it",
    ...anyObject(members()).schema,
  };
}

function members(): Members<ToldDeletion> {
  return {
    v: { schema: { const: deletionVersion, description: "the version of this" } },
    command: { schema: { const: "delete" } },
    dryRun: flag("whether nothing was deleted"),
    ok: flag("whether it worked, or would"),
    seconds: amount("how long it took"),
    image: text("the image's name"),
    tagOnly: flag("whether only the tag is removed"),
    digest: optional(digest("of the manifest that the name leads to")),
    removals: optional(list(object<Removal>(removal()), "what is taken away; absent if unknown")),
    notes: optional(list(text("a sentence"), "what else one should know of it")),
    failure: optional(object<ToldFailure>(failure(), "why it did not work")),
  };
}

function removal(): Members<Removal> {
  return {
    kind: word({ manifest: true, tag: true, blob: true, file: true }),
    name: text("a digest, the name with its tag, or a path"),
    size: optional(count("in bytes; absent if unknown")),
  };
}
