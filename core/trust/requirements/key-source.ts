// KeySource: where a requirement finds its keys or certificates.

import { bytesOf, itemsOf, type Placed, textOf } from "../strict-json.ts";

/** Keys or certificates, any of which will do. Files are read when an image is judged, and not before. */
export type KeySource =
  | { readonly kind: "files"; readonly paths: readonly string[] }
  | { readonly kind: "contents"; readonly contents: readonly Uint8Array[] };

/** Returns what a path stands for, or undefined if there is none or it is empty. */
export function fileAt(member: Placed | undefined): KeySource | undefined {
  const path = member === undefined ? "" : textOf(member);
  return path === "" ? undefined : { kind: "files", paths: [path] };
}

/** Returns what a list of paths stands for, or undefined if there is no list. */
export function filesAt(member: Placed | undefined): KeySource | undefined {
  return member && { kind: "files", paths: itemsOf(member).map(textOf) };
}

/** Returns what base64 text stands for, or undefined if there is none. */
export function contentAt(member: Placed | undefined): KeySource | undefined {
  return member && { kind: "contents", contents: [bytesOf(member)] };
}

/** Returns what a list of base64 texts stands for, or undefined if there is no list. */
export function contentsAt(member: Placed | undefined): KeySource | undefined {
  return member && { kind: "contents", contents: itemsOf(member).map(bytesOf) };
}
