// Image flags: what may be said about one side of an operation.

import {
  duration,
  type FlagGroup,
  integer,
  maybeInteger,
  maybeSize,
  maybeText,
  maybeToggle,
  text,
  toggle,
  type Values,
} from "./flag.ts";

/** Which side a flag is about: the only image of the command, its source or its destination. */
export type Prefix = "" | "src-" | "dest-";

/** How the registry of one side is spoken to. Present wherever a registry may be. */
export function registryFlags(prefix: Prefix) {
  return {
    authFile: authFileFlag(`${prefix}authfile`),
    creds: maybeText(
      `${prefix}creds`,
      "Use `USERNAME[:PASSWORD]` for accessing the registry",
      // The original's short forms of the two.
      prefix === "" ? {} : { aliases: [prefix === "src-" ? "screds" : "dcreds"] },
    ),
    username: maybeText(`${prefix}username`, "Username for accessing the registry"),
    password: maybeText(`${prefix}password`, "Password for accessing the registry"),
    registryToken: maybeText(
      `${prefix}registry-token`,
      "Provide a Bearer token for accessing the registry",
    ),
    certDir: text(
      `${prefix}cert-dir`,
      "use certificates at `PATH` (*.crt, *.cert, *.key) to connect to the registry or daemon",
    ),
    tlsVerify: maybeToggle(
      `${prefix}tls-verify`,
      "require HTTPS and verify certificates when talking to the container registry or daemon",
    ),
    noCreds: toggle(`${prefix}no-creds`, "Access the registry anonymously"),
  } satisfies FlagGroup;
}

/** Where the credentials for registries are read from; absent: the environment says. */
export function authFileFlag(name: string) {
  return maybeText(
    name,
    "path of the registry credentials file. Default is ${XDG_RUNTIME_DIR}/containers/auth.json",
  );
}

/** What one side's registry flags say. */
export type RegistryValues = Values<ReturnType<typeof registryFlags>>;

/** All that may be said of an image, wherever it is kept. */
export function imageFlags(prefix: Prefix) {
  return {
    ...registryFlags(prefix),
    sharedBlobDir: text(
      `${prefix}shared-blob-dir`,
      "`DIRECTORY` to use to share blobs across OCI repositories",
    ),
    daemonHost: text(
      `${prefix}daemon-host`,
      "use docker daemon host at `HOST` (docker-daemon: only)",
    ),
  } satisfies FlagGroup;
}

/** What one side's image flags say. */
export type ImageValues = Values<ReturnType<typeof imageFlags>>;

/** How often a command tries again. */
export const retryFlags = {
  times: integer("retry-times", "the number of times to possibly retry"),
  delayMs: duration(
    "retry-delay",
    "Fixed delay between retries. If not set, retry uses an exponential backoff delay.",
  ),
};

/** What the retry flags say. */
export type RetryValues = Values<typeof retryFlags>;

/** How a destination is to keep what it is given. */
export const destinationFlags = {
  compress: toggle(
    "dest-compress",
    "Compress tarball image layers when saving to directory using the 'dir' transport. (default is same compression type as source)",
  ),
  decompress: toggle(
    "dest-decompress",
    "Decompress tarball image layers when saving to directory using the 'dir' transport. (default is same compression type as source)",
  ),
  compressFormat: maybeText("dest-compress-format", "`FORMAT` to use for the compression"),
  compressLevel: maybeInteger("dest-compress-level", "`LEVEL` to use for the compression"),
  forceCompressFormat: toggle(
    "dest-force-compress-format",
    "Force exclusive use of the compression algorithm set in --dest-compress-format",
  ),
  precomputeDigests: toggle(
    "dest-precompute-digests",
    "Precompute digests to prevent uploading layers already on the registry using the 'docker' transport.",
  ),
  uploadChunkBytes: maybeSize(
    "dest-upload-chunk-size",
    "Send layers to a registry in pieces of at most `SIZE` bytes (k, M, G or KiB, MiB, GiB are powers of 1024, kB, MB, GB of 1000). Without it, only after a request was refused as too large.",
  ),
  acceptUncompressed: toggle(
    "dest-oci-accept-uncompressed-layers",
    "Allow uncompressed image layers when saving to an OCI image using the 'oci' transport. (default is to compress things that aren't compressed)",
  ),
  append: toggle(
    "dest-append",
    "Add the image to an existing archive of several images, and keep what is there (supports docker-archive and oci-archive)",
  ),
};

/** What the destination flags say. */
export type DestinationValues = Values<typeof destinationFlags>;
