// A source that has nothing, but what a test gives it.

import { Failure } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { ImageSource } from "../../core/image/source.ts";

/** Returns a source of the image `dir:/image` that fails to read anything, apart from the parts given. */
export function sourceOf(
  name: Partial<ImageName> = {},
  parts: Partial<Omit<ImageSource, "name">> = {},
): ImageSource {
  const nothing = async () => {
    throw new Failure("not-found", "There is nothing here");
  };
  return {
    name: {
      transport: "dir",
      text: "/image",
      policyIdentity: "/image",
      policyNamespaces: ["/"],
      ...name,
    },
    concurrent: true,
    readManifest: nothing,
    readSignatures: async () => [],
    openBlob: nothing,
    [Symbol.asyncDispose]: async () => {},
    ...parts,
  };
}
