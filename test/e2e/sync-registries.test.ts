// sync between registries of others: what is asked of them and moved, first, again, after a change, and in parts.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { manyImages } from "../support/many-images.ts";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { type PeerRegistry, registryProgram, startPeerRegistry } from "../support/peers.ts";
import { type RunResult, succeed } from "../support/run.ts";
import { blobsOf, manifestsOf, sampleImage } from "../support/sample-images.ts";
import { StoredRegistry } from "../support/stored-registry.ts";
import { treeOf } from "../support/trees.ts";
import { memoryDirectory, Workspace } from "../support/workspace.ts";

setDefaultTimeout(180_000);

const wish = { repositories: 50, tags: 2, bases: 12 };
const samples = manyImages(wish);
const images = samples.length;
/** All that there is of them, each once. */
const allBlobs = [
  ...new Set(
    samples.flatMap(({ image }) =>
      [...blobsOf(image), ...manifestsOf(image)].map(({ digest }) => digest.slice(7)),
    ),
  ),
].toSorted();
/** Layers that are different from each other. */
const layers = wish.bases * 2 + images;

/** A registry, what it keeps, and what it was asked. */
class Watched implements AsyncDisposable {
  readonly stored: StoredRegistry;
  readonly #registry: PeerRegistry;
  #seen = 0;

  private constructor(registry: PeerRegistry, stored: StoredRegistry) {
    this.#registry = registry;
    this.stored = stored;
  }

  static async start(directory: string, fill = (_: StoredRegistry) => {}): Promise<Watched> {
    const stored = new StoredRegistry(directory);
    fill(stored);
    return new Watched(await startPeerRegistry({ directory }), stored);
  }

  get host(): string {
    return this.#registry.host;
  }

  /** Returns what was asked since the last time, of each kind how often, and how many bytes of blobs were moved. */
  async asked(): Promise<Asked> {
    const log = await this.#wholeLog();
    const lines = log
      .slice(this.#seen)
      .split("\n")
      .filter((line) => line.includes(completed));
    this.#seen = log.length;
    const counts: Record<string, number> = {};
    let bytes = 0;
    for (const line of lines) {
      const field = (name: string) => new RegExp(` ${name}="?([^" ]*)`).exec(line)?.[1] ?? "";
      const [method, uri] = [field("http.request.method"), field("http.request.uri")];
      const kind = /\/(manifests|blobs|tags)\//.exec(uri)?.[1];
      const name = kind === undefined ? "ping" : `${method} ${kind}`;
      counts[name] = (counts[name] ?? 0) + 1;
      if (name === "GET blobs") bytes += Number(field("http.response.written"));
      const put = /[?&]digest=([^&]*)/.exec(name === "PUT blobs" ? uri : "")?.[1];
      if (put !== undefined) bytes += this.stored.sizeOf(decodeURIComponent(put));
    }
    return { counts, bytes };
  }

  /** The log comes behind the answers: a last request, which does not count, stands behind all others. */
  async #wholeLog(): Promise<string> {
    const mark = `mark=${crypto.randomUUID()}`;
    await (await fetch(`http://${this.host}/v2/?${mark}`)).text();
    for (;;) {
      const lines = this.#registry.log().split(/(?<=\n)/);
      const isThere = lines.some((line) => line.includes(mark) && line.includes(completed));
      if (isThere) return lines.filter((line) => !line.includes("?mark=")).join("");
      await Bun.sleep(5);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registry[Symbol.asyncDispose]();
  }
}

/** What a registry was asked. */
interface Asked {
  readonly counts: Readonly<Record<string, number>>;
  readonly bytes: number;
}

const completed = "response completed";

const needed = testWith(registryProgram);
const ground = { workspace: new Workspace(memoryDirectory) } as {
  readonly workspace: Workspace;
  from: Watched;
};

beforeAll(async () => {
  if (Bun.which(registryProgram) === null) return;
  ground.from = await Watched.start(ground.workspace.at("from"), (stored) => {
    for (const { repository, tag, image } of samples) stored.add(repository, tag, image);
  });
  const names = Array.from({ length: wish.repositories }, (_, number) => `team/r${number}: []`);
  write("images.yaml", names);
  write("few.yaml", names.slice(0, 4));
});

afterAll(async () => {
  await ground.from?.[Symbol.asyncDispose]();
  ground.workspace[Symbol.dispose]();
});

function write(file: string, names: readonly string[]): void {
  const text = `${ground.from.host}: {tls-verify: false, images: {${names.join(", ")}}}`;
  writeFileSync(ground.workspace.at(file), text);
}

function sync(...args: readonly string[]): Promise<RunResult> {
  const common = ["--insecure-policy", "sync", "--src=yaml", "--dest-tls-verify=false"];
  return succeed([...common, ...args], { cwd: ground.workspace.path });
}

const before = { ping: 1, "GET tags": wish.repositories };
const first = { ...before, "GET manifests": images, "GET blobs": layers + images };
const again = { ...before, "HEAD manifests": images };

/** Lets one tag lead to another image while work is done. */
async function withChange(work: () => Promise<void>): Promise<void> {
  const { stored } = ground.from;
  const image = sampleImage({ seed: "new", format: "oci", layers: ["gzip"], ballastBytes: 10 });
  const before = samples.find(({ repository, tag }) => repository === "team/r7" && tag === "1.1");
  stored.add("team/r7", "1.1", image);
  await work();
  stored.add("team/r7", "1.1", before?.image ?? image);
}

/** Runs four parts at the same time, and returns the names that each has copied. */
async function inShards(...args: readonly string[]): Promise<readonly (readonly string[])[]> {
  const parts = await Promise.all([1, 2, 3, 4].map((part) => sync(`--shard=${part}/4`, ...args)));
  return parts.map(({ stderr }) =>
    Array.from(stderr.matchAll(/Copying image ref \S+ from="([^"]*)"/g), ([, name = ""]) => name),
  );
}

function expectWhole(parts: readonly (readonly string[])[]): void {
  for (const part of parts) expect(part.length).toBeGreaterThan(0);
  expect(parts.flat().length).toBe(images);
  expect(new Set(parts.flat()).size).toBe(images);
}

describe("sync of 50 repositories of docker-registry", () => {
  needed(
    "to another docker-registry: everything once, then a look, and four parts are no more than the whole",
    async () => {
      const { from, workspace } = ground;
      await using to = await Watched.start(workspace.at("to"));
      const place = ["--dest=docker", "images.yaml", `${to.host}/m`];
      await from.asked();
      await sync("--write-lock=lock", ...place);
      const whole = { source: await from.asked(), destination: await to.asked() };
      expect(whole.source.counts).toEqual(first);
      const own = 2 * images;
      expect(whole.destination.counts).toEqual({
        ping: 1,
        "HEAD manifests": images,
        "PUT manifests": images,
        // What is not shared is looked for and sent; what is, mounted, but for the first of each.
        "HEAD blobs": own + wish.bases * 2,
        "POST blobs": own + wish.repositories * 2,
        "PUT blobs": own + wish.bases * 2,
      });
      expect(to.stored.tags("m")).toEqual(from.stored.tags("team"));
      expect(to.stored.blobs()).toEqual(allBlobs);

      await sync(...place);
      expect([await from.asked(), await to.asked()]).toEqual([
        { counts: again, bytes: 0 },
        { counts: { ping: 1, "HEAD manifests": images }, bytes: 0 },
      ]);
      await withChange(async () => {
        await sync(...place);
        expect((await from.asked()).counts).toEqual({
          ...again,
          "GET manifests": 1,
          "GET blobs": 2,
        });
        expect((await to.asked()).counts).toMatchObject({ "PUT manifests": 1, "PUT blobs": 2 });
        expect(to.stored.tags("m")).toEqual(from.stored.tags("team"));
      });

      await using other = await Watched.start(workspace.at("other"));
      expectWhole(
        await inShards("--locked=lock", "--dest=docker", "images.yaml", `${other.host}/m`),
      );
      expect(other.stored.tags("m")).toEqual(from.stored.tags("team"));
      expect((await from.asked()).bytes).toBeWithin(whole.source.bytes, whole.source.bytes * 1.05);
      const { bytes } = whole.destination;
      expect((await other.asked()).bytes).toBeWithin(bytes, bytes * 1.05);
    },
  );

  needed("to oci: everything once, then a look", async () => {
    const { from } = ground;
    const place = ["--dest=oci", "images.yaml", "layout"];
    await from.asked();
    await sync(...place);
    expect((await from.asked()).counts).toEqual(first);
    const blobs = readdirSync(ground.workspace.at("layout", "blobs", "sha256"));
    expect(blobs.toSorted()).toEqual(allBlobs);
    await sync(...place);
    expect(await from.asked()).toEqual({ counts: again, bytes: 0 });
    await withChange(async () => {
      await sync(...place);
      expect((await from.asked()).counts).toEqual({ ...again, "GET manifests": 1, "GET blobs": 2 });
    });
  });

  needed(
    "to dir, in four parts that know of each other's layers nothing: the whole, and then a look",
    async () => {
      const { from, workspace } = ground;
      mkdirSync(workspace.at("images"));
      const place = ["--dest=dir", "--overwrite", "images.yaml", "images"];
      await from.asked();
      expectWhole(await inShards(...place));
      // At most every part has fetched every layer that is shared.
      const most = first["GET blobs"] + 3 * 2 * wish.bases;
      expect((await from.asked()).counts["GET blobs"]).toBeWithin(first["GET blobs"], most + 1);
      await sync(...place);
      expect(await from.asked()).toEqual({ counts: again, bytes: 0 });
      await withChange(async () => {
        await sync(...place);
        expect((await from.asked()).counts).toEqual({
          ...again,
          "GET manifests": 1,
          "GET blobs": 2,
        });
      });
    },
  );

  testWith(registryProgram, "newer:skopeo")(
    "comes to the trees of the original, file by file",
    async () => {
      const { workspace } = ground;
      for (const out of ["ours", "theirs"]) mkdirSync(workspace.at(out));
      const args = ["--dest=dir", "--scoped", "few.yaml"];
      await sync(...args, "ours");
      const all = ["--insecure-policy", "sync", "--src=yaml", ...args, "theirs"];
      await succeed(all, { cwd: workspace.path, program: newerProgram("skopeo") });
      const theirs = treeOf(workspace.at("theirs"));
      expect(Object.keys(theirs).length).toBeGreaterThan(4 * wish.tags);
      expect(treeOf(workspace.at("ours"))).toEqual(theirs);
    },
  );
});
