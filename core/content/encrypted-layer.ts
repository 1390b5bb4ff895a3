// Encrypted layers: what their media types and annotations say.
//
// See https://github.com/opencontainers/image-spec/blob/main/media-types.md and
// https://github.com/containers/ocicrypt

const suffix = "+encrypted";
const prefix = "org.opencontainers.image.enc";

/** The names of the annotations. */
export const encryptionAnnotations = {
  /** How the layer is encrypted, for everybody to read. */
  publicOptions: `${prefix}.pubopts`,
  /** The layer's key, wrapped for its recipients; the kind of wrapping follows. */
  keys: `${prefix}.keys.`,
} as const;

/** Tells whether a layer of this type is encrypted. */
export function isEncryptedType(mediaType: string): boolean {
  return mediaType.endsWith(suffix);
}

/** Returns the type that a layer has once it is encrypted. */
export function encryptedType(mediaType: string): string {
  return `${mediaType}${suffix}`;
}

/** Returns the type that a layer has once it is decrypted. */
export function decryptedType(mediaType: string): string {
  return isEncryptedType(mediaType) ? mediaType.slice(0, -suffix.length) : mediaType;
}

/** Returns annotations without those that say how a layer is encrypted. */
export function withoutEncryption(
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([name]) => !name.startsWith(prefix)),
  );
}
