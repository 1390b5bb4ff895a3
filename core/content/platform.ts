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

/** Returns Go's name for an operating system that Node has a name for. */
export function goOs(nodePlatform: string): string {
  return goOsNames[nodePlatform] ?? nodePlatform;
}

/** Returns Go's name for an architecture that Node has a name for. */
export function goArchitecture(nodeArchitecture: string, littleEndian = true): string {
  const name = goArchitectureNames[nodeArchitecture] ?? nodeArchitecture;
  return littleEndian ? (littleEndianNames[name] ?? name) : name;
}

/** What a machine says about itself, in Go's names. */
export interface Machine {
  readonly os: string;
  readonly architecture: string;
  /** The text of /proc/cpuinfo; absent where there is no such file. */
  readonly cpuinfo?: string;
}

/** Returns which variant of the ARM architectures a machine is, or undefined if it is none or unknown. */
export function detectVariant({ os, architecture, cpuinfo = "" }: Machine): string | undefined {
  if (architecture !== "arm" && architecture !== "arm64") return undefined;
  if (os === "darwin" || os === "windows") return architecture === "arm64" ? "v8" : "v7";
  const version = cpuinfoValue(cpuinfo, "cpu architecture");
  // The first Raspberry Pi claims to be a 7.
  const model = cpuinfoValue(cpuinfo, "model name");
  if (version === "7" && model.startsWith("armv6-compatible")) return "v6";
  return variants.find(([known]) => known.test(version))?.[1];
}

/** Which variants run where another one does: the first can run all that follow it. */
const compatibleVariants: Readonly<Record<string, readonly string[]>> = {
  arm: ["v8", "v7", "v6", "v5"],
  arm64: ["v8"],
};

const goOsNames: Readonly<Record<string, string>> = {
  sunos: "solaris",
  win32: "windows",
};

const goArchitectureNames: Readonly<Record<string, string>> = {
  ia32: "386",
  mipsel: "mipsle",
  x64: "amd64",
};

/** Node names these alike in both byte orders. */
const littleEndianNames: Readonly<Record<string, string>> = {
  ppc64: "ppc64le",
};

/** As the kernel spells the version, in lower case. */
const variants: readonly (readonly [RegExp, string])[] = [
  [/^(?:8|aarch64)$/, "v8"],
  [/^(?:7|7m|\?\(1[2-7]\))$/, "v7"],
  [/^(?:6|6tej)$/, "v6"],
  [/^5/, "v5"],
  [/^4/, "v4"],
  [/^3$/, "v3"],
];

function cpuinfoValue(cpuinfo: string, key: string): string {
  for (const line of cpuinfo.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && line.slice(0, colon).trim().toLowerCase() === key) {
      return line
        .slice(colon + 1)
        .trim()
        .toLowerCase();
    }
  }
  return "";
}
