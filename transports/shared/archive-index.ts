// Archive index: which entry of an archive a name leads to.

import { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import type { TarEntry } from "../../core/blob/tar-reader.ts";

/** The entries of one archive by name. Links lead to other entries, and nowhere else. */
export class ArchiveIndex {
  readonly #entries: TarEntry[] = [];
  readonly #byKey = new Map<string, TarEntry>();
  /** Names that several entries have. Only who asks for one is told. */
  readonly #ambiguous = new Set<string>();
  #namesBytes = 0;

  /** All entries, in their order. */
  get entries(): readonly TarEntry[] {
    return this.#entries;
  }

  /** Takes the next entry. Fails with `corrupt` if there are too many to keep. */
  add(entry: TarEntry): void {
    this.#entries.push(entry);
    this.#namesBytes += entry.nameBytes.length + entry.linkBytes.length;
    for (const [key, value] of entry.records) this.#namesBytes += key.length + value.length;
    if (this.#entries.length > limits.archiveEntries) {
      throw corrupt(`Tar archive has more than ${limits.archiveEntries} entries`);
    }
    if (this.#namesBytes > limits.archiveNamesBytes) {
      throw corrupt(`Names in tar archive exceed ${limits.archiveNamesBytes} bytes`);
    }
    const key = placeOf(entry);
    // What is outside is not in the archive, whatever it says.
    if (key === undefined) return;
    if (this.#byKey.has(key)) this.#ambiguous.add(key);
    this.#byKey.set(key, entry);
  }

  /** Returns the regular file that a name leads to, over links if need be; undefined without the name. */
  find(name: string): TarEntry | undefined {
    let key = keyOf(latin(new TextEncoder().encode(name)));
    for (let hops = 0; hops <= limits.archiveLinks; hops++) {
      const entry = key === undefined ? undefined : this.#byKey.get(key);
      if (key === undefined || entry === undefined) {
        if (hops === 0) return undefined;
        throw unreadable(name, "leads to what is not in the archive");
      }
      if (this.#ambiguous.has(key)) throw unreadable(name, "is there more than once");
      switch (entry.kind) {
        case "file":
          if (entry.sparse) throw unreadable(name, "is stored with holes");
          return entry;
        case "hard-link":
          key = keyOf(latin(entry.linkBytes));
          break;
        case "symbolic-link":
          key = targetOf(key, latin(entry.linkBytes));
          break;
        default:
          throw unreadable(name, "not a regular file");
      }
    }
    throw unreadable(name, `is behind more than ${limits.archiveLinks} links`);
  }
}

function unreadable(name: string, what: string): Failure {
  const quoted = JSON.stringify(name.slice(0, limits.shownCharacters));
  return corrupt(`Error reading tar archive component ${quoted}: ${what}`);
}

/**
 * Returns where in the archive an entry is: its name without detours, each byte as one character;
 * undefined if it leads out of the archive.
 */
export function placeOf(entry: Pick<TarEntry, "nameBytes">): string | undefined {
  return keyOf(latin(entry.nameBytes));
}

/** Where a symbolic link leads; undefined if that is not in the archive. */
function targetOf(key: string, link: string): string | undefined {
  if (link.startsWith("/")) return undefined;
  return keyOf(`${key.slice(0, key.lastIndexOf("/") + 1)}${link}`);
}

/**
 * Returns the one spelling of a name; undefined if it leads out of the archive. Names are as bytes, each
 * written as one character, so that different ones stay different.
 */
function keyOf(name: string): string | undefined {
  const reached: string[] = [];
  for (const component of name.split("/")) {
    if (component === "" || component === ".") continue;
    if (component !== "..") reached.push(component);
    else if (reached.pop() === undefined) return undefined;
  }
  return reached.join("/");
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function corrupt(message: string): Failure {
  return new Failure("corrupt", message);
}
