// Files: what a directory image consists of, by name.

import { type Digest, digestAlgorithm, digestHex } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";

/** The top-level manifest. */
export const manifestFile = "manifest.json";

/** Says which format the directory has; written last, so that it stands for completeness. */
export const versionFile = "version";

/** Returns the file that a blob is kept in. */
export function blobFile(digest: Digest): string {
  const algorithm = digestAlgorithm(digest);
  return algorithm === "sha256" ? digestHex(digest) : `${algorithm}-${digestHex(digest)}`;
}

/** Returns the file of the manifest of an instance or, without one, of the top level. */
export function manifestFileOf(instance: Digest | undefined): string {
  return instance === undefined ? manifestFile : `${blobFile(instance)}.${manifestFile}`;
}

/** Returns the file of a signature of an instance or of the top level, counted from one. */
export function signatureFileOf(instance: Digest | undefined, number: number): string {
  const prefix = instance === undefined ? "" : `${blobFile(instance)}.`;
  return `${prefix}signature-${number}`;
}

/** Tells whether a file is called like a signature, of whichever manifest. */
export function isSignatureFile(name: string): boolean {
  return /(?:^|\.)signature-\d+$/.test(name);
}

/** Tells whether a file is called like a blob, a manifest or a signature of an image. */
export function isPartOfImage(name: string): boolean {
  return partOfImage.test(name);
}

const partOfImage =
  /^(?:(?:sha(?:384|512)-)?[0-9a-f]{64,128}(?:\.manifest\.json|\.signature-\d+)?|manifest\.json|signature-\d+)$/;

const versionPrefix = "Directory Transport Version: ";

/** The newest version known; 1.2 allows digests other than SHA-256. */
const newest = { major: 1, minor: 2 };

/** Returns the content of the version file of an image that holds these files. */
export function versionText(files: Iterable<string>): string {
  const others = [...files].some((name) => /^sha(?:384|512)-/.test(name));
  return `${versionPrefix}${others ? "1.2" : "1.1"}\n`;
}

/** Fails with `corrupt` or, on a version from the future, `unsupported`. `path` is the directory. */
export function checkVersion(text: string, path: string): void {
  const found = /^Directory Transport Version: ([0-9]{1,9})\.([0-9]{1,9})\n$/.exec(text);
  if (found === null) {
    throw new Failure("corrupt", `invalid version file content: ${JSON.stringify(text)}`);
  }
  const [major, minor] = [Number(found[1]), Number(found[2])];
  if (major > newest.major || (major === newest.major && minor > newest.minor)) {
    const version = JSON.stringify(text.slice(versionPrefix.length).trim());
    throw new Failure(
      "unsupported",
      `unsupported directory transport version ${version} at ${path}`,
    );
  }
}
