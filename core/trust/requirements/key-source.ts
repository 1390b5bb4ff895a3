// KeySource: where a requirement finds its keys or certificates.

import type { FileHandle } from "node:fs/promises";

import { collect } from "../../blob/collect.ts";
import { asFailure, Failure } from "../../failure.ts";
import { limits } from "../../limits.ts";
import { bytesOf, itemsOf, type Members, type Placed, textOf, wrong } from "../strict-json.ts";

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

/** Returns the names of all members that keys may stand in: each starts with `prefix`. */
export function keySourceNames(prefix: string): readonly string[] {
  return ["Path", "Paths", "Data", "Datas"].map((suffix) => prefix + suffix);
}

/** Returns all sources of keys whose members start with `prefix`. Fails with `config` on an empty list. */
export function keySourcesAt(members: Members, prefix: string): readonly KeySource[] {
  for (const list of [`${prefix}Paths`, `${prefix}Datas`]) {
    const member = members.get(list);
    if (member !== undefined && Array.isArray(member.value) && member.value.length === 0) {
      // The original spells the names of logs' keys so.
      const name = list.replace("PublicKey", "Publickey");
      throw wrong(member, `"${name}" contains no entries`);
    }
  }
  return [
    fileAt(members.get(`${prefix}Path`)),
    filesAt(members.get(`${prefix}Paths`)),
    contentAt(members.get(`${prefix}Data`)),
    contentsAt(members.get(`${prefix}Datas`)),
  ].filter((source) => source !== undefined);
}

/** Returns the certificates of a path or of data, or undefined if there is neither. Fails with `config`. */
export function certificatesAt(
  object: Placed,
  members: Members,
  prefix: string,
): KeySource | undefined {
  const file = fileAt(members.get(`${prefix}Path`));
  const content = contentAt(members.get(`${prefix}Data`));
  if (file !== undefined && content !== undefined) {
    throw wrong(object, `${prefix}Path and ${prefix}Data cannot be used simultaneously`);
  }
  return file ?? content;
}

/** Returns in words where keys come from. */
export function spelledSource(source: KeySource): string {
  if (source.kind === "files") return source.paths.join(", ");
  return source.contents.length === 1 ? "in the policy" : `${source.contents.length} in the policy`;
}

/** Returns what is in each of the files, or in the policy itself. Fails with `config`. */
export async function readKeySource(source: KeySource): Promise<readonly Uint8Array[]> {
  switch (source.kind) {
    case "contents":
      return source.contents;
    case "files":
      return Promise.all(source.paths.map(readKeyFile));
  }
}

/** Reads a file of keys or certificates. Fails with `config`, in the words of the C library. */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  const { open } = await import("node:fs/promises");
  try {
    await using file = await open(path);
    return await collect(chunksOf(file), limits.keyFileBytes);
  } catch (error) {
    const { message, hint } = asFailure(error);
    // Only failures to open name the file.
    const named = message.includes(path)
      ? message
      : message.replace(/^(read: )?/, `read ${path}: `);
    throw new Failure("config", named, { hint, cause: error });
  }
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { buffer, bytesRead } = await file.read(new Uint8Array(64 * 1024));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
