// Root archive: a root file system as the tar archive that a layer is.
//
// Nothing is unpacked for it: the original does, with two programs and as if it were root. The same file
// system gives the same archive each time.

import { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import type { SquashFileSystem, SquashName } from "./squashfs/file-system.ts";
import type { FileContent, Inode } from "./squashfs/inode.ts";
import { type TarAttribute, tarEnd, tarHead, type TarItem, tarPadding } from "./tar-item.ts";

/** What is to be archived. */
export interface Root {
  readonly files: SquashFileSystem;
  /** Put where `runScriptPath` says; absent if there is none. */
  readonly runScript?: string | undefined;
  /** When the image was made, in seconds since 1970. */
  readonly modified: number;
}

/** Where the script is that the image runs. */
export const runScriptPath = "/podman/runscript";

/** Streams a root file system as an archive. Fails with `corrupt` if it makes no sense. */
export async function* rootArchive(
  root: Root,
  ...signals: readonly AbortSignal[]
): AsyncGenerator<Uint8Array> {
  const walk = new Walk(root);
  for await (const chunk of walk.entries()) {
    for (const signal of signals) signal.throwIfAborted();
    yield chunk;
  }
  yield tarEnd;
}

/** A directory on the way down, and what is still to be visited of it. */
interface Level {
  /** With a slash at its end. */
  readonly path: Buffer;
  readonly names: Iterator<SquashName>;
}

class Walk {
  readonly #root: Root;
  /** The first name of each file that has several. */
  readonly #named = new Map<number, Uint8Array>();
  /** Whoever comes to a directory twice goes in circles. */
  readonly #entered = new Set<number>();
  #hasScriptDirectory = false;

  constructor(root: Root) {
    this.#root = root;
  }

  async *entries(): AsyncGenerator<Uint8Array> {
    const { files } = this.#root;
    const top = await files.inode(files.root);
    if (top.content.kind !== "directory") {
      throw new Failure("corrupt", "The root of the file system is not a directory");
    }
    yield tarHead(await this.#item(top, Buffer.from("./")));
    const levels = [await this.#enter(top, Buffer.from("./"))];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const next = level.names.next();
      if (next.done === true) {
        levels.pop();
        continue;
      }
      const inode = await files.inode(next.value.inode);
      const path = Buffer.concat([level.path, next.value.name]);
      if (path.length > limits.pathBytes) {
        throw new Failure("corrupt", `The root file system has a path of ${path.length} bytes`);
      }
      if (inode.content.kind === "socket" || this.#givesWay(path, inode)) continue;
      if (inode.content.kind === "directory") {
        const inside = Buffer.concat([path, Buffer.from("/")]);
        yield tarHead(await this.#item(inode, inside));
        levels.push(await this.#enter(inode, inside));
      } else {
        yield* this.#entry(inode, path);
      }
    }
    yield* this.#script();
  }

  async #enter(directory: Inode, path: Buffer): Promise<Level> {
    if (this.#entered.has(directory.number)) {
      throw new Failure("corrupt", "The root file system has a directory that is inside itself");
    }
    this.#entered.add(directory.number);
    return { path, names: (await this.#root.files.list(directory)).values() };
  }

  async *#entry(inode: Inode, path: Buffer): AsyncGenerator<Uint8Array> {
    const first = this.#named.get(inode.number);
    if (first !== undefined) {
      yield tarHead({
        ...(await this.#item(inode, path)),
        kind: "hardLink",
        size: 0,
        target: first,
      });
      return;
    }
    if (inode.links > 1) this.#named.set(inode.number, path);
    yield tarHead(await this.#item(inode, path));
    if (inode.content.kind === "file") yield* this.#content(inode.content);
  }

  async *#content(file: FileContent): AsyncGenerator<Uint8Array> {
    yield* this.#root.files.content(file);
    yield tarPadding(file.size);
  }

  async #item(inode: Inode, path: Uint8Array): Promise<TarItem> {
    const { files } = this.#root;
    const { content } = inode;
    if (content.kind === "socket") throw new Failure("bug", "An archive holds no sockets");
    return {
      path,
      kind: content.kind,
      mode: inode.mode,
      uid: await files.owner(inode.uid),
      gid: await files.owner(inode.gid),
      modified: inode.modified,
      ...(content.kind === "file" && { size: content.size }),
      ...(content.kind === "symlink" && { target: content.target }),
      ...("major" in content && { device: content }),
      attributes: (await files.attributes(inode)).filter(isCarried),
    };
  }

  /** What is at the place of our script is not carried: nor what would lead there, but is no directory. */
  #givesWay(path: Buffer, { content }: Inode): boolean {
    if (this.#root.runScript === undefined) return false;
    const place = path.toString("latin1");
    if (place === `.${runScriptPath}`) return true;
    if (place !== "./podman") return false;
    this.#hasScriptDirectory = content.kind === "directory";
    return !this.#hasScriptDirectory;
  }

  *#script(): Generator<Uint8Array> {
    const { runScript, modified } = this.#root;
    if (runScript === undefined) return;
    const common = { mode: 0o755, uid: 0, gid: 0, modified };
    if (!this.#hasScriptDirectory) {
      yield tarHead({ ...common, path: Buffer.from("./podman/"), kind: "directory" });
    }
    const body = new TextEncoder().encode(runScript);
    const path = Buffer.from(`.${runScriptPath}`);
    yield tarHead({ ...common, path, kind: "file", size: body.length });
    yield body;
    yield tarPadding(body.length);
  }
}

/** What engines put into layers, too: others concern the machine that the image was made on. */
function isCarried({ name }: TarAttribute): boolean {
  if (name.includes("=") || name.includes("\0")) return false;
  return name.startsWith("user.") || name === "security.capability";
}
