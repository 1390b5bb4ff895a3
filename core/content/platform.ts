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
