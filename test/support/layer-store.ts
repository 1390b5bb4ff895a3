// Layer store: a store of containers-storage of a test's own, filled and emptied by the original.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { run, type RunResult } from "./run.ts";
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

/** As root without a cache of blobs, and with `chroot` for programs of a newer Debian. */
const env = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", _CONTAINERS_ROOTLESS_UID: "" };

/** What programs mount ends with them, and so does what they keep for all of the machine. */
const apart = [
  "--mount",
  "--propagation=private",
  "--",
  "/bin/sh",
  "-c",
  'mount -t tmpfs none /var/lib && exec "$@"',
  "sh",
];

/** A store below a directory, for one driver. */
export class LayerStore {
  readonly #place: Workspace;
  readonly #driver: "overlay" | "vfs";
  readonly #name: string;

  readonly #options: string;

  /** `options` are those of the driver, as they stand in the name of an image. */
  constructor(place: Workspace, driver: "overlay" | "vfs" = "overlay", options = "") {
    this.#place = place;
    this.#driver = driver;
    this.#name = "s";
    this.#options = options === "" ? "" : `:${options}`;
    mkdirSync(this.root, { recursive: true });
    writeFileSync(place.at("policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  }

  /** The graph root. */
  get root(): string {
    return this.#place.at(this.#name, "g");
  }

  /** Returns the name of an image there, as the command line wants it. */
  image(name: string): string {
    const roots = `${this.root}+${this.#place.at(this.#name, "r")}`;
    return `containers-storage:[${this.#driver}@${roots}${this.#options}]${name}`;
  }

  /** Lets `program` copy a sample into the store. */
  async add(name: string, sample: Sample, program = "skopeo"): Promise<RunResult> {
    const layout = this.#place.at(this.#name, `layout-${name}`);
    writeLayout(layout, { "1": sample });
    const copying = this.#copy(`oci:${layout}:1`, this.image(`localhost/${name}:1`));
    return run([...apart, program, ...copying], {
      cwd: this.#place.path,
      env,
      program: "unshare",
    });
  }

  /** Lets `program` copy an image out of the store, to `target`. */
  async take(name: string, target: string, program = "skopeo"): Promise<RunResult> {
    const copying = this.#copy(this.image(`localhost/${name}:1`), target);
    return run([...apart, program, ...copying], {
      cwd: this.#place.path,
      env,
      program: "unshare",
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

  #copy(from: string, to: string): readonly string[] {
    return ["--policy", this.#place.at("policy.json"), "copy", "--quiet", from, to];
  }
}
