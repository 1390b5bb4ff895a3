// Contained tree: a directory of a stranger's files, walked as if it were all there is.
//
// Whoever made the files also made the symbolic links among them. They are followed, because that is
// what the paths of an image mean, but `/` and `..` never lead out of the tree.

import { constants, openSync } from "node:fs";
import { constants as system } from "node:os";
import { systemError } from "./libc/library.ts";
import { openInRoot } from "./libc/open-in-root.ts";
import {
  fileKinds,
  type FileStatus,
  type NameIn,
  statusBytes,
  statusOf,
  type TreeCalls,
  treeCalls,
} from "./libc/tree-calls.ts";

/** So many directories are kept open, because files of a directory come one after the other. */
const keptDirectories = 64;

/** As many links as the system follows on one path. */
const mostLinks = 40;

const reading = constants.O_RDONLY | constants.O_DIRECTORY;
/** O_PATH: to look at, not to read. */
const looking = 0o10000000 | constants.O_NOFOLLOW;

/**
 * A directory and what is below it. Paths are clean: names with single slashes between them, none of them
 * `.` or `..`, the empty path being the root; one character a byte, as in Latin-1.
 *
 * Methods fail as the functions of node:fs do. Descriptors that they return stay open for the next few
 * calls, and belong to the tree. Disposing closes them.
 */
export class ContainedTree implements Disposable {
  readonly calls: TreeCalls = treeCalls();
  /** What failures name, before a path in the tree. */
  readonly path: string;
  readonly #root: number;
  readonly #kept = new Map<string, number>();
  readonly #status = new Uint8Array(statusBytes);
  #lookup: "kernel" | "walk";

  /** Opens the tree at `path`. `lookup` is how paths are looked up: by the kernel, if it knows how to. */
  constructor(path: string, lookup: "kernel" | "walk" = "kernel") {
    this.path = path;
    this.#root = openSync(path, reading);
    this.#lookup = lookup;
  }

  /** Returns the descriptor of a directory. */
  directory(path: string): number {
    if (path === "") return this.#root;
    const kept = this.#kept.get(path);
    if (kept === undefined) return this.keep(path, this.#open(path));
    // Moved to the end: the one that was used last is closed last.
    this.#kept.delete(path);
    this.#kept.set(path, kept);
    return kept;
  }

  /** Keeps a directory that was opened for its next use, and returns its descriptor. */
  keep(path: string, descriptor: number): number {
    for (const [oldest, kept] of this.#kept) {
      if (this.#kept.size < keptDirectories) break;
      this.#kept.delete(oldest);
      this.calls.close(kept);
    }
    this.#kept.set(path, descriptor);
    return descriptor;
  }

  /** Forgets which directories are where: something was removed, so paths may lead elsewhere now. */
  forget(): void {
    for (const descriptor of this.#kept.values()) this.calls.close(descriptor);
    this.#kept.clear();
  }

  /** Returns the directory that a path is in, and its name there. */
  place(path: string): NameIn {
    const cut = path.lastIndexOf("/");
    const directory = this.directory(cut < 0 ? "" : path.slice(0, cut));
    return { directory, name: cString(path.slice(cut + 1)) };
  }

  /** Returns what stands at a place, not following a link; undefined if nothing does. */
  status({ directory, name }: NameIn): FileStatus | undefined {
    const error = this.calls.readStatus(directory, name, this.#status);
    if (error === 0) return statusOf(this.#status);
    if (error === -system.errno.ENOENT) return undefined;
    throw systemError(-error, "lstat", this.#shown(name));
  }

  /**
   * Opens a regular file for reading; whoever asks closes it. Fails with `EINVAL` if it is none: to open
   * a device or a pipe is to do something with it.
   */
  openFile(path: string): { readonly descriptor: number; readonly size: number } {
    const place = this.place(path);
    const found = this.status(place);
    if (found === undefined) throw systemError(system.errno.ENOENT, "open", this.shown(path));
    if ((found.mode & fileKinds.mask) !== fileKinds.regular) {
      throw systemError(system.errno.EINVAL, "open", this.shown(path));
    }
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const descriptor = this.calls.open(place.directory, place.name, flags, 0);
    if (descriptor < 0) throw systemError(-descriptor, "open", this.shown(path));
    return { descriptor, size: found.size };
  }

  /** Returns a path in the tree as failures name it. */
  shown(path: string): string {
    return `${this.path}/${Buffer.from(path, "latin1").toString("utf8")}`;
  }

  [Symbol.dispose](): void {
    this.forget();
    this.calls.close(this.#root);
  }

  #open(path: string): number {
    if (this.#lookup === "kernel") {
      const opened = openInRoot(this.#root, cString(path), reading);
      if (opened !== -system.errno.ENOSYS) return this.#checked(opened, path);
      this.#lookup = "walk";
    }
    return this.#walk(path);
  }

  /** As RESOLVE_IN_ROOT of openat2, name by name. */
  #walk(path: string): number {
    const trail: number[] = [];
    const rest = path.split("/").reverse();
    const here = () => trail.at(-1) ?? this.#root;
    const up = () => this.calls.close(trail.pop() ?? -1);
    let links = 0;
    try {
      for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
        if (name === "" || name === ".") continue;
        if (name === "..") {
          if (trail.length > 0) up();
          continue;
        }
        const found = this.#checked(this.calls.open(here(), cString(name), looking, 0), path);
        trail.push(found);
        const kind = (this.status({ directory: found, name: nothing })?.mode ?? 0) & fileKinds.mask;
        if (kind === fileKinds.directory) continue;
        if (kind !== fileKinds.symbolicLink) this.#checked(-system.errno.ENOTDIR, path);
        links += 1;
        if (links > mostLinks) this.#checked(-system.errno.ELOOP, path);
        const target = this.#target(found, path);
        up();
        while (target.startsWith("/") && trail.length > 0) up();
        rest.push(...target.split("/").reverse());
      }
      return this.#checked(this.calls.open(here(), cString("."), reading, 0), path);
    } finally {
      while (trail.length > 0) up();
    }
  }

  #target(link: number, path: string): string {
    const target = new Uint8Array(4096);
    const size = this.#checked(this.calls.readLink(link, nothing, target), path);
    return Buffer.from(target.subarray(0, size)).toString("latin1");
  }

  #checked(result: number, path: string): number {
    if (result < 0) throw systemError(-result, "open", this.shown(path));
    return result;
  }

  #shown(name: Uint8Array): string {
    return this.shown(Buffer.from(name.subarray(0, -1)).toString("latin1"));
  }
}

/** Returns a clean path, or a name, as system calls take it. */
export function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, "latin1");
}

const nothing = cString("");
