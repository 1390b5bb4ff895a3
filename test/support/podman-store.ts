// Podman store: a store of a test's own, as podman and its relatives work with it, old ones and new ones.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newerProgram } from "./newer-debian.ts";
import { run, type RunResult, succeed } from "./run.ts";
import { Workspace } from "./workspace.ts";

/** Which podman is meant: the machine's, or that of the newer Debian. */
export type Engine = "podman" | "newer:podman";

/** A record of an image, as it stands in the store. */
export interface StoredImage {
  readonly id: string;
  readonly digest?: string;
  readonly names?: readonly string[];
  readonly "names-history"?: readonly string[];
  readonly layer?: string;
}

/** A store in a short-named workspace. Disposing gives up what programs have mounted there. */
export class PodmanStore implements Disposable {
  readonly workspace: Workspace;
  readonly driver: "overlay" | "vfs";

  /** Made below `parent`, the name of which has to be short. */
  constructor(driver: "overlay" | "vfs" = "overlay", parent = "/tmp") {
    this.workspace = new Workspace(parent);
    this.driver = driver;
    mkdirSync(this.workspace.at("home"));
    writeFileSync(
      this.workspace.at("policy.json"),
      '{"default":[{"type":"insecureAcceptAnything"}]}',
    );
  }

  get graphRoot(): string {
    return this.workspace.at("g");
  }

  get runRoot(): string {
    return this.workspace.at("r");
  }

  /** Returns the name of an image there, as the command line wants it. */
  image(name: string): string {
    return `containers-storage:[${this.driver}@${this.graphRoot}+${this.runRoot}]${name}`;
  }

  /** Runs the executable under test. No policy is asked. */
  dray(...args: readonly string[]): Promise<RunResult> {
    return run(["--insecure-policy", ...args], { cwd: this.workspace.path });
  }

  /** Copies with the executable under test; anything but success is an error. */
  copy(...args: readonly string[]): Promise<RunResult> {
    return succeed(["--insecure-policy", "copy", "--quiet", ...args], {
      cwd: this.workspace.path,
    });
  }

  /** Runs podman on the store; anything but success is an error. */
  podman(engine: Engine, ...args: readonly string[]): Promise<RunResult> {
    const program = engine === "podman" ? engine : newerProgram("podman");
    return succeed([...this.#roots(), ...args], this.#options(program));
  }

  /** Runs podman on the store, whatever comes of it. */
  tryPodman(engine: Engine, ...args: readonly string[]): Promise<RunResult> {
    const program = engine === "podman" ? engine : newerProgram("podman");
    return run([...this.#roots(), ...args], this.#options(program));
  }

  /** Runs a program of podman's family, such as skopeo; anything but success is an error. */
  program(program: string, ...args: readonly string[]): Promise<RunResult> {
    return succeed(args, this.#options(program));
  }

  /** Runs a container of an image that has no network; `options` are those of podman itself. */
  runContainer(
    engine: Engine,
    options: readonly string[],
    image: string,
    ...command: readonly string[]
  ): Promise<RunResult> {
    const limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000"];
    const global = [
      ...this.#roots(),
      ...options,
      "--cgroup-manager=cgroupfs",
      "run",
      "--rm",
      "--network=none",
    ];
    const last = [...limits, image, ...command];
    if (engine === "podman") return succeed([...global, ...last], this.#options(engine));
    // Its runtime refuses machines that have control groups of both kinds, and this one can do without.
    const args = [newerProgram("podman"), ...global, "--cgroups=disabled", ...last];
    const wrapped = ["-m", "--propagation", "private", "sh", "-c", cgroups, "sh", ...args];
    return succeed(wrapped, this.#options("unshare"));
  }

  /** Returns the records of all images. */
  images(): readonly StoredImage[] {
    return JSON.parse(
      readFileSync(join(this.graphRoot, `${this.driver}-images/images.json`), "utf8"),
    );
  }

  /** Returns the IDs of all layers on record. */
  layers(): readonly { readonly id: string; readonly flags?: object }[] {
    return JSON.parse(
      readFileSync(join(this.graphRoot, `${this.driver}-layers/layers.json`), "utf8"),
    );
  }

  /** Returns what contradicts itself in the store: layers without files, files without layers, leftovers. */
  faults(): readonly string[] {
    const ids = new Set(this.layers().map(({ id }) => id));
    const files = this.driver === "vfs" ? "vfs/dir" : "overlay";
    const there = this.#names(files).filter((name) => /^[0-9a-f]{64}$/.test(name));
    const splits = this.#names(`${this.driver}-layers`).filter((name) => name.endsWith(".gz"));
    const split = new Set(splits.map((name) => name.slice(0, 64)));
    const links = this.driver === "vfs" ? [] : this.#names("overlay/l");
    const images = this.images();
    const used = new Set(this.#used(images));
    return [
      ...this.layers()
        .filter(({ flags }) => flags !== undefined)
        .map(({ id }) => `${id} has flags`),
      ...[...ids].filter((id) => !there.includes(id)).map((id) => `${id} has no files`),
      ...[...ids].filter((id) => !split.has(id)).map((id) => `${id} has no tar-split`),
      ...[...ids].filter((id) => !used.has(id)).map((id) => `${id} is of no image`),
      ...there.filter((id) => !ids.has(id)).map((id) => `${id} has no record`),
      ...[...split].filter((id) => !ids.has(id)).map((id) => `${id} has a tar-split only`),
      ...(links.length === ids.size || this.driver === "vfs"
        ? []
        : [`${links.length} links for ${ids.size} layers`]),
      ...this.#names(`${this.driver}/tempdirs`).map((name) => `${name} was left`),
      ...this.#names(`${this.driver}-layers/tmp`).map((name) => `${name} was left`),
      ...["images", "layers", "containers"]
        .flatMap((kind) => this.#names(`${this.driver}-${kind}`))
        .filter((name) => name.startsWith(".dray"))
        .map((name) => `${name} was left`),
      ...this.#names(`${this.driver}-images`)
        .filter((name) => /^[0-9a-f]{64}$/.test(name))
        .filter((name) => !images.some(({ id }) => id === name))
        .map((name) => `image ${name} has no record`),
    ];
  }

  [Symbol.dispose](): void {
    for (const path of [join(this.graphRoot, this.driver), this.graphRoot]) {
      Bun.spawnSync(["umount", path], { stdio: ["ignore", "ignore", "ignore"] });
    }
    this.workspace[Symbol.dispose]();
  }

  #used(images: readonly StoredImage[]): readonly string[] {
    const records: readonly { readonly id: string; readonly parent?: string }[] = JSON.parse(
      JSON.stringify(this.layers()),
    );
    const parents = new Map(records.map(({ id, parent }) => [id, parent]));
    return images.flatMap(({ layer }) => {
      const chain: string[] = [];
      for (let id = layer; id !== undefined; id = parents.get(id)) chain.push(id);
      return chain;
    });
  }

  #names(directory: string): readonly string[] {
    try {
      return readdirSync(join(this.graphRoot, directory));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    }
  }

  #roots(): readonly string[] {
    return [
      `--root=${this.graphRoot}`,
      `--runroot=${this.runRoot}`,
      `--storage-driver=${this.driver}`,
      `--tmpdir=${this.workspace.at("l")}`,
    ];
  }

  #options(program: string) {
    return {
      cwd: this.workspace.path,
      program,
      env: {
        PATH: "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
        HOME: this.workspace.at("home"),
        TMPDIR: this.workspace.path,
        _CONTAINERS_ROOTLESS_UID: "",
        PODMAN_IGNORE_CGROUPSV1_WARNING: "1",
        SUPPRESS_BOLTDB_WARNING: "1",
      },
    };
  }
}

const cgroups = 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"';
