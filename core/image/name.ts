// ImageName: which image, in the user's words.

import type { Digest } from "../content/digest.ts";

/**
 * Which image is meant, in the user's words.
 *
 * Trust decisions rest on this, never on what an image claims about itself.
 */
export interface ImageName {
  /** What stands before the first colon, such as `docker` or `oci-archive`. */
  readonly transport: string;
  /** What follows the colon, so spelled that parsing it gives an equal name. */
  readonly text: string;
  /** The full name a registry knows it by, with its tag or digest, where there is one. */
  readonly docker?: string;
  /** The digest the user pinned, where the name has one. */
  readonly digest?: Digest;
  /** The key by which policy.json may single out this image; empty where there is none. */
  readonly policyIdentity: string;
  /** Wider keys to try after that, narrowest first. The transport's default comes last of all. */
  readonly policyNamespaces: readonly string[];
}

/** Returns the name as the user may write it: `transport:text`. */
export function spelled(name: ImageName): string {
  return `${name.transport}:${name.text}`;
}
