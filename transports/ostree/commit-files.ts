// Commit files: the files of a commit, found by their paths and read wherever they are kept.

import { lstatSync, readlinkSync } from "node:fs";
import type { ByteStream } from "../../core/blob/stream.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import { openFile, rangeStream } from "../shared/file-stream.ts";
import { readXattrs } from "../shared/libc/xattrs.ts";
import { attempt } from "../shared/system.ts";
import type { LayerFiles } from "../shared/rebuilt-layer.ts";
import { userMetaName } from "./file-object.ts";
import { type Checksum, type DirTree, parseMeta, parsePackedHeader } from "./objects.ts";
import type { Repository } from "./repository.ts";

/** As many links as the system follows on one path. */
const mostLinks = 40;

/** So many directories are kept in memory: files of one come one after the other. */
const keptTrees = 64;

/** The files of one commit. */
export class CommitFiles implements LayerFiles {
  readonly #repository: Repository;
  readonly #root: Checksum;
  readonly #signals: readonly AbortSignal[];
  readonly #trees = new Map<Checksum, DirectoryOfCommit>();

  /** Reads below the tree of a commit. `signals` end the reading. */
  constructor(repository: Repository, root: Checksum, ...signals: readonly AbortSignal[]) {
    this.#repository = repository;
    this.#root = root;
    this.#signals = signals;
  }

  async open(path: string): Promise<ByteStream | undefined> {
    const names = Buffer.from(path, "latin1").toString("utf8").split("/");
    const base = names.pop() ?? "";
    const file = (await this.#directory(names))?.files.get(base);
    return file === undefined ? undefined : this.#content(file);
  }

  /** Follows names and the links among them, which never lead out. */
  async #directory(path: readonly string[]): Promise<DirectoryOfCommit | undefined> {
    const trail = [this.#root];
    const rest = path.toReversed();
    let links = 0;
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const here = await this.#tree(trail.at(-1) ?? this.#root);
      const next = here.directories.get(name);
      if (next !== undefined) {
        trail.push(next);
        continue;
      }
      const file = here.files.get(name);
      const target = file === undefined ? undefined : await this.#linkTarget(file);
      links += 1;
      if (target === undefined || links > mostLinks) return undefined;
      if (target.startsWith("/")) trail.length = 1;
      rest.push(...target.split("/").reverse());
    }
    return this.#tree(trail.at(-1) ?? this.#root);
  }

  async #tree(checksum: Checksum): Promise<DirectoryOfCommit> {
    const known = this.#trees.get(checksum);
    if (known !== undefined) return known;
    const found = directoryOf(await this.#repository.readTree(checksum));
    const [oldest] = this.#trees.keys();
    if (this.#trees.size >= keptTrees && oldest !== undefined) this.#trees.delete(oldest);
    this.#trees.set(checksum, found);
    return found;
  }

  async #content(file: Checksum): Promise<ByteStream> {
    const path = this.#repository.objectPath(file, "file");
    const found = attempt(() => lstatSync(path));
    if (!found.isFile()) throw new Failure("corrupt", `${path} is no file`);
    if (this.#repository.mode === "archive") return this.#unpacked(path);
    return this.#stream(path, 0);
  }

  async *#stream(path: string, offset: number): AsyncGenerator<Uint8Array> {
    await using file = await openFile(path);
    yield* rangeStream(file, { path, offset }, ...this.#signals);
  }

  async *#unpacked(path: string): AsyncGenerator<Uint8Array> {
    const { offset } = await readPacked(path);
    yield* inflatedRaw(this.#stream(path, offset), path);
  }

  /** Returns where a link leads; undefined for a file that is none. */
  async #linkTarget(file: Checksum): Promise<string | undefined> {
    const path = this.#repository.objectPath(file, "file");
    switch (this.#repository.mode) {
      case "bare":
        return attempt(() => (lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined));
      case "archive": {
        const { target } = (await readPacked(path)).header;
        return target === "" ? undefined : target;
      }
      case "bare-user": {
        const meta = attempt(() => readXattrs(Buffer.from(`${path}\0`))).get(userMetaName);
        const isLink = meta !== undefined && (parseMeta(meta).mode & 0o170000) === 0o120000;
        if (!isLink) return undefined;
        await using opened = await openFile(path);
        const { bytesRead, buffer } = await opened.read(Buffer.alloc(longestTarget));
        return buffer.toString("utf8", 0, bytesRead).replace(/\0$/, "");
      }
    }
  }
}

interface DirectoryOfCommit {
  readonly files: ReadonlyMap<string, Checksum>;
  readonly directories: ReadonlyMap<string, Checksum>;
}

function directoryOf({ files, directories }: DirTree): DirectoryOfCommit {
  return {
    files: new Map(files),
    directories: new Map(directories.map(([name, tree]) => [name, tree] as const)),
  };
}

const longestTarget = 4096;

/** Far more than attributes and the target of a link can take. */
const longestHeader = 1024 * 1024;

/** Returns what a file of an archive repository says of itself, and where its content begins. */
async function readPacked(path: string) {
  await using file = await openFile(path);
  const read = async (size: number, at: number): Promise<Uint8Array> => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(size), 0, size, at);
    if (bytesRead === size) return buffer;
    throw new Failure("corrupt", `${path} is cut off in its header`);
  };
  const length = Buffer.from(await read(8, 0)).readUInt32BE(0);
  if (length > longestHeader) throw new Failure("corrupt", `${path} has a header that is too long`);
  return { header: parsePackedHeader(await read(length, 8)), offset: 8 + length };
}

/** Undoes a raw deflate, which has to be whole. */
async function* inflatedRaw(bytes: ByteStream, path: string): AsyncGenerator<Uint8Array> {
  const machine = new DecompressionStream("deflate-raw");
  // The types know of shared memory, which no stream of ours is in.
  const writer = (machine.writable as WritableStream<Uint8Array>).getWriter();
  const feed = async (): Promise<void> => {
    try {
      for await (const chunk of bytes) await writer.write(chunk);
      await writer.close();
    } catch (error) {
      await writer.abort(error);
      throw error;
    }
  };
  const feeding = feed();
  // A failure of the feed reaches the reader too, and is thrown from there.
  feeding.catch(() => undefined);
  const reader = machine.readable.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    await feeding;
    ended = true;
  } catch (error) {
    ended = true;
    if (!(error instanceof TypeError)) throw asFailure(error);
    throw new Failure("corrupt", `${path} is not valid deflate`, { cause: error });
  } finally {
    if (!ended) await reader.cancel();
  }
}
