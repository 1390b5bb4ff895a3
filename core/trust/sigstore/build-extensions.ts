// Build extensions: what a certificate of Fulcio's may say of how something was built.
//
// See https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md

/** Extensions that say how something was built. */
export const buildExtensions = {
  buildSignerUri: "1.3.6.1.4.1.57264.1.9",
  buildSignerDigest: "1.3.6.1.4.1.57264.1.10",
  runnerEnvironment: "1.3.6.1.4.1.57264.1.11",
  sourceRepositoryUri: "1.3.6.1.4.1.57264.1.12",
  sourceRepositoryDigest: "1.3.6.1.4.1.57264.1.13",
  sourceRepositoryRef: "1.3.6.1.4.1.57264.1.14",
  sourceRepositoryOwnerUri: "1.3.6.1.4.1.57264.1.16",
  buildConfigUri: "1.3.6.1.4.1.57264.1.18",
  buildTrigger: "1.3.6.1.4.1.57264.1.20",
} as const;

/** The name of such an extension. */
export type BuildExtension = keyof typeof buildExtensions;
