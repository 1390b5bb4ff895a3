// Events: what a copy says about itself, to whoever shows it.
//
// The display on a terminal, the lines for scripts, the stream of JSON and the result are all made from
// these. `event-schema.ts` describes them to strangers and does not compile before it knows every one.

import type { Digest } from "../content/digest.ts";
import type { WrittenFormat } from "../content/media-types.ts";
import type { FailureCode, Side } from "../failure.ts";
import type { BlobRole } from "../image/destination.ts";
import type { Decision } from "../trust/decision.ts";
import type { BlobOutcome } from "./blob-outcome.ts";
import type { Recoding } from "./plan.ts";
import type { Summary } from "./summary.ts";

/** The version of the events that programs read. Events and members may be added to it; none changes its meaning. */
export const eventVersion = 1;

/** Which part of a run an event is about. What is absent, there is only one of. */
export interface EventScope {
  /** One of several copies, counted from 0 in the order in which they are begun. */
  readonly copy?: number;
  /** One of several destinations of a copy, from 0; absent also for what all of them have in common. */
  readonly destination?: number;
  /** One of the images of a list that travel, from 0; absent also for the list itself. */
  readonly instance?: number;
}

/** One blob of a plan. */
export interface PlannedBlob {
  readonly digest: Digest;
  readonly role: BlobRole;
  /** In bytes; absent if unknown. */
  readonly size?: number;
  /** Whether it is encrypted last of all, or decrypted before all else; absent: neither. */
  readonly crypt?: "encrypt" | "decrypt";
  /** What shall become of its compression, unless it turns out that nothing has to. */
  readonly recoding: Recoding["kind"];
  /** What it is compressed with, if it is. */
  readonly format?: WrittenFormat;
}

/** A layer that is not kept with the image. */
export interface ForeignLayer {
  readonly digest: Digest;
  /** In bytes; absent if unknown. */
  readonly size?: number;
}

/** What is done to the bytes of a blob on its way. */
export type BlobChange = "compress" | "decompress" | "encrypt" | "decrypt" | "convert";

/** What would become of a blob. */
export interface BlobForecast {
  /** At the source. */
  readonly digest: Digest;
  readonly role: BlobRole;
  readonly outcome: BlobOutcome;
  /** What would be done to its bytes; empty where they stay. */
  readonly changes: readonly BlobChange[];
  /** How many bytes would be read at the source; absent if unknown. */
  readonly read?: number;
  /** In bytes, at the destination; absent where only sending can tell. */
  readonly size?: number;
  /** The digest that it would have there; absent where it is the same, or only sending can tell. */
  readonly storedAs?: Digest;
}

/** What is said about a failure, for programs and for people. */
export interface ToldFailure {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
  readonly side?: Side;
}

/** Something that happened. The order in which they come is the order of the work. */
export type CopyEvent =
  /** A copy is attempted; once more after a failure, and then all that it had done counts no more. */
  | {
      readonly kind: "copy-begun";
      readonly source: string;
      readonly destinations: readonly string[];
      /** Set if nothing will be written, but only be said what would be. */
      readonly dryRun?: true;
    }
  | ({ readonly kind: "policy-decided" } & Decision)
  | { readonly kind: "signatures-sought"; readonly of: "image" | "list" }
  | { readonly kind: "signatures-found"; readonly of: "image" | "list" }
  /** There are bundles about it, and they travel with it. */
  | { readonly kind: "bundles-found"; readonly of: "image" | "list"; readonly count: number }
  | { readonly kind: "list-begun"; readonly chosen: number; readonly listed: number }
  | {
      readonly kind: "instance-begun";
      readonly digest: Digest;
      readonly index: number;
      readonly of: number;
    }
  | {
      readonly kind: "image-planned";
      /** Of the manifest at the source. */
      readonly digest: Digest;
      /** Likewise. */
      readonly mediaType: string;
      /** Manifest types to try, best first. */
      readonly formats: readonly string[];
      /** Why the manifest has to stay as it is; absent where it may change. */
      readonly frozenBecause?: string;
      readonly blobs: readonly PlannedBlob[];
      /** Layers that stay where their URLs lead. */
      readonly foreign: readonly ForeignLayer[];
    }
  | {
      readonly kind: "blob-begun";
      readonly digest: Digest;
      readonly role: BlobRole;
      /** In bytes; absent if unknown. */
      readonly size?: number;
    }
  /** More bytes of a blob came from the source. Of several destinations each is told of its own. */
  | { readonly kind: "blob-moved"; readonly digest: Digest; readonly bytes: number }
  /** The blob is read from its start once more, because something failed. */
  | { readonly kind: "blob-restarted"; readonly digest: Digest; readonly reason: string }
  | {
      readonly kind: "blob-ended";
      readonly digest: Digest;
      readonly role: BlobRole;
      readonly outcome: BlobOutcome;
      /** In bytes, at the destination. */
      readonly size: number;
      /** The digest that it has there; absent where it is the same. */
      readonly storedAs?: Digest;
      /** What was done to its bytes on the way; absent where they stayed. */
      readonly changes?: readonly BlobChange[];
    }
  /** In a dry run: what would become of a blob. */
  | ({ readonly kind: "blob-foreseen" } & BlobForecast)
  /** The destination has the image as it is, so that nothing of it is moved. */
  | { readonly kind: "image-present" }
  | { readonly kind: "manifest-begun"; readonly of: "image" | "list" }
  | {
      readonly kind: "manifest-written";
      readonly of: "image" | "list";
      readonly digest: Digest;
      readonly mediaType: string;
      /** In bytes. */
      readonly size: number;
    }
  /** A new signature is made. `number` counts them from one; it is absent where there is but one. */
  | { readonly kind: "signing-begun"; readonly activity: string; readonly number?: number }
  | { readonly kind: "signatures-begun"; readonly of: "image" | "list" }
  /** Something failed, and is tried again. */
  | {
      readonly kind: "retry";
      readonly what: "request" | "download" | "upload" | "command";
      readonly reason: string;
      /** How long is waited before, in milliseconds. */
      readonly waitMs: number;
      readonly side?: Side;
    }
  /** Something the user should know although the copy goes on. */
  | { readonly kind: "warning"; readonly message: string }
  | {
      readonly kind: "copy-ended";
      /** Of the manifest, or list, that the destination's name leads to now. */
      readonly digest: Digest;
      /** Likewise; absent where an image was there before anybody read it. */
      readonly mediaType?: string;
    }
  /** In a dry run: which manifest would be written. */
  | {
      readonly kind: "manifest-foreseen";
      readonly of: "image" | "list";
      readonly mediaType: string;
      /** Absent where only sending the blobs can tell. */
      readonly digest?: Digest;
      /** In bytes; likewise. */
      readonly size?: number;
    }
  /** In a dry run: what the destination's name would lead to. */
  | {
      readonly kind: "copy-foreseen";
      /** Absent where only sending the blobs can tell. */
      readonly digest?: Digest;
      readonly mediaType?: string;
    }
  | ({ readonly kind: "copy-failed" } & ToldFailure)
  /** The whole command has failed. */
  | ({ readonly kind: "failed" } & ToldFailure)
  /** What all came to; always the last. */
  | ({
      readonly kind: "summary";
      /** Since the command began to work. */
      readonly seconds: number;
    } & Summary);

/** An event, and what it is about. */
export type ToldEvent = CopyEvent & EventScope;

/**
 * Whoever wants to know. Must not throw. Some are slow: whoever is about to tell much more waits for what is
 * returned, if it is something to wait for.
 */
export type Tell = (event: ToldEvent) => unknown;

/** Returns whom to tell about one part of a run. */
export function about(scope: EventScope, tell: Tell): Tell {
  return (event) => tell({ ...event, ...scope });
}

/** Returns the failure that an event is about, without all else that the event says. */
export function failureIn({ code, message, hint, side }: ToldFailure): ToldFailure {
  return {
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(side !== undefined && { side }),
  };
}
