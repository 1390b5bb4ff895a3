// --multi-arch: which images of a list are meant, in the user's words.

import type { ImageSelection, PlatformFilter } from "../../core/copy/select.ts";
import { Failure } from "../../core/failure.ts";

/** What the flags of a command say about lists. */
export interface MultiArchValues {
  readonly all: boolean;
  readonly multiArch: string | undefined;
  readonly strip: boolean;
}

/** Returns the images that are meant. Fails with `usage`, in the original's words. */
export function parseMultiArch({ all, multiArch, strip }: MultiArchValues): ImageSelection {
  if (all && multiArch !== undefined) {
    throw new Failure("usage", "Cannot use --all and --multi-arch flags together");
  }
  const others = strip ? "strip" : "keep";
  switch (multiArch) {
    case undefined:
      return all ? "all" : "system";
    case "system":
    case "all":
      return multiArch;
    case "index-only":
      // To strip what does not travel is to strip all; selecting says so.
      return strip ? { platforms: [], others } : "index-only";
    default:
      return { platforms: parsePlatforms(multiArch), others };
  }
}

function parsePlatforms(text: string): readonly PlatformFilter[] {
  if (!text.includes("/")) {
    throw new Failure(
      "usage",
      `unknown multi-arch option ${JSON.stringify(text)}. Choose one of the supported options: 'system', 'all', 'index-only', or a comma-separated platform list like 'linux/amd64,linux/arm64'`,
    );
  }
  return text.split(",").map((entry) => parsePlatform(entry.trim()));
}

/** The original knows no variants; without one it means all of them, and so do we. */
function parsePlatform(entry: string): PlatformFilter {
  const [os, architecture, variant, ...others] = entry.split("/");
  if (os === undefined || architecture === undefined || variant === "" || others.length > 0) {
    throw new Failure(
      "usage",
      `invalid platform format ${JSON.stringify(entry)} in --multi-arch, expected OS/Architecture (e.g., linux/amd64)`,
      { hint: "a variant may follow, such as linux/arm/v7" },
    );
  }
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
