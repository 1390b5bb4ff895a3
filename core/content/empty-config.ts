// The empty config: what artifacts have where images have theirs.
//
// See https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor

import { digestOf } from "./digest.ts";

const bytes = new TextEncoder().encode("{}");

/** A config that says nothing. */
export const emptyConfig = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: digestOf(bytes),
  bytes,
} as const;
