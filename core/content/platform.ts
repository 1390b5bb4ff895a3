// Platforms: operating system, architecture, variant.

/** For which machines an image is meant, in the names of the Go toolchain. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
  /** Docker lists only: features the processor must have. */
  readonly features?: readonly string[];
}

/** Which platform somebody wants an image for. */
export interface PlatformWish {
  readonly os: string;
  readonly architecture: string;
  /** Absent where none was asked for and none was detected. */
  readonly variant?: string;
}

/** Returns the platforms that satisfy a wish, best first; an image without a variant is one of them. */
export function wantedPlatforms({ os, architecture, variant }: PlatformWish): PlatformWish[] {
  const compatible = compatibleVariants[architecture] ?? [];
  const plain = { os, architecture };
  if (variant === undefined || variant === "") {
    return [plain, ...compatible.map((each) => ({ ...plain, variant: each }))];
  }
  const position = compatible.indexOf(variant);
  const suitable = position < 0 ? [variant] : compatible.slice(position);
  return [...suitable.map((each) => ({ ...plain, variant: each })), plain];
}

/** Returns a platform as people write it, such as `linux/arm/v7`. */
export function platformName({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}

/** Which variants run where another one does: the first can run all that follow it. */
const compatibleVariants: Readonly<Record<string, readonly string[]>> = {
  arm: ["v8", "v7", "v6", "v5"],
  arm64: ["v8"],
};
