// Layer store: a store of containers-storage of a test's own, filled and emptied by the original.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { succeed, run, type RunResult } from "./run.ts";
import type { Sample } from "./sample-images.ts";
import { writeLayout } from "./sample-images.ts";
import type { Workspace } from "./workspace.ts";

/** One layer as the store records it. */
export interface StoredLayer {
  readonly id: string;
  readonly parent?: string;
  readonly "diff-digest": string;
  readonly "diff-size": number;
  readonly uidset?: readonly number[];
  readonly gidset?: readonly number[];
}

/** Programs of a newer Debian ask for `chroot`. */
const PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/** A store below a directory, for one driver. Disposing gives up what programs have mounted there. */
export class LayerStore implements Disposable {
  readonly #place: Workspace;
  readonly #driver: "overlay" | "vfs";
  readonly #name: string;

  constructor(place: Workspace, driver: "overlay" | "vfs" = "overlay", name = "s") {
    this.#place = place;
    this.#driver = driver;
    this.#name = name;
    mkdirSync(this.root, { recursive: true });
    writeFileSync(place.at("policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  }

  /** The graph root. */
  get root(): string {
    return this.#place.at(this.#name, "g");
  }

  /** Returns the name of an image there, as the command line wants it. */
  image(name: string): string {
    return `containers-storage:[${this.#driver}@${this.root}+${this.#place.at(this.#name, "r")}]${name}`;
  }

  /** Lets `program` copy a sample into the store. */
  async add(name: string, sample: Sample, program = "skopeo"): Promise<RunResult> {
    const layout = this.#place.at(this.#name, `layout-${name}`);
    writeLayout(layout, { "1": sample });
    return run(this.#copy(`oci:${layout}:1`, this.image(`localhost/${name}:1`)), {
      cwd: this.#place.path,
      env: { PATH },
      program,
    });
  }

  /** Lets `program` copy an image out of the store, to `target`. */
  async take(name: string, target: string, program = "skopeo"): Promise<RunResult> {
    return succeed(this.#copy(this.image(`localhost/${name}:1`), target), {
      cwd: this.#place.path,
      env: { PATH },
      program,
    });
  }

  /** Returns the records of all layers. */
  layers(): readonly StoredLayer[] {
    return JSON.parse(readFileSync(`${this.root}/${this.#driver}-layers/layers.json`, "utf8"));
  }

  /** Returns the path of a layer's files. */
  files(id: string): string {
    return this.#driver === "vfs"
      ? `${this.root}/vfs/dir/${id}`
      : `${this.root}/overlay/${id}/diff`;
  }

  /** Returns the path of a layer's tar-split. */
  tarSplitPath(id: string): string {
    return `${this.root}/${this.#driver}-layers/${id}.tar-split.gz`;
  }

  /** Returns a layer's tar-split, uncompressed. */
  tarSplit(id: string): Uint8Array {
    return gunzipSync(readFileSync(this.tarSplitPath(id)));
  }

  [Symbol.dispose](): void {
    // Engines mount the directory onto itself, and leave it so.
    Bun.spawnSync(["umount", `${this.root}/overlay`], { stdio: ["ignore", "ignore", "ignore"] });
  }

  #copy(from: string, to: string): readonly string[] {
    return ["--policy", this.#place.at("policy.json"), "copy", "--quiet", from, to];
  }
}
