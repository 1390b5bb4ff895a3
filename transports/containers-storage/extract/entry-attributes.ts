// Entry attributes: what a header says of a file besides its content, given to what was made for it.

import { constants as system } from "node:os";
import type { TarEntry } from "../../../core/blob/tar-reader.ts";
import { Failure } from "../../../core/failure.ts";
import type { ContainedTree } from "../../shared/contained-tree.ts";
import { entryXattrs } from "../../shared/layer-entry.ts";
import { systemError } from "../../shared/libc/library.ts";
import { fillTimes, type NameIn, timesBytes } from "../../shared/libc/tree-calls.ts";
import { setXattr } from "../../shared/libc/xattrs.ts";
import { timesOf } from "./entry-times.ts";
import { overrideName, overrideStat } from "./override-stat.ts";
import { pathOf } from "./remove-tree.ts";

/** In which of the ways that stores have attributes are kept. */
export interface AttributeForm {
  /** Whether this runs in a user namespace: attributes that are refused are left out then. */
  readonly rootless: boolean;
  /** The mode that all files have; theirs and their owners go to an attribute. Absent: they have their own. */
  readonly forceMask?: number;
  /** Whether a file may stay the user's own where the system refuses to give it away. */
  readonly ignoresChownErrors?: boolean;
}

/**
 * Gives files their attributes. `path` is what failures name. Methods fail as node:fs does, or as Failures.
 *
 * The owner comes first: to be given away costs a file its privileges.
 */
export class EntryAttributes {
  readonly #tree: ContainedTree;
  readonly #form: AttributeForm;
  readonly #times = new Uint8Array(timesBytes);

  constructor(tree: ContainedTree, form: AttributeForm) {
    this.#tree = tree;
    this.#form = form;
  }

  /** Gives an open file or directory everything but its times. */
  giveOpen(descriptor: number, entry: TarEntry, path: string): void {
    const { calls } = this.#tree;
    const { forceMask } = this.#form;
    if (forceMask === undefined) {
      this.#owned(calls.setOwnerOf(descriptor, entry.uid, entry.gid), entry, path);
    }
    const mode = forceMask ?? entry.mode & 0o7777;
    this.#checked(calls.setModeOf(descriptor, mode), "chmod", path);
    this.#giveXattrs(descriptor, entry, path);
  }

  /** Gives what is no symbolic link everything. */
  giveNamed(place: NameIn, entry: TarEntry, path: string): void {
    this.giveOwner(place, entry, path);
    const mode = this.#form.forceMask ?? entry.mode & 0o7777;
    this.#checked(this.#tree.calls.setMode(place.directory, place.name, mode), "chmod", path);
    this.#giveXattrs(pathOf(place), entry, path);
    this.giveTimes(place, entry, path);
  }

  /** Gives a symbolic link everything: all of them have one mode. */
  giveLink(place: NameIn, entry: TarEntry, path: string): void {
    this.giveOwner(place, entry, path);
    this.#giveXattrs(pathOf(place), entry, path);
    this.giveTimes(place, entry, path);
  }

  giveOwner({ directory, name }: NameIn, entry: TarEntry, path: string): void {
    if (this.#form.forceMask !== undefined) return;
    this.#owned(this.#tree.calls.setOwner(directory, name, entry.uid, entry.gid), entry, path);
  }

  giveTimes({ directory, name }: NameIn, entry: TarEntry, path: string): void {
    this.#fillTimes(entry);
    const result = this.#tree.calls.setTimes(directory, name, this.#times);
    this.#checked(result, "utimensat", path);
  }

  giveTimesOf(descriptor: number, entry: TarEntry, path: string): void {
    this.#fillTimes(entry);
    this.#checked(this.#tree.calls.setTimesOf(descriptor, this.#times), "futimens", path);
  }

  /** Where all files have one mode, keeps what the entry's should be. */
  giveOverride(file: number | Uint8Array, entry: TarEntry, path: string): void {
    const stat = this.#form.forceMask === undefined ? undefined : overrideStat(entry);
    if (stat === undefined) return;
    this.#giveXattr(file, { name: overrideName, value: Buffer.from(stat) }, path);
  }

  #fillTimes(entry: TarEntry): void {
    const { accessedNs, modifiedNs } = timesOf(entry);
    fillTimes(this.#times, accessedNs, modifiedNs);
  }

  #owned(result: number, { uid, gid }: TarEntry, path: string): void {
    if (result === 0 || this.#form.ignoresChownErrors === true) return;
    if (result !== -system.errno.EINVAL) this.#checked(result, "lchown", path);
    // The words are those of the original.
    throw new Failure(
      "io",
      `potentially insufficient UIDs or GIDs available in user namespace (requested ${uid}:${gid} for ${this.#tree.shown(path)}): Check /etc/subuid and /etc/subgid if configured locally: lchown: invalid argument`,
    );
  }

  #giveXattrs(file: number | Uint8Array, entry: TarEntry, path: string): void {
    for (const [name, value] of entryXattrs(entry)) this.#giveXattr(file, { name, value }, path);
    this.giveOverride(file, entry, path);
  }

  #giveXattr(file: number | Uint8Array, { name, value }: Xattr, path: string): void {
    const result = setXattr(file, Buffer.from(`${name}\0`), value);
    if (result === -system.errno.ENOTSUP) return;
    if (result === -system.errno.EPERM && this.#form.rootless) return;
    this.#checked(result, `setxattr ${name}`, path);
  }

  #checked(result: number, call: string, path: string): void {
    if (result < 0) throw systemError(-result, call, this.#tree.shown(path));
  }
}

interface Xattr {
  readonly name: string;
  readonly value: Uint8Array;
}
