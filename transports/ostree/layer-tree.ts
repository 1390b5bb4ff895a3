// Layer tree: the files of a layer in memory, as a commit of ostree holds them.

import { cleanPath } from "../../core/blob/tar-split.ts";
import type { TarEntry } from "../../core/blob/tar-reader.ts";
import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import { entryXattrs } from "../shared/layer-entry.ts";
import type { Checksum, DirTree, FileMeta } from "./objects.ts";

/** A file or a symbolic link, whose object has been written. */
export interface KeptFile {
  readonly checksum: Checksum;
  readonly size: number;
  /** Absent where it is no link. */
  readonly target?: string;
}

/** Writes the objects that directories are. */
export interface TreeWriter {
  writeTree(tree: DirTree): Checksum;
  writeMeta(meta: FileMeta): Checksum;
}

/** As many links as the system follows on one path. */
const mostLinks = 40;

/** Far deeper than a path of the system can be. */
const mostLevels = 2048;

interface Directory {
  meta: FileMeta;
  readonly depth: number;
  readonly children: Map<string, Directory | KeptFile>;
}

/** The files of one layer, put there entry by entry. */
export class LayerTree {
  readonly #root: Directory = { meta: implied, depth: 0, children: new Map() };

  /** Makes a directory, or gives one that is there what the entry says. */
  addDirectory(entry: TarEntry): void {
    const path = partsOf(entry.nameBytes, entry.name);
    const meta = metaOf(entry, kinds.directory);
    const name = path.pop();
    if (name === undefined) {
      this.#root.meta = meta;
      return;
    }
    const parent = this.#directory(path, entry.name);
    const found = parent.children.get(name);
    if (found !== undefined && "children" in found) found.meta = meta;
    else parent.children.set(name, directoryIn(parent, meta, entry.name));
  }

  /** Makes what an entry would lie in, which is all that is kept of devices and pipes. */
  addParents(entry: TarEntry): void {
    const path = partsOf(entry.nameBytes, entry.name);
    path.pop();
    this.#directory(path, entry.name);
  }

  /** Puts a file where an entry has it. */
  addFile(entry: TarEntry, file: KeptFile): void {
    const path = partsOf(entry.nameBytes, entry.name);
    const name = path.pop();
    if (name === undefined) {
      throw new Failure(
        "corrupt",
        `Layer has a file in the place of its root: ${quoted(entry.name)}`,
      );
    }
    const parent = this.#directory(path, entry.name);
    const found = parent.children.get(name);
    if (found !== undefined && "size" in found && found.size > 0) {
      throw new Failure("unsupported", `Layer has two files in one place: ${quoted(entry.name)}`);
    }
    parent.children.set(name, file);
  }

  /** Puts the file that a hard link leads to where the link is, with all that it has. */
  addHardLink(entry: TarEntry): void {
    const path = partsOf(entry.linkBytes, entry.link);
    const name = path.pop() ?? "";
    const found = this.#find(path)?.children.get(name);
    if (found === undefined || "children" in found) {
      throw new Failure(
        "corrupt",
        `invalid hardlink ${quoted(entry.name)} -> ${quoted(entry.link)}`,
      );
    }
    this.addFile(entry, found);
  }

  /** Writes all directories, and returns what a commit says of the topmost one. */
  write(writer: TreeWriter): { readonly tree: Checksum; readonly meta: Checksum } {
    return writeDirectory(this.#root, writer);
  }

  /** Returns a directory, and makes it and those above it where there is nothing. */
  #directory(path: readonly string[], shown: string): Directory {
    const found = this.#walk(path, (parent, name) => {
      const made = directoryIn(parent, implied, shown);
      parent.children.set(name, made);
      return made;
    });
    if (found !== undefined) return found;
    throw new Failure("corrupt", `Layer has an entry below what is no directory: ${quoted(shown)}`);
  }

  #find(path: readonly string[]): Directory | undefined {
    return this.#walk(path, () => undefined);
  }

  /** Follows a path and the links on it, which never lead out. */
  #walk(
    path: readonly string[],
    missing: (parent: Directory, name: string) => Directory | undefined,
  ): Directory | undefined {
    const trail = [this.#root];
    const rest = path.map((name) => ({ name, linked: false })).toReversed();
    let links = 0;
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      const { name, linked } = next;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const here = trail.at(-1) ?? this.#root;
      // Only what the path itself names is made: a link that leads nowhere stays one.
      const found = here.children.get(name) ?? (linked ? undefined : missing(here, name));
      if (found === undefined) return undefined;
      if ("children" in found) {
        trail.push(found);
        continue;
      }
      links += 1;
      if (found.target === undefined || links > mostLinks) return undefined;
      if (found.target.startsWith("/")) trail.length = 1;
      const target = found.target.split("/").map((each) => ({ name: each, linked: true }));
      rest.push(...target.reverse());
    }
    return trail.at(-1);
  }
}

/** The bits of a mode that tell what it is. */
export const kinds = { directory: 0o040000, regular: 0o100000, symbolicLink: 0o120000 } as const;

/** What a directory is that nobody has described. */
const implied: FileMeta = { uid: 0, gid: 0, mode: kinds.directory | 0o755, xattrs: [] };

/** Returns what the object of an entry says about it. */
export function metaOf(entry: TarEntry, kind: number): FileMeta {
  const { uid, gid, mode } = entry;
  // Links have one mode, and next to no attributes.
  if (kind === kinds.symbolicLink) return { uid, gid, mode: kind | 0o777, xattrs: [] };
  const xattrs = entryXattrs(entry).map(
    ([name, value]) => [Buffer.from(name).toString("latin1"), value] as const,
  );
  return { uid, gid, mode: kind | (mode & 0o7777), xattrs };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns bytes as text. Fails with `unsupported` if they are none, because ostree knows nothing else. */
export function textIn(bytes: Uint8Array, shown: string): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new Failure("unsupported", `Cannot keep the name ${quoted(shown)} in ostree: not UTF-8`, {
      cause: error,
    });
  }
}

function partsOf(name: Uint8Array, shown: string): string[] {
  const path = cleanPath(name);
  if (/^\.\.(\/|$)/.test(path)) {
    throw new Failure("corrupt", `Layer has an entry outside of it: ${quoted(shown)}`);
  }
  return path === "" ? [] : textIn(Buffer.from(path, "latin1"), shown).split("/");
}

function directoryIn({ depth }: Directory, meta: FileMeta, shown: string): Directory {
  if (depth >= mostLevels) {
    throw new Failure("unsupported", `Layer has directories nested too deeply: ${quoted(shown)}`);
  }
  return { meta, depth: depth + 1, children: new Map() };
}

function writeDirectory(
  { meta, children }: Directory,
  writer: TreeWriter,
): { readonly tree: Checksum; readonly meta: Checksum } {
  const files: (readonly [string, Checksum])[] = [];
  const directories: (readonly [string, Checksum, Checksum])[] = [];
  for (const [name, child] of children) {
    if ("children" in child) {
      const written = writeDirectory(child, writer);
      directories.push([name, written.tree, written.meta]);
    } else {
      files.push([name, child.checksum]);
    }
  }
  return { tree: writer.writeTree({ files, directories }), meta: writer.writeMeta(meta) };
}
