// The schema of events: what stands in the stream of JSON, one object a line.

import type { WrittenFormat } from "../content/media-types.ts";
import type { FailureCode, Side } from "../failure.ts";
import type { BlobRole } from "../image/destination.ts";
import type { JsonObject } from "../json.ts";
import {
  amount,
  type AnyMembers,
  anyObject,
  count,
  type Described,
  digest,
  either,
  flag,
  list,
  type Members,
  object,
  optional,
  record,
  text,
  word,
} from "../json-schema.ts";
import type {
  Decision,
  PolicyScope,
  RuleAnswer,
  SignatureTrial,
  TrialOutcome,
} from "../trust/decision.ts";
import type { BlobOutcome } from "./blob-outcome.ts";
import {
  type BlobChange,
  type CopyEvent,
  type EventScope,
  eventVersion,
  type ForeignLayer,
  type PlannedBlob,
  type ToldFailure,
} from "./events.ts";
import type { Moves, Summary } from "./summary.ts";

/** What stands on a line besides what the event says. */
export interface EventEnvelope {
  readonly v: typeof eventVersion;
  readonly time: string;
  readonly ms: number;
  readonly event: CopyEvent["kind"];
}

interface EventDescription<E> {
  /** What it means, in one sentence. */
  readonly says: string;
  readonly members: Members<Omit<E, "kind">>;
}

/** What each event says. */
export const eventDescriptions: {
  readonly [K in CopyEvent["kind"]]: EventDescription<Extract<CopyEvent, { readonly kind: K }>>;
} = {
  "copy-begun": {
    says: "A copy is attempted; once more after a failure, and then all before counts no more",
    members: {
      source: text("the image's name"),
      destinations: list(text("a name"), "where it is copied to"),
      dryRun: optional({
        schema: { const: true, description: "set if nothing is written, but only foretold" },
      }),
    },
  },
  "policy-decided": {
    says: "The trust policy has admitted or rejected an image or a list",
    members: decision(),
  },
  "signatures-sought": {
    says: "Signatures are looked for at the source",
    members: { of: imageOrList() },
  },
  "signatures-found": { says: "There are some", members: { of: imageOrList() } },
  "bundles-found": {
    says: "There are Sigstore bundles, and they travel along",
    members: { of: imageOrList(), count: count("how many") },
  },
  "list-begun": {
    says: "The images of a list are copied",
    members: {
      chosen: count("how many travel"),
      listed: count("how many the list names"),
    },
  },
  "instance-begun": {
    says: "One image of a list is copied",
    members: {
      digest: digest("of its manifest, at the source"),
      index: count("its place among those that travel, from 0"),
      of: count("how many travel"),
    },
  },
  "image-planned": {
    says: "It is decided what becomes of an image",
    members: {
      digest: digest("of its manifest, at the source"),
      mediaType: text("of its manifest, at the source"),
      formats: list(text("a media type"), "manifest types to try, best first"),
      frozenBecause: optional(
        text("why the manifest must stay as it is; absent where it may change"),
      ),
      blobs: list(plannedBlob(), "the blobs that have to be at the destination"),
      foreign: list(
        object<ForeignLayer>({
          digest: digest("of the layer"),
          size: optional(count("in bytes; absent if unknown")),
        }),
        "layers that stay where their URLs lead",
      ),
    },
  },
  "blob-begun": {
    says: "A blob is looked for at the destination, and sent if it is not there",
    members: {
      digest: digest("of the blob, at the source"),
      role: role(),
      size: optional(count("in bytes; absent if unknown")),
    },
  },
  "blob-moved": {
    says: "More bytes of a blob came from the source, for each destination; at most four times a second, and before it ends",
    members: {
      digest: digest("of the blob, at the source"),
      bytes: count("how many more"),
    },
  },
  "blob-restarted": {
    says: "A blob is read from its start once more",
    members: {
      digest: digest("of the blob, at the source"),
      reason: text("why"),
    },
  },
  "blob-ended": {
    says: "A blob is at the destination",
    members: {
      digest: digest("of the blob, at the source"),
      role: role(),
      outcome: outcome(),
      size: count("in bytes, at the destination"),
      storedAs: optional(digest("its digest at the destination; absent where it is the same")),
      changes: optional(list(change(), "what was done to its bytes; absent where they stayed")),
    },
  },
  "blob-foreseen": {
    says: "In a dry run: what would become of a blob",
    members: {
      digest: digest("of the blob, at the source"),
      role: role(),
      outcome: outcome(),
      changes: list(change(), "what would be done to its bytes; empty where they stay"),
      read: optional(count("bytes that would be read at the source; absent if unknown")),
      size: optional(count("in bytes, at the destination; absent where only sending can tell")),
      storedAs: optional(
        digest("its digest there; absent where it is the same, or only sending can tell"),
      ),
    },
  },
  "image-present": {
    says: "The destination has the image as it is, so that nothing of it is moved",
    members: {},
  },
  "manifest-begun": {
    says: "A manifest is written",
    members: { of: imageOrList() },
  },
  "manifest-written": {
    says: "A manifest is at the destination",
    members: {
      of: imageOrList(),
      digest: digest("of the manifest as written"),
      mediaType: text("of the manifest as written"),
      size: count("in bytes"),
    },
  },
  "signing-begun": {
    says: "A new signature is made",
    members: {
      activity: text("by whom and how"),
      number: optional(count("which of several, from 1; absent where it is the only one")),
    },
  },
  "signatures-begun": {
    says: "Signatures are stored at the destination",
    members: { of: imageOrList() },
  },
  retry: {
    says: "Something failed, and is tried again",
    members: {
      what: word({ request: true, download: true, upload: true, command: true }),
      reason: text("what it failed with"),
      waitMs: amount("how long is waited before, in milliseconds"),
      side: optional(side()),
    },
  },
  warning: {
    says: "Something that one should know although the copy goes on",
    members: { message: text("what") },
  },
  "copy-ended": {
    says: "A copy has succeeded",
    members: {
      digest: digest("of the manifest, or list, that the destination's name leads to now"),
      mediaType: optional(text("likewise; absent where an image was there before anybody read it")),
    },
  },
  "manifest-foreseen": {
    says: "In a dry run: which manifest would be written",
    members: {
      of: imageOrList(),
      mediaType: text("of the manifest"),
      digest: optional(digest("of the manifest; absent where only sending the blobs can tell")),
      size: optional(count("in bytes; likewise")),
    },
  },
  "copy-foreseen": {
    says: "In a dry run: what the destination's name would lead to",
    members: {
      digest: optional(digest("of the manifest, or list; absent where only sending can tell")),
      mediaType: optional(text("likewise")),
    },
  },
  "copy-failed": { says: "An attempt at a copy has failed", members: failure() },
  failed: { says: "The command has failed", members: failure() },
  summary: {
    says: "What all came to; always the last",
    members: {
      seconds: amount("since the command began to work"),
      ...summary(),
    },
  },
};

/** Returns the JSON schema of a line of the stream. */
export function eventSchema(): JsonObject {
  const kinds = Object.entries<{ readonly says: string; readonly members: AnyMembers }>(
    eventDescriptions,
  );
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "An event: one line of --events and of --progress json",
    oneOf: kinds.map(
      ([kind, { says, members }]) =>
        anyObject({ ...envelope(kind), ...scope(), ...members }, says).schema,
    ),
  };
}

function envelope(kind: string): Members<EventEnvelope> {
  return {
    v: { schema: { const: eventVersion, description: "the version of the stream" } },
    time: text("when, as RFC 3339 has it"),
    ms: amount("milliseconds since the command began to work, by a clock that only runs forward"),
    event: { schema: { const: kind } },
  };
}

function scope(): Members<EventScope> {
  return {
    copy: optional(count("which of several copies; absent where there is one")),
    destination: optional(
      count("which of several destinations; absent where there is one, or all are meant"),
    ),
    instance: optional(
      count("which of the images of a list that travel; absent where it is none of them"),
    ),
  };
}

/** Returns what is said of a decision of the policy. */
export function decision(): Members<Decision> {
  return {
    verdict: word({ admitted: true, rejected: true }),
    image: text("the name that the policy goes by"),
    digest: optional(digest("of the manifest; absent where nobody had to know")),
    by: word(
      { rules: true, images: true },
      "who was asked: the rules, or nobody, because all images of the list were admitted",
    ),
    rules: list(text("a type of rule"), "the rules that apply, in the order of asking"),
    scope: optional(
      object<PolicyScope>(
        {
          transport: text("the transport that the entry is for"),
          name: text("as policy.json has it; empty for the transport's default"),
        },
        "the entry of the policy that the rules stand in; absent for its default",
      ),
    ),
    answers: list(
      object<RuleAnswer>(answer()),
      "what the rules said that were asked: all up to the first that refused",
    ),
    refusedBy: optional(text("the type of the rule that refused")),
    reason: optional(text("why it was refused")),
  };
}

function answer(): Members<RuleAnswer> {
  return {
    rule: text("its type"),
    wants: optional(record(text("a value"), "what it wants, as far as there is more to say")),
    allowed: flag("whether it let the image in"),
    reason: optional(text("why not")),
    trials: list(object<SignatureTrial>(trial()), "how each signature fared that it looked at"),
  };
}

function trial(): Members<SignatureTrial> {
  return {
    number: count("its place among the signatures of the image, from 1"),
    form: text("what it is, such as simple signing"),
    outcome: either<TrialOutcome>(
      {
        accepted: { by: text("whose it is"), reference: text("the name that was signed") },
        refused: { reason: text("why") },
        ignored: { reason: text("why the rule does not look at it") },
      },
      "what became of it",
    ),
  };
}

function plannedBlob(): Described<PlannedBlob> {
  return object<PlannedBlob>({
    digest: digest("of the blob, at the source"),
    role: role(),
    size: optional(count("in bytes; absent if unknown")),
    crypt: optional(word({ encrypt: true, decrypt: true }, "what becomes of its encryption")),
    recoding: word(
      { none: true, compress: true, decompress: true },
      "what becomes of its compression, unless it turns out that nothing has to",
    ),
    format: optional(
      word<WrittenFormat>(
        { gzip: true, zstd: true, "zstd:chunked": true },
        "what it is compressed with, if it is",
      ),
    ),
  });
}

/** Returns what is said of a failure. */
export function failure(): Members<ToldFailure> {
  return {
    code: word<FailureCode>(
      {
        usage: true,
        config: true,
        "not-found": true,
        unauthorized: true,
        refused: true,
        rejected: true,
        corrupt: true,
        unsupported: true,
        unavailable: true,
        canceled: true,
        io: true,
        incomplete: true,
        bug: true,
      },
      "what kind of failure it is",
    ),
    message: text("what happened, as stderr says it"),
    hint: optional(text("what to do next")),
    side: optional(side()),
  };
}

/** Returns what is said of a run as a whole. */
export function summary(): Members<Summary> {
  return {
    copies: count("copies that have succeeded, each destination counting as one"),
    failures: count("likewise, copies whose last attempt has failed"),
    manifests: count("manifests written, lists included"),
    blobs: object<Moves>(moves("blobs"), "how many got there in which way"),
    bytes: object<Moves & { readonly read: number }>(
      {
        ...moves("bytes of blobs, at the destination,"),
        read: count("read at the source; once for all destinations"),
      },
      "how many bytes",
    ),
    retries: count("how often something was tried again, of all attempts"),
  };
}

/** Returns what is said of a number for each way in which blobs get there. */
export function moves(what: string): Members<Moves> {
  return {
    sent: count(`${what} that were sent`),
    reused: count(`${what} that were there`),
    mounted: count(`${what} that were taken from a neighbour`),
  };
}

/** Returns what is said of what is done to the bytes of a blob. */
export function change(): Described<BlobChange> {
  return word<BlobChange>({
    compress: true,
    decompress: true,
    encrypt: true,
    decrypt: true,
    convert: true,
  });
}

function imageOrList(): Described<"image" | "list"> {
  return word({ image: true, list: true });
}

/** Returns what is said of a blob's role. */
export function role(): Described<BlobRole> {
  return word<BlobRole>({ layer: true, config: true });
}

/** Returns what is said of how a blob got to the destination. */
export function outcome(): Described<BlobOutcome> {
  return word<BlobOutcome>(
    { sent: true, reused: true, mounted: true },
    "whether it was sent, was there, or was taken from a neighbour",
  );
}

function side(): Described<Side> {
  return word<Side>({ source: true, destination: true }, "which side it is about");
}
