// Events: what a copy says about itself, to whoever shows it.

import type { Digest } from "../content/digest.ts";
import type { BlobRole } from "../image/destination.ts";

/** Something that happened in a copy. The order in which they come is the order of the work. */
export type CopyEvent =
  | { readonly kind: "signatures-sought"; readonly of: "image" | "list" }
  | { readonly kind: "signatures-found"; readonly of: "image" | "list" }
  | { readonly kind: "list-begun"; readonly chosen: number; readonly listed: number }
  | {
      readonly kind: "instance-begun";
      readonly digest: Digest;
      readonly index: number;
      readonly of: number;
    }
  | {
      readonly kind: "blob-begun";
      readonly digest: Digest;
      readonly role: BlobRole;
      /** In bytes; absent if unknown. */
      readonly size?: number;
    }
  /** More bytes of a blob were read from the source. */
  | { readonly kind: "blob-moved"; readonly digest: Digest; readonly bytes: number }
  /** The blob is read from its start once more, because something failed. */
  | { readonly kind: "blob-restarted"; readonly digest: Digest; readonly reason: string }
  | {
      readonly kind: "blob-ended";
      readonly digest: Digest;
      readonly role: BlobRole;
      readonly by: "sending" | "presence" | "mounting";
      /** In bytes, at the destination. */
      readonly size: number;
    }
  | { readonly kind: "manifest-begun"; readonly of: "image" | "list" }
  /** A new signature is made. `number` counts them from one; it is absent where there is but one. */
  | { readonly kind: "signing-begun"; readonly activity: string; readonly number?: number }
  | { readonly kind: "signatures-begun"; readonly of: "image" | "list" }
  /** Something the user should know although the copy goes on. */
  | { readonly kind: "warning"; readonly message: string };

/** Whoever wants to know. Must not throw. */
export type Tell = (event: CopyEvent) => void;
