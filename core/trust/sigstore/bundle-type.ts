// The media type of bundles, for those who look for them and do not read them.

/** The media type of a bundle, and the artifact type of the manifest that leads to it. */
export const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
