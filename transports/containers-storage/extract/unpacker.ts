// Unpacker: makes the files of a layer as its headers have them, and nothing outside of their directory.

import { constants } from "node:fs";
import { constants as system } from "node:os";
import { cleanPath } from "../../../core/blob/tar-split.ts";
import { Failure } from "../../../core/failure.ts";
import { quoted } from "../../../core/foreign-text.ts";
import { ContainedTree, cString } from "../../shared/contained-tree.ts";
import { systemError } from "../../shared/libc/library.ts";
import { deviceNumber, fileKinds, type NameIn } from "../../shared/libc/tree-calls.ts";
import { setXattr } from "../../shared/libc/xattrs.ts";
import { isSystemError } from "../../shared/system.ts";
import type { TarEntry } from "../../../core/blob/tar-reader.ts";
import { Brought } from "./brought.ts";
import { type AttributeForm, EntryAttributes } from "./entry-attributes.ts";
import { LayerFile } from "./layer-file.ts";
import { namesIn, removeTree } from "./remove-tree.ts";
import { baseOf, opaqueName, whiteoutOfEngine, whiteoutPrefix } from "./whiteout-name.ts";

/** Where a layer is unpacked, and in which of the ways that stores have. */
export interface UnpackTarget extends AttributeForm {
  /**
   * A directory that is there. Its own mode, owner and times are the affair of whoever made it: of an entry for
   * it, no more than the attribute of `forceMask` is kept.
   */
  readonly directory: string;
  /**
   * `overlay`: whiteouts become devices and attributes of overlayfs. `overlay-fuse`: they stay the files
   * they are. `vfs`: the directory is a copy of the layer below, and they remove what is there.
   */
  readonly whiteouts: "overlay" | "overlay-fuse" | "vfs";
  /** Whether this runs in a user namespace: devices are left out then, and attributes that are refused. */
  readonly rootless: boolean;
}

/** Makes files, entry by entry. Disposing closes what is open. Methods fail as node:fs does, or as Failures. */
export class Unpacker implements Disposable {
  readonly #target: UnpackTarget;
  readonly #tree: ContainedTree;
  /** Set at the end, because everything that is put into a directory changes its times. */
  readonly #directories: { readonly path: string; readonly entry: TarEntry }[] = [];
  /** What this layer has brought, where it may have to be told from what was there. */
  readonly #brought = new Brought();
  readonly #attributes: EntryAttributes;

  constructor(target: UnpackTarget) {
    this.#target = target;
    this.#tree = new ContainedTree(target.directory);
    this.#attributes = new EntryAttributes(this.#tree, target);
  }

  /**
   * Makes what an entry stands for. Returns a file if its content has to be written; any other content
   * is not kept.
   */
  add(entry: TarEntry): LayerFile | undefined {
    const path = cleanPath(entry.nameBytes);
    if (/^\.\.(\/|$)/.test(path)) {
      throw new Failure("corrupt", `Layer has an entry outside of it: ${quoted(entry.name)}`);
    }
    if (path === "") return this.#root(entry);
    const base = baseOf(path);
    if (base.startsWith(whiteoutPrefix) && this.#target.whiteouts !== "overlay-fuse") {
      this.#whiteout(path, entry);
      return undefined;
    }
    if (this.#target.whiteouts === "vfs") this.#brought.add(path);
    switch (entry.kind) {
      case "file":
        return this.#file(path, entry);
      case "directory":
        return this.#directory(path, entry);
      case "symbolic-link":
        return this.#symbolicLink(path, entry);
      case "hard-link":
        return this.#hardLink(path, entry);
      case "character-device":
      case "block-device":
      case "fifo":
        return this.#node(path, entry);
      case "other":
        throw new Failure("bug", `A layer's entry is of the kind "${entry.typeFlag}"`);
    }
  }

  /** Sets the times of directories. To be called when all entries have been added. */
  complete(): void {
    for (const { path, entry } of this.#directories) {
      const place = this.#tree.place(path);
      const found = this.#tree.status(place);
      // A later entry may have put something else in its place.
      if ((found?.mode ?? 0) >> 12 !== fileKinds.directory >> 12) continue;
      this.#attributes.giveTimes(place, entry, path);
    }
  }

  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]();
  }

  /** All that is kept of the entry for the directory itself, and only where its mode is in an attribute. */
  #root(entry: TarEntry): undefined {
    if (entry.kind === "directory")
      this.#attributes.giveOverride(this.#tree.directory(""), entry, "");
    return undefined;
  }

  #file(path: string, entry: TarEntry): LayerFile {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const descriptor = this.#make(path, "open", ({ directory, name }) =>
      this.#tree.calls.open(directory, name, flags, 0o600),
    );
    return new LayerFile(descriptor, this.#tree.shown(path), () => {
      this.#attributes.giveOpen(descriptor, entry, path);
      this.#attributes.giveTimesOf(descriptor, entry, path);
    });
  }

  #directory(path: string, entry: TarEntry): undefined {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const { calls } = this.#tree;
    let place = this.#place(path);
    const made = calls.makeDirectory(place.directory, place.name, 0o700);
    if (made === -system.errno.EEXIST) {
      const found = this.#tree.status(place);
      if (((found?.mode ?? 0) & fileKinds.mask) !== fileKinds.directory) {
        this.#make(path, "mkdir", ({ directory, name }) =>
          calls.makeDirectory(directory, name, 0o700),
        );
        place = this.#place(path);
      }
    } else {
      this.#checked(made, "mkdir", path);
    }
    const opened = calls.open(place.directory, place.name, flags, 0);
    const descriptor = this.#checked(opened, "open", path);
    try {
      this.#attributes.giveOpen(descriptor, entry, path);
    } finally {
      calls.close(descriptor);
    }
    this.#directories.push({ path, entry });
  }

  #symbolicLink(path: string, entry: TarEntry): undefined {
    const target = cString(Buffer.from(entry.linkBytes).toString("latin1"));
    this.#make(path, "symlink", ({ directory, name }) =>
      this.#tree.calls.makeSymbolicLink(target, directory, name),
    );
    this.#attributes.giveLink(this.#tree.place(path), entry, path);
  }

  #hardLink(path: string, entry: TarEntry): undefined {
    const target = cleanPath(entry.linkBytes);
    if (target === "" || /^\.\.(\/|$)/.test(target)) {
      throw new Failure(
        "corrupt",
        `invalid hardlink ${quoted(entry.name)} -> ${quoted(entry.link)}`,
      );
    }
    this.#place(path);
    this.#make(path, "link", (place) =>
      this.#tree.calls.makeHardLink(this.#tree.place(target), place),
    );
    const place = this.#tree.place(path);
    const found = this.#tree.status(place);
    // What the header says holds for the file that the link shares, as engines have it.
    if (((found?.mode ?? 0) & fileKinds.mask) === fileKinds.symbolicLink) {
      this.#attributes.giveOwner(place, entry, path);
    } else {
      this.#attributes.giveNamed(place, entry, path);
    }
  }

  #node(path: string, entry: TarEntry): LayerFile | undefined {
    if (this.#target.forceMask !== undefined) {
      const standIn = this.#file(path, entry);
      standIn.complete();
      standIn[Symbol.dispose]();
      return undefined;
    }
    if (entry.kind !== "fifo" && this.#target.rootless) {
      // All that is kept of it is what it would be in.
      this.#place(path);
      return undefined;
    }
    const mode = nodeKinds[entry.kind] ?? fileKinds.fifo;
    const { deviceMajor, deviceMinor } = entry;
    const device = entry.kind === "fifo" ? 0n : deviceNumber(deviceMajor, deviceMinor);
    this.#make(path, "mknod", ({ directory, name }) =>
      this.#tree.calls.makeNode(directory, name, { mode: mode | 0o600, device }),
    );
    this.#attributes.giveNamed(this.#tree.place(path), entry, path);
    return undefined;
  }

  #whiteout(path: string, entry: TarEntry): void {
    const base = baseOf(path);
    const directory = path.slice(0, Math.max(0, path.length - base.length - 1));
    const hidden = base.slice(whiteoutPrefix.length);
    if (hidden === "" || hidden === "." || hidden === "..") {
      throw new Failure("corrupt", `Layer has a whiteout of nothing: ${quoted(entry.name)}`);
    }
    const there = directory === "" ? hidden : `${directory}/${hidden}`;
    if (this.#target.whiteouts === "vfs") {
      this.#place(path);
      return this.#applyWhiteout(base, directory, there);
    }
    if (base === opaqueName) return this.#makeOpaque(directory, path);
    let place: NameIn;
    try {
      place = this.#place(there);
    } catch (error) {
      // Where the directory is none, there is nothing to hide.
      if (isSystemError(error, "ENOTDIR")) return;
      throw error;
    }
    const device = { mode: fileKinds.characterDevice, device: 0n };
    const made = this.#tree.calls.makeNode(place.directory, place.name, device);
    this.#checked(made, "mknod", there);
    this.#attributes.giveOwner(place, entry, there);
  }

  #makeOpaque(directory: string, path: string): void {
    const name = this.#target.rootless ? "user.overlay.opaque" : "trusted.overlay.opaque";
    const { directory: descriptor } = this.#place(path);
    const yes = new Uint8Array([0x79]);
    this.#checked(setXattr(descriptor, cString(name), yes), "setxattr", directory);
  }

  /** Removes what a whiteout hides from the copy of the layer below. */
  #applyWhiteout(base: string, directory: string, hidden: string): void {
    if (base === opaqueName) return this.#removeOthers(directory);
    if (base.startsWith(whiteoutOfEngine)) return;
    if (this.#brought.holds(hidden)) {
      // Engines remove it, and can never give the layer back.
      throw new Failure("unsupported", `Layer hides its own file ${quoted(utf8(hidden))}`);
    }
    this.#remove(hidden);
  }

  /** Removes everything from a directory, down to what this layer has brought. */
  #removeOthers(directory: string): void {
    for (const name of namesIn(this.#tree.directory(directory))) {
      const path = directory === "" ? name : `${directory}/${name}`;
      if (!this.#brought.has(path)) {
        this.#remove(path);
        continue;
      }
      const found = this.#tree.status(this.#tree.place(path));
      if (((found?.mode ?? 0) & fileKinds.mask) === fileKinds.directory) this.#removeOthers(path);
    }
  }

  #remove(path: string): void {
    const { directory, name } = this.#tree.place(path);
    removeTree(this.#tree.calls, { directory, name }, this.#tree.shown(path));
    this.#tree.forget();
  }

  /** Makes something new, in place of whatever stands there. */
  #make(path: string, call: string, make: (place: NameIn) => number): number {
    const made = make(this.#place(path));
    if (made !== -system.errno.EEXIST) return this.#checked(made, call, path);
    this.#checkReplaced(path);
    this.#remove(path);
    return this.#checked(make(this.#tree.place(path)), call, path);
  }

  /** Where the directory was empty, what stands in the way came by another path, and would be lost. */
  #checkReplaced(path: string): void {
    if (this.#target.whiteouts === "vfs") return;
    const found = this.#tree.status(this.#tree.place(path));
    const kind = (found?.mode ?? 0) & fileKinds.mask;
    if (kind !== fileKinds.regular || found?.size === 0) return;
    throw new Failure("unsupported", `Layer has two files in one place: ${quoted(utf8(path))}`);
  }

  /** Returns where a path is, and makes the directories above it that are missing. */
  #place(path: string): NameIn {
    try {
      return this.#tree.place(path);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
      this.#makeParent(path.slice(0, path.lastIndexOf("/")), error);
      return this.#tree.place(path);
    }
  }

  #makeParent(path: string, missing: unknown): void {
    const { calls } = this.#tree;
    const place = this.#place(path);
    const made = calls.makeDirectory(place.directory, place.name, 0o755);
    // There is a link that leads nowhere.
    if (made === -system.errno.EEXIST) throw missing;
    this.#checked(made, "mkdir", path);
    const found = this.#tree.status(place);
    if (this.#target.whiteouts === "vfs") {
      this.#brought.add(path);
    } else if (found !== undefined && found.uid === 0 && found.gid !== 0) {
      // A directory above has passed on its group.
      this.#checked(calls.setOwner(place.directory, place.name, 0, 0), "lchown", path);
    }
    // With the bit for passing on, which came from above, too.
    const mode = 0o755 | ((found?.mode ?? 0) & 0o2000);
    this.#checked(calls.setMode(place.directory, place.name, mode), "chmod", path);
  }

  #checked(result: number, call: string, path: string): number {
    if (result < 0) throw systemError(-result, call, this.#tree.shown(path));
    return result;
  }
}

function utf8(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

const nodeKinds: Readonly<Partial<Record<TarEntry["kind"], number>>> = {
  "character-device": fileKinds.characterDevice,
  "block-device": fileKinds.blockDevice,
  fifo: fileKinds.fifo,
};
