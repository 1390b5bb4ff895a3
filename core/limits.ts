// Every limit by its name: what we accept from outside, how often we try, and how long we wait.

const KiB = 1024;
const MiB = 1024 * KiB;

/** Sizes in bytes, times in milliseconds. Nothing from outside is read whole without one of these. */
export const limits = {
  /** As registries limit it. */
  manifestBytes: 4 * MiB,
  configBytes: 4 * MiB,
  signatureBytes: 4 * MiB,
  /** All signatures of one image, as registries that keep them themselves give them. */
  signatureListBytes: 4 * MiB,
  /** Lookaside servers may answer for ever. */
  signatures: 128,
  signaturesBytes: 64 * MiB,
  /** What may be kept about one image that has to be looked at one by one. */
  referrers: 128,
  /** Blobs of a layout that are looked at because they may be about an image, and how large such a one may be. */
  savedBlobs: 10_000,
  savedManifestBytes: 64 * KiB,
  /** A path from a certificate to its root, and the signatures looked at to find one. */
  certificatePath: 10,
  certificateChecks: 100,
  /** Log entries that come with one bundle, and the way of one to the root of its log. */
  bundleEntries: 32,
  inclusionPath: 64,
  /** What a log signs about itself, by itself and by witnesses. */
  checkpointBytes: 64 * KiB,
  checkpointSignatures: 64,
  /** What a regular expression in a policy may come to. */
  patternSteps: 10_000,
  tokenBytes: 1 * MiB,
  /** What a certificate authority, a log or an identity provider may answer. */
  serviceBytes: 1 * MiB,
  /** How long an identity provider may let a person take to say who they are. */
  loginSeconds: 60 * 60,
  errorBodyBytes: 1 * MiB,
  /** How much text from outside one message may show. */
  shownCharacters: 1 * KiB,
  tagsPageBytes: 16 * MiB,
  tagsPages: 10_000,
  indexJsonBytes: 32 * MiB,
  /** The table of contents of a Docker archive, as the original limits it. */
  archiveItemsBytes: 1 * MiB,
  configFileBytes: 4 * MiB,
  /** What is written down of all images of a mirror: a kibibyte for an image with ten layers. */
  lockBytes: 64 * MiB,
  /** Keys and certificates that a policy names: distributions put hundreds into one file. */
  keyFileBytes: 4 * MiB,
  /** What somebody may type, or pipe in, when asked for a name or a password. */
  inputBytes: 1 * MiB,
  /** What a credential helper may say. */
  helperOutputBytes: 1 * MiB,
  jsonDepth: 64,
  /** What a Singularity image may hold besides its root file system. */
  sifObjects: 1024,
  /** One directory of a file system that is read, and the path of one file there. */
  directoryBytes: 64 * MiB,
  pathBytes: 4 * KiB,
  /** How deep images are looked for below a directory. */
  directoryDepth: 100,
  layers: 10_000,
  /** For how many the key of a layer may be wrapped: each may cost a computation with a private key. */
  recipients: 256,
  /** What a store of images says about all that it holds. */
  storeRecordsBytes: 256 * MiB,
  /** A pattern that somebody wrote, how deep its groups nest, what it may grow to, and one repetition. */
  patternCharacters: 4096,
  patternDepth: 100,
  patternInstructions: 20_000,
  patternRepetitions: 1000,

  tarNameBytes: 4 * KiB,
  /** Extended headers of one tar entry together, and those that hold for a whole archive. */
  tarRecordsBytes: 1 * MiB,
  /** What is known of an archive's entries is kept in memory: as many, and names of so many bytes. */
  archiveEntries: 200_000,
  archiveNamesBytes: 32 * MiB,
  /** A link in an archive may lead to another link, but not for ever. */
  archiveLinks: 10,
  /** Likewise of a layer that is unpacked: no path may come twice, so all of them are kept in memory. */
  layerEntries: 4_000_000,
  layerNamesBytes: 256 * MiB,
  /** What ostree allows of a commit, and far more than it has of one directory. */
  ostreeCommitBytes: 128 * MiB,
  ostreeTreeBytes: 64 * MiB,
  /** One line of a tar-split: a file's headers, in Base64. */
  tarSplitLineBytes: 16 * MiB,

  /** Blobs moved at a time, where both sides allow several. */
  parallelBlobs: 6,
  /** Layers compressed at a time: one keeps all processors busy, and each takes memory. */
  compressedLayers: 2,
  /** Smaller ones do not count: they are over before the next has begun. */
  smallLayerBytes: 4 * MiB,
  /** Parts of one work: whoever divides it weighs each part for each repository. */
  shards: 1000,
  /** Images synchronized at a time, and blobs moved at a time by all of them together. */
  parallelImages: 8,
  sharedBlobs: 16,
  /** What several destinations of one copy have not all read yet is kept on disk: so many blobs and bytes. */
  spoolFiles: 256,
  spoolBytes: 64 * 1024 * MiB,
  spoolReadBytes: 256 * KiB,
  /** Blobs up to this size go in the request that commits them, where many are sent. */
  wholeUploadBytes: 256 * KiB,
  /** Of a blob in one request, once a larger one was refused. */
  largestPieceBytes: 64 * MiB,
  /** Likewise, where the piece is held in memory because its size is not known before. */
  heldPieceBytes: 8 * MiB,

  /** What a proxy may say about a tunnel before it opens. */
  proxyHeaderBytes: 16 * KiB,
  /** Request bodies up to this size are sent as one. */
  smallBodyBytes: 64 * KiB,
  redirects: 10,
  /** How much of an unwanted answer is read, so that its connection can be used again. */
  discardedBytes: 64 * KiB,
  requestAttempts: 4,
  /** The first pause between two attempts; each further one doubles. */
  retryDelayMs: 500,
  /** An attempt that failed only after so long is not made again: the next would take as long. */
  slowAttemptMs: 20_000,
  /** The longest `Retry-After` that is waited for. */
  retryAfterMs: 60_000,
  /** All waiting of one copy together. */
  waitingMs: 120_000,
  /** Broken downloads in a row that brought no new byte. */
  fruitlessResumptions: 3,
  connectMs: 30_000,
  firstHeaderMs: 60_000,
  /** Registries hash a whole blob before they answer the commit. */
  commitMs: 300_000,
  /** How long an engine may be silent: it packs and unpacks whole images before it says a word. */
  engineMs: 60 * 60 * 1000,
  /** How long a server is looked at once more, to say why TLS failed. */
  secondLookMs: 2_000,
  /** How long a credential helper may take; it may have to ask a person. */
  helperMs: 60_000,
  /** Credentials that were looked for again so recently are not looked for once more. */
  renewalMs: 60_000,
  /** How long plain http is held back where both are allowed and https stays silent. */
  headStartMs: 300,
  /** No byte for so long means that the connection is broken. */
  idleMs: 60_000,
  /** Fewer bytes than `slowBytes` in `slowMs` mean the same. */
  slowMs: 120_000,
  slowBytes: 1 * KiB,
  /** How long the runtime may take to end by itself once all is done. */
  lastMs: 100,
  /** What may wait for a reader of our output before the work waits, too. */
  unreadBytes: 256 * KiB,
  /** How long a reader who reads nothing is waited for when the program is to end. */
  unreadMs: 250,
  /** How long cleaning up after a signal may take. */
  cleanUpMs: 1_000,
  /** How long another process may hold the cache of blobs before we do without it. */
  cacheWaitMs: 1_000,
  /** Where a blob was seen is written down again after so long, not each time. */
  seenAgainMs: 24 * 60 * 60 * 1000,
  /** A temporary file of ours that is older than this was left by a run that crashed. */
  leftoverMs: 24 * 60 * 60 * 1000,
} as const;
